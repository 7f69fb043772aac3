/**
 * What the engine remembers of each producer: its highest sequence number and which of the 1,024 below it were taken
 * (layout/producer-layout.ts). A producer stays on one worker at a time, but may come back on another connection, so each
 * row has a lock. One that has been idle for the declared time is forgotten: its numbers begin anew. Rows are found in
 * producer-names.ts.
 */
// hot path: no allocation

import { WORD } from '../base/words.ts';
import { SEQ_BITMAP_BITS } from '../layout/limits.ts';
import {
  PRODUCERS_FORGET_AT,
  PRODUCERS_INDEX,
  PRODUCERS_ROWS_AT,
  PRODUCERS_SLOTS_AT,
  PRODUCERS_USED,
  PRODUCERS_VERSION,
  PRODUCER_ROW_BYTES,
  PRODUCER_ROW_WORDS,
  ROW_BITMAP,
  ROW_ENTRIES,
  ROW_HIGHEST_HIGH,
  ROW_HIGHEST_LOW,
  ROW_LIFE,
  ROW_LOCK,
  ROW_NAME,
  ROW_SEEN,
} from '../layout/producer-layout.ts';
import { REGION_HEADER_BYTES, REGION_PRODUCERS, checkRegion, createRegion } from '../layout/region.ts';
import { acquireLock, releaseLock } from './lock.ts';

export const SEQ_NEW = 0;
export const SEQ_TAKEN = 1;
export const SEQ_TOO_OLD = 2;

/** The row has gone to another name: look for this one's again. */
export const PRODUCER_MOVED = -1;
export const PRODUCER_KNOWN = 0;
/** Nothing is known of its frames: it is new, or has been forgotten. */
export const PRODUCER_NEW = 1;

export interface Producers {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly floats: Float64Array;
  readonly bytes: Uint8Array;
  /** Row 0 included. */
  readonly rowsMax: number;
  readonly slots: number;
  readonly rowsAt: number;
  readonly forgetAfterMs: number;
  readonly scratch: Int32Array;
}

/** `producersMax` names; one that has sent nothing for longer than `forgetAfterMs` is forgotten. */
export function createProducers(producersMax: number, forgetAfterMs = Infinity): SharedArrayBuffer {
  let slots = 64;
  while (slots < producersMax * 1.5) slots *= 2;
  const body = (PRODUCERS_INDEX + slots) * 4 - REGION_HEADER_BYTES + (producersMax + 1) * PRODUCER_ROW_BYTES;
  const buffer = createRegion(REGION_PRODUCERS, PRODUCERS_VERSION, body);
  const words = new Int32Array(buffer);
  words[PRODUCERS_ROWS_AT] = producersMax + 1;
  words[PRODUCERS_SLOTS_AT] = slots;
  words[PRODUCERS_USED] = 1;
  new Float64Array(buffer, 0, 8)[PRODUCERS_FORGET_AT] = forgetAfterMs;
  return buffer;
}

export function openProducers(buffer: SharedArrayBuffer): Producers {
  checkRegion(buffer, REGION_PRODUCERS, PRODUCERS_VERSION);
  const words = new Int32Array(buffer);
  const floats = new Float64Array(buffer);
  const slots = words[PRODUCERS_SLOTS_AT];
  return {
    buffer,
    words,
    floats,
    bytes: new Uint8Array(buffer),
    rowsMax: words[PRODUCERS_ROWS_AT],
    slots,
    rowsAt: PRODUCERS_INDEX + slots,
    forgetAfterMs: floats[PRODUCERS_FORGET_AT],
    scratch: new Int32Array(4),
  };
}

/** Where a producer's row begins, in Int32 words. */
export function producerAt(producers: Producers, producer: number): number {
  return producers.rowsAt + producer * PRODUCER_ROW_WORDS;
}

/** Which of the names that the row has had: a session remembers it beside the row. */
export function producerLife(producers: Producers, producer: number): number {
  return Atomics.load(producers.words, producerAt(producers, producer) + ROW_LIFE);
}

/** Highest seq taken so far, exact below 2^53; 0 where nothing is known, or what was known is forgotten by `now`, ms. */
export function highestSeq(producers: Producers, producer: number, now: number): number {
  const at = producerAt(producers, producer);
  acquireLock(producers.words, at + ROW_LOCK);
  const highest = isForgotten(producers, at, now) ? 0 : highestAt(producers.words, at);
  releaseLock(producers.words, at + ROW_LOCK);
  return highest;
}

function highestAt(words: Int32Array, at: number): number {
  return (words[at + ROW_HIGHEST_LOW] >>> 0) + (words[at + ROW_HIGHEST_HIGH] >>> 0) * WORD;
}

function isForgotten(producers: Producers, at: number, now: number): boolean {
  const seen = producers.floats[(at >> 1) + ROW_SEEN];
  return seen !== 0 && now - seen > producers.forgetAfterMs;
}

/**
 * A frame of the producer has come: its row will not go to another name for as long as the declared time. PRODUCER_MOVED
 * changes nothing. `life`: as `producerLife` said when the row was found.
 */
