/**
 * The id window: the event ids of the last minutes, as 128-bit hashes, so that an event sent twice without a producer
 * changes nothing the second time. Stripes of a first-in-first-out ring with an index; an id leaves when it is older
 * than the window, or, in a full stripe, when a newer one needs its place (the window is then shorter than declared, and
 * `shortened` counts it).
 *
 *   region   byte 16 Int32 stripes, 20 Int32 ids per stripe, 24 Int32 index slots, 28 Int32 window in s    creator
 *   stripe   word 0 lock, 1 oldest (ring position), 2 count, 3 shortened                                    under the lock
 *            word 16 index: Int32 a slot: ring position + 1, 0: empty; linear probing
 *            then    ring: per id 4 words of hash, 1 word of received_at in whole seconds
 */
// hot path: no allocation

import { fail } from '../base/fail.ts';
import { slotHash } from '../base/hash.ts';
import { storeKey, isKeyAt, hashOfKey } from '../layout/key-words.ts';
import { REGION_BYTES_MAX, REGION_HEADER_BYTES, REGION_IDS, checkRegion, createRegion } from '../layout/region.ts';
import { acquireLock, releaseLock } from './lock.ts';

export const IDS_VERSION = 1;
export const ID_NEW = 0;
export const ID_SEEN = 1;

const LOCK = 0;
const OLDEST = 1;
const COUNT = 2;
const SHORTENED = 3;
const INDEX = 16;
const ENTRY_WORDS = 5;
const TIME = 4;
const IDS_PER_STRIPE_AIM = 2048;

export interface IdWindow {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly stripes: number;
  readonly idsPerStripe: number;
  readonly slots: number;
  readonly windowSeconds: number;
  readonly stripeWords: number;
}

export function createIdWindow(idsMax: number, windowMs: number): SharedArrayBuffer {
  let stripes = 1;
  while (idsMax / stripes > IDS_PER_STRIPE_AIM) stripes *= 2;
  const idsPerStripe = Math.max(16, Math.ceil(idsMax / stripes));
  let slots = 32;
  while (slots < idsPerStripe * 1.6) slots *= 2;
  const stripeBytes = stripeWordsOf(slots, idsPerStripe) * 4;
  if (stripes * stripeBytes > REGION_BYTES_MAX - REGION_HEADER_BYTES) fail('id_window_too_large', idsMax);
  const buffer = createRegion(REGION_IDS, IDS_VERSION, stripes * stripeBytes);
  const words = new Int32Array(buffer);
  words[4] = stripes;
  words[5] = idsPerStripe;
  words[6] = slots;
  words[7] = Math.ceil(windowMs / 1000);
  return buffer;
}

function stripeWordsOf(slots: number, ids: number): number {
  return Math.ceil((INDEX + slots + ids * ENTRY_WORDS) / 16) * 16;
}

export function openIdWindow(buffer: SharedArrayBuffer): IdWindow {
  checkRegion(buffer, REGION_IDS, IDS_VERSION);
  const words = new Int32Array(buffer);
  const stripeWords = stripeWordsOf(words[6], words[5]);
  return {
    buffer,
    words,
    stripes: words[4],
    idsPerStripe: words[5],
    slots: words[6],
    windowSeconds: words[7],
    stripeWords,
  };
}

/** ID_NEW remembers the id; ID_SEEN changes nothing. `receivedAt` in ms. */
export function takeId(ids: IdWindow, h0: number, h1: number, h2: number, h3: number, receivedAt: number): number {
  const words = ids.words;
  const hash = slotHash(h0, h1, h2, h3);
  const stripe = (REGION_HEADER_BYTES >> 2) + ((hash >>> 8) & (ids.stripes - 1)) * ids.stripeWords;
  const seconds = Math.floor(receivedAt / 1000) | 0;
  acquireLock(words, stripe + LOCK);
  expire(ids, stripe, seconds);
  const outcome = isKnown(ids, stripe, h0, h1, h2, h3, hash) ? ID_SEEN : ID_NEW;
  if (outcome === ID_NEW) append(ids, stripe, h0, h1, h2, h3, seconds, hash);
  releaseLock(words, stripe + LOCK);
  return outcome;
}

/** Whether `takeId` would find it, changing nothing: for dry runs. */
export function hasId(ids: IdWindow, h0: number, h1: number, h2: number, h3: number): boolean {
  const hash = slotHash(h0, h1, h2, h3);
  const stripe = (REGION_HEADER_BYTES >> 2) + ((hash >>> 8) & (ids.stripes - 1)) * ids.stripeWords;
  acquireLock(ids.words, stripe + LOCK);
  const known = isKnown(ids, stripe, h0, h1, h2, h3, hash);
  releaseLock(ids.words, stripe + LOCK);
  return known;
}

