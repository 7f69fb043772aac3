/**
 * A list of keys in shared memory that an operator replaces while the engine runs: a hash set, twice. Readers use the
 * half that the version names; the writer fills the other one and then names it. A reader whose half was taken from under
 * it sees that the version has moved on and looks again; nobody waits.
 *
 *   byte 16  Int32 entries max, 20 Int32 slots of a half                     written by the creator
 *   byte 64  Int32 version   the lowest bit names the half in use            the writer, published last
 *   byte 68  Int32 count     keys in the half in use                         the writer
 *   byte 128 half 0, half 1  four Int32 a slot: the key's words, all 0: empty; linear probing
 *
 * A key's words: of a string, murmur3-128 of its bytes; of an integer, low and high of its
 * 64 bits, 1 from 2^63 on (else 0: -1 has the bits of 2^64 - 1), 1.
 */
// hot path: no allocation

import { fail } from '../base/fail.ts';
import { hashBytes, slotHash } from '../base/hash.ts';
import { KEY_WORDS, storeKey, isKeyAt, isNoKey } from '../layout/key-words.ts';
import { REGION_HEADER_BYTES, REGION_KEY_LIST, checkRegion, createRegion } from '../layout/region.ts';

export const KEY_LIST_VERSION = 1;
/** So that no key is all zeros, which means an empty slot. */
export const KEY_TAG_INTEGER = 1;

const HASH_SEED = 4;
const ENTRIES_MAX_AT = 4;
const SLOTS_AT = 5;
const VERSION = 16;
const COUNT = 17;
const FIRST_HALF = 32;

export interface KeyList {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly slots: number;
  readonly entriesMax: number;
  readonly scratch: Int32Array;
}

export function createKeyList(max: number): SharedArrayBuffer {
  let slots = 64;
  while (slots < max * 2) slots *= 2;
  const body = FIRST_HALF * 4 - REGION_HEADER_BYTES + 2 * slots * KEY_WORDS * 4;
  const buffer = createRegion(REGION_KEY_LIST, KEY_LIST_VERSION, body);
  const words = new Int32Array(buffer);
  words[ENTRIES_MAX_AT] = max;
  words[SLOTS_AT] = slots;
  return buffer;
}

export function openKeyList(buffer: SharedArrayBuffer): KeyList {
  checkRegion(buffer, REGION_KEY_LIST, KEY_LIST_VERSION);
  const words = new Int32Array(buffer);
  return { buffer, words, slots: words[SLOTS_AT], entriesMax: words[ENTRIES_MAX_AT], scratch: new Int32Array(4) };
}

export function keyCount(list: KeyList): number {
  return Atomics.load(list.words, COUNT);
}

/** The words of a text as a key. */
export function textKey(bytes: Uint8Array, start: number, length: number, out: Int32Array, at: number): void {
  hashBytes(bytes, start, length, HASH_SEED, out, at);
}

/** Makes the list consist of `count` keys, four words each. By one thread at a time; the caller has checked the count. */
export function replaceKeys(list: KeyList, keys: Int32Array, count: number): void {
  if (count > list.entriesMax) fail('key_list_full', count);
  const words = list.words;
  const version = Atomics.load(words, VERSION);
  const half = halfAt(list, version + 1);
  words.fill(0, half, half + list.slots * KEY_WORDS);
  let added = 0;
  for (let i = 0; i < count; i++) added += addKey(list, half, keys, i * KEY_WORDS);
  Atomics.store(words, COUNT, added);
  Atomics.store(words, VERSION, (version + 1) | 0);
}

function halfAt(list: KeyList, version: number): number {
  return FIRST_HALF + (version & 1) * list.slots * KEY_WORDS;
}

/** 0 where the key is there already. */
function addKey(list: KeyList, half: number, keys: Int32Array, from: number): number {
  const words = list.words;
  const mask = list.slots - 1;
  const k0 = keys[from];
  const k1 = keys[from + 1];
  const k2 = keys[from + 2];
  const k3 = keys[from + 3];
  let slot = slotHash(k0, k1, k2, k3) & mask;
  for (;;) {
    const at = half + slot * KEY_WORDS;
    if (isNoKey(words, at)) {
      storeKey(words, at, k0, k1, k2, k3);
      return 1;
    }
    if (isKeyAt(words, at, k0, k1, k2, k3)) return 0;
    slot = (slot + 1) & mask;
  }
}

export function hasKey(list: KeyList, k0: number, k1: number, k2: number, k3: number): boolean {
  for (;;) {
    const version = Atomics.load(list.words, VERSION);
    const found = probe(list, halfAt(list, version), k0, k1, k2, k3);
    if (Atomics.load(list.words, VERSION) === version) return found;
  }
}

/** Bounded: a half that is being filled may have no empty slot where this looks. */
function probe(list: KeyList, half: number, k0: number, k1: number, k2: number, k3: number): boolean {
  const words = list.words;
  const mask = list.slots - 1;
  let slot = slotHash(k0, k1, k2, k3) & mask;
  for (let probes = 0; probes < list.slots; probes++) {
    const at = half + slot * KEY_WORDS;
    if (isKeyAt(words, at, k0, k1, k2, k3)) return true;
    if (isNoKey(words, at)) return false;
    slot = (slot + 1) & mask;
  }
  return false;
}

export function hasText(list: KeyList, bytes: Uint8Array, start: number, length: number): boolean {
  const key = list.scratch;
  hashBytes(bytes, start, length, HASH_SEED, key, 0);
  return hasKey(list, key[0], key[1], key[2], key[3]);
}