export function seeProducer(producers: Producers, producer: number, life: number, receivedAt: number): number {
  const words = producers.words;
  const at = producerAt(producers, producer);
  acquireLock(words, at + ROW_LOCK);
  let outcome = PRODUCER_KNOWN;
  if (words[at + ROW_LIFE] !== life) outcome = PRODUCER_MOVED;
  else {
    if (producers.floats[(at >> 1) + ROW_SEEN] === 0) outcome = PRODUCER_NEW;
    else if (isForgotten(producers, at, receivedAt)) {
      outcome = PRODUCER_NEW;
      clearAt(words, at);
    }
    producers.floats[(at >> 1) + ROW_SEEN] = receivedAt;
  }
  releaseLock(words, at + ROW_LOCK);
  return outcome;
}

/** Recovery: what `seeProducer` did, as the log says. */
export function replayProducer(producers: Producers, producer: number, isNew: boolean, receivedAt: number): void {
  const at = producerAt(producers, producer);
  acquireLock(producers.words, at + ROW_LOCK);
  if (isNew) clearAt(producers.words, at);
  producers.floats[(at >> 1) + ROW_SEEN] = receivedAt;
  releaseLock(producers.words, at + ROW_LOCK);
}

/** Forgets all but the name. */
function clearAt(words: Int32Array, at: number): void {
  words[at + ROW_HIGHEST_LOW] = 0;
  words[at + ROW_HIGHEST_HIGH] = 0;
  words.fill(0, at + ROW_BITMAP, at + ROW_NAME);
  words.fill(0, at + ROW_ENTRIES, at + PRODUCER_ROW_WORDS);
}

/** SEQ_NEW takes the seq; SEQ_TAKEN and SEQ_TOO_OLD change nothing. `seq` from 1, below 2^53. */
export function takeSeq(producers: Producers, producer: number, seq: number): number {
  const words = producers.words;
  const at = producerAt(producers, producer);
  acquireLock(words, at + ROW_LOCK);
  const highest = highestAt(words, at);
  let outcome = SEQ_NEW;
  if (seq > highest) {
    clearBetween(words, at, highest, seq);
    words[at + ROW_HIGHEST_LOW] = (seq % WORD) | 0;
    words[at + ROW_HIGHEST_HIGH] = Math.floor(seq / WORD);
  } else if (seq + SEQ_BITMAP_BITS <= highest) {
    outcome = SEQ_TOO_OLD;
  }
  if (outcome === SEQ_NEW) {
    const bit = seq % SEQ_BITMAP_BITS;
    const word = at + ROW_BITMAP + (bit >> 5);
    const mask = 1 << (bit & 31);
    if ((words[word] & mask) !== 0) outcome = SEQ_TAKEN;
    else words[word] |= mask;
  }
  releaseLock(words, at + ROW_LOCK);
  return outcome;
}

/** The window moves up from `highest` to `seq`: the bits of the numbers between belong to new numbers now. */
function clearBetween(words: Int32Array, at: number, highest: number, seq: number): void {
  const moved = seq - highest;
  if (moved >= SEQ_BITMAP_BITS) {
    words.fill(0, at + ROW_BITMAP, at + ROW_BITMAP + (SEQ_BITMAP_BITS >> 5));
    return;
  }
  for (let step = 1; step <= moved; step++) {
    const bit = (highest + step) % SEQ_BITMAP_BITS;
    words[at + ROW_BITMAP + (bit >> 5)] &= ~(1 << (bit & 31));
  }
}

/** Copies a producer's row to out[at, at + PRODUCER_ROW_BYTES), without its lock and its life. */
export function copyProducer(producers: Producers, producer: number, out: Uint8Array, at: number): void {
  const row = producerAt(producers, producer);
  acquireLock(producers.words, row + ROW_LOCK);
  out.set(new Uint8Array(producers.buffer, row * 4, PRODUCER_ROW_BYTES), at);
  releaseLock(producers.words, row + ROW_LOCK);
  out.fill(0, at + ROW_LOCK * 4, at + (ROW_LOCK + 1) * 4);
  out.fill(0, at + ROW_LIFE * 4, at + (ROW_LIFE + 1) * 4);
}

/** Puts what is known of a producer back into its row, whose lock, life and name stay. `rowBytes`: of the copy. */
export function restoreProducer(
  producers: Producers,
  producer: number,
  from: Uint8Array,
  at: number,
  rowBytes: number,
): void {
  const row = producerAt(producers, producer) * 4;
  const { bytes } = producers;
  copyRange(bytes, row, from, at, ROW_HIGHEST_LOW * 4, ROW_LIFE * 4);
  copyRange(bytes, row, from, at, ROW_SEEN * 8, ROW_SEEN * 8 + 8);
  copyRange(bytes, row, from, at, ROW_BITMAP * 4, ROW_NAME * 4);
  if (rowBytes === PRODUCER_ROW_BYTES) copyRange(bytes, row, from, at, ROW_ENTRIES * 4, rowBytes);
}

function copyRange(to: Uint8Array, row: number, from: Uint8Array, at: number, begin: number, end: number): void {
  for (let i = begin; i < end; i++) to[row + i] = from[at + i];
}
