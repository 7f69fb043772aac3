/**
 * The string dictionary, shared by all threads: low-cardinality strings as small integers.
 * Entries are only ever added. Workers intern; the main thread reads them back for ClickHouse. Id 0 is the empty string.
 *
 *   byte 16  Int32 entries max, 20 Int32 heap bytes, 24 Int32 index slots          written by the creator
 *   byte 64  Int32 lock                                                            whoever adds holds it
 *   byte 68  Int32 count   entries so far, id 0 included                           under the lock, published before the index has it
 *   byte 72  Int32 heapEnd                                                         under the lock
 *   byte 128 index  Int32 a slot: id, 0: empty; linear probing                     under the lock, published last
 *   then     ends   Int32 an entry: where its bytes end in the heap                under the lock
 *   then     heap
 */
// hot path: no allocation

import { hashBytes } from '../base/hash.ts';
import { REGION_DICTIONARY, REGION_HEADER_BYTES, checkRegion, createRegion } from '../layout/region.ts';
import { acquireLock, releaseLock } from './lock.ts';

export const DICTIONARY_VERSION = 1;
export const DICTIONARY_FULL = -1;
export const DICTIONARY_ABSENT = -1;

const ENTRIES_AT = 4;
const HEAP_BYTES_AT = 5;
const SLOTS_AT = 6;
const LOCK = 16;
const COUNT = 17;
const HEAP_END = 18;
const INDEX = 32;

export interface Dictionary {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly slots: number;
  readonly entriesMax: number;
  readonly endsAt: number;
  readonly heapAt: number;
  readonly heapBytes: number;
  readonly scratch: Int32Array;
  /** The last string looked up, by hash: most columns repeat themselves. */
  lastHash: number;
  lastId: number;
}

function indexSlots(entriesMax: number): number {
  let slots = 64;
  while (slots < entriesMax * 2) slots *= 2;
  return slots;
}

export function createDictionary(entriesMax: number, heapBytes: number): SharedArrayBuffer {
  const slots = indexSlots(entriesMax);
  const body = INDEX * 4 - REGION_HEADER_BYTES + (slots + entriesMax) * 4 + heapBytes;
  const buffer = createRegion(REGION_DICTIONARY, DICTIONARY_VERSION, body);
  const words = new Int32Array(buffer);
  words[ENTRIES_AT] = entriesMax;
  words[HEAP_BYTES_AT] = heapBytes;
  words[SLOTS_AT] = slots;
  words[COUNT] = 1;
  return buffer;
}

export function openDictionary(buffer: SharedArrayBuffer): Dictionary {
  checkRegion(buffer, REGION_DICTIONARY, DICTIONARY_VERSION);
  const words = new Int32Array(buffer);
  const slots = words[SLOTS_AT];
  const endsAt = INDEX + slots;
  return {
    buffer,
    words,
    bytes: new Uint8Array(buffer),
    slots,
    entriesMax: words[ENTRIES_AT],
    endsAt,
    heapAt: (endsAt + words[ENTRIES_AT]) * 4,
    heapBytes: words[HEAP_BYTES_AT],
    scratch: new Int32Array(4),
    lastHash: 0,
    lastId: 0,
  };
}

export function dictionaryCount(dictionary: Dictionary): number {
  return Atomics.load(dictionary.words, COUNT);
}

/** Of the entries, together. */
export function dictionaryBytes(dictionary: Dictionary): number {
  return Atomics.load(dictionary.words, HEAP_END);
}

/** Byte offset of an entry in `dictionary.bytes`; its length is `entryBytes`. */
export function entryAt(dictionary: Dictionary, id: number): number {
  return dictionary.heapAt + (id === 0 ? 0 : dictionary.words[dictionary.endsAt + id - 1]);
}

export function entryBytes(dictionary: Dictionary, id: number): number {
  if (id === 0) return 0;
  return dictionary.words[dictionary.endsAt + id] - dictionary.words[dictionary.endsAt + id - 1];
}

/** A copy of an entry's bytes: encoders and text decoders take no shared memory. */
export function copyEntry(dictionary: Dictionary, id: number): Uint8Array {
  const at = entryAt(dictionary, id);
  return dictionary.bytes.slice(at, at + entryBytes(dictionary, id));
}

/** The id of a string, or DICTIONARY_ABSENT. Needs no lock: entries are published by their index slot. */
export function findEntry(dictionary: Dictionary, bytes: Uint8Array, start: number, length: number): number {
  if (length === 0) return 0;
  hashBytes(bytes, start, length, 1, dictionary.scratch, 0);
  return probe(dictionary, dictionary.scratch[0], bytes, start, length);
}

function probe(dictionary: Dictionary, hash: number, bytes: Uint8Array, start: number, length: number): number {
  const mask = dictionary.slots - 1;
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const id = Atomics.load(dictionary.words, INDEX + slot);
    if (id === 0) return DICTIONARY_ABSENT;
    if (sameEntry(dictionary, id, bytes, start, length)) return id;
  }
}

function sameEntry(dictionary: Dictionary, id: number, bytes: Uint8Array, start: number, length: number): boolean {
  if (entryBytes(dictionary, id) !== length) return false;
  const at = entryAt(dictionary, id);
  const heap = dictionary.bytes;
  for (let i = 0; i < length; i++) if (heap[at + i] !== bytes[start + i]) return false;
  return true;
}

/** The id of a string, adding it where it is new; DICTIONARY_FULL where it does not fit. */
export function internEntry(dictionary: Dictionary, bytes: Uint8Array, start: number, length: number): number {
  if (length === 0) return 0;
  hashBytes(bytes, start, length, 1, dictionary.scratch, 0);
  const hash = dictionary.scratch[0];
  if (hash === dictionary.lastHash && dictionary.lastId !== 0) {
    if (sameEntry(dictionary, dictionary.lastId, bytes, start, length)) return dictionary.lastId;
  }
  let id = probe(dictionary, hash, bytes, start, length);
  if (id === DICTIONARY_ABSENT) id = addEntry(dictionary, hash, bytes, start, length);
  if (id > 0) {
    dictionary.lastHash = hash;
    dictionary.lastId = id;
  }
  return id;
}

function addEntry(dictionary: Dictionary, hash: number, bytes: Uint8Array, start: number, length: number): number {
  const words = dictionary.words;
  acquireLock(words, LOCK);
  let id = probe(dictionary, hash, bytes, start, length);
  const end = words[HEAP_END];
  if (id === DICTIONARY_ABSENT && words[COUNT] < dictionary.entriesMax && end + length <= dictionary.heapBytes) {
    id = words[COUNT];
    const heap = dictionary.bytes;
    const at = dictionary.heapAt + end;
    for (let i = 0; i < length; i++) heap[at + i] = bytes[start + i];
    words[HEAP_END] = end + length;
    words[dictionary.endsAt + id] = end + length;
    const mask = dictionary.slots - 1;
    let slot = hash & mask;
    while (words[INDEX + slot] !== 0) slot = (slot + 1) & mask;
    // Whoever finds the entry must find it counted: it is logged with the block that names it.
    Atomics.store(words, COUNT, id + 1);
    Atomics.store(words, INDEX + slot, id);
  }
  releaseLock(words, LOCK);
  return id;
}