function isKnown(ids: IdWindow, stripe: number, h0: number, h1: number, h2: number, h3: number, hash: number): boolean {
  const words = ids.words;
  const mask = ids.slots - 1;
  const ring = stripe + INDEX + ids.slots;
  let slot = (hash ^ (hash >>> 20)) & mask;
  for (let entry = words[stripe + INDEX + slot]; entry !== 0; entry = words[stripe + INDEX + slot]) {
    const at = ring + (entry - 1) * ENTRY_WORDS;
    if (isKeyAt(words, at, h0, h1, h2, h3)) return true;
    slot = (slot + 1) & mask;
  }
  return false;
}

function append(
  ids: IdWindow,
  stripe: number,
  h0: number,
  h1: number,
  h2: number,
  h3: number,
  seconds: number,
  hash: number,
): void {
  const words = ids.words;
  if (words[stripe + COUNT] === ids.idsPerStripe) {
    words[stripe + SHORTENED]++;
    dropOldest(ids, stripe);
  }
  let position = words[stripe + OLDEST] + words[stripe + COUNT];
  if (position >= ids.idsPerStripe) position -= ids.idsPerStripe;
  const at = stripe + INDEX + ids.slots + position * ENTRY_WORDS;
  storeKey(words, at, h0, h1, h2, h3);
  words[at + TIME] = seconds;
  words[stripe + COUNT]++;
  const mask = ids.slots - 1;
  let slot = (hash ^ (hash >>> 20)) & mask;
  while (words[stripe + INDEX + slot] !== 0) slot = (slot + 1) & mask;
  words[stripe + INDEX + slot] = position + 1;
}

/** Two at a time is enough to keep up: each call adds one at most. */
function expire(ids: IdWindow, stripe: number, seconds: number): void {
  const words = ids.words;
  for (let i = 0; i < 2 && words[stripe + COUNT] > 0; i++) {
    const at = stripe + INDEX + ids.slots + words[stripe + OLDEST] * ENTRY_WORDS;
    if (((seconds - words[at + TIME]) | 0) <= ids.windowSeconds) return;
    dropOldest(ids, stripe);
  }
}

function dropOldest(ids: IdWindow, stripe: number): void {
  const words = ids.words;
  const mask = ids.slots - 1;
  const index = stripe + INDEX;
  const ring = index + ids.slots;
  const position = words[stripe + OLDEST];
  let gap = homeOf(ids, ring + position * ENTRY_WORDS);
  for (let probes = 0; words[index + gap] !== position + 1; probes++) {
    if (probes > ids.slots) fail('id_index_lost_entry', position);
    gap = (gap + 1) & mask;
  }
  for (let slot = (gap + 1) & mask; words[index + slot] !== 0; slot = (slot + 1) & mask) {
    const home = homeOf(ids, ring + (words[index + slot] - 1) * ENTRY_WORDS);
    if (((slot - home) & mask) >= ((slot - gap) & mask)) {
      words[index + gap] = words[index + slot];
      gap = slot;
    }
  }
  words[index + gap] = 0;
  words[stripe + OLDEST] = position + 1 === ids.idsPerStripe ? 0 : position + 1;
  words[stripe + COUNT]--;
}

function homeOf(ids: IdWindow, at: number): number {
  const hash = hashOfKey(ids.words, at);
  return (hash ^ (hash >>> 20)) & (ids.slots - 1);
}

/** How many ids were forgotten before their time, over all stripes. */
export function idsShortened(ids: IdWindow): number {
  let sum = 0;
  for (let s = 0; s < ids.stripes; s++) sum += ids.words[(REGION_HEADER_BYTES >> 2) + s * ids.stripeWords + SHORTENED];
  return sum;
}

/** Words of one copied id: four of hash, one of time. */
export const ID_ENTRY_WORDS = ENTRY_WORDS;

/**
 * Copies the ids of stripe `s`, oldest first, to the begin of `out` (idsPerStripe * ID_ENTRY_WORDS words); returns how many.
 */
export function copyIdStripe(ids: IdWindow, s: number, out: Int32Array): number {
  const words = ids.words;
  const stripe = (REGION_HEADER_BYTES >> 2) + s * ids.stripeWords;
  const ring = stripe + INDEX + ids.slots;
  acquireLock(words, stripe + LOCK);
  const count = words[stripe + COUNT];
  for (let i = 0; i < count; i++) {
    const position = (words[stripe + OLDEST] + i) % ids.idsPerStripe;
    for (let w = 0; w < ENTRY_WORDS; w++) out[i * ENTRY_WORDS + w] = words[ring + position * ENTRY_WORDS + w];
  }
  releaseLock(words, stripe + LOCK);
  return count;
}

/** Remembers a copied id again. */
export function restoreId(ids: IdWindow, from: Int32Array, at: number): void {
  takeId(ids, from[at], from[at + 1], from[at + 2], from[at + 3], from[at + TIME] * 1000);
}
