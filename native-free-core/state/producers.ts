/**
 * What the engine remembers of each producer: its highest sequence number and which of the 1,024 below it were taken.
 * A producer's row is named by its name's dictionary id. A producer stays on one worker at a time, but may come back
 * on another connection, so each row has a lock.
 *
 *   byte 16  Int32  rows max                                     written by the creator
 *   byte 64  rows, 160 bytes each
 *     word 0      lock
 *     word 1      highest seq, low 32 bits      word 2  high bits       under the lock
 *     word 4-5    f64 last seen: received_at of its last frame, ms      under the lock
 *     word 8-39   bitmap: bit (seq mod 1024) of each taken seq in (highest - 1024, highest]
 */
// hot path: no allocation

import { SEQ_BITMAP_BITS } from '../layout/limits.ts';
import { REGION_HEADER_BYTES, REGION_PRODUCERS, checkRegion, createRegion } from '../layout/region.ts';
import { acquireLock, releaseLock } from './lock.ts';

export const PRODUCERS_VERSION = 1;
export const PRODUCER_ROW_BYTES = 160;
const ROW_WORDS = PRODUCER_ROW_BYTES >> 2;
const ROWS_MAX_AT = 4;
const SEEN_FLOAT = 2;
const BITMAP = 8;
const HIGH = 4294967296;

export const SEQ_NEW = 0;
export const SEQ_TAKEN = 1;
export const SEQ_TOO_OLD = 2;

export interface Producers {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly floats: Float64Array;
  readonly rowsMax: number;
}

export function createProducers(rowsMax: number): SharedArrayBuffer {
  const buffer = createRegion(REGION_PRODUCERS, PRODUCERS_VERSION, rowsMax * PRODUCER_ROW_BYTES);
  new Int32Array(buffer)[ROWS_MAX_AT] = rowsMax;
  return buffer;
}

export function openProducers(buffer: SharedArrayBuffer): Producers {
  checkRegion(buffer, REGION_PRODUCERS, PRODUCERS_VERSION);
  const words = new Int32Array(buffer);
  return { buffer, words, floats: new Float64Array(buffer), rowsMax: words[ROWS_MAX_AT] };
}

function rowAt(producer: number): number {
  return (REGION_HEADER_BYTES >> 2) + producer * ROW_WORDS;
}

/** Highest seq taken so far, exact below 2^53; 0 where the producer is unknown. */
export function highestSeq(producers: Producers, producer: number): number {
  const at = rowAt(producer);
  acquireLock(producers.words, at);
  const highest = (producers.words[at + 1] >>> 0) + (producers.words[at + 2] >>> 0) * HIGH;
  releaseLock(producers.words, at);
  return highest;
}

/** SEQ_NEW takes the seq; SEQ_TAKEN and SEQ_TOO_OLD change nothing. `seq` from 1, below 2^53. */
export function takeSeq(producers: Producers, producer: number, seq: number, receivedAt: number): number {
  const words = producers.words;
  const at = rowAt(producer);
  acquireLock(words, at);
  const highest = (words[at + 1] >>> 0) + (words[at + 2] >>> 0) * HIGH;
  let outcome = SEQ_NEW;
  if (seq > highest) {
    clearBetween(words, at, highest, seq);
    words[at + 1] = (seq % HIGH) | 0;
    words[at + 2] = Math.floor(seq / HIGH);
  } else if (seq + SEQ_BITMAP_BITS <= highest) {
    outcome = SEQ_TOO_OLD;
  }
  if (outcome === SEQ_NEW) {
    const bit = seq % SEQ_BITMAP_BITS;
    const word = at + BITMAP + (bit >> 5);
    const mask = 1 << (bit & 31);
    if ((words[word] & mask) !== 0) outcome = SEQ_TAKEN;
    else words[word] |= mask;
  }
  producers.floats[(at >> 1) + SEEN_FLOAT] = receivedAt;
  releaseLock(words, at);
  return outcome;
}

/** The window moves up from `highest` to `seq`: the bits of the numbers between belong to new numbers now. */
function clearBetween(words: Int32Array, at: number, highest: number, seq: number): void {
  const moved = seq - highest;
  if (moved >= SEQ_BITMAP_BITS) {
    words.fill(0, at + BITMAP, at + BITMAP + (SEQ_BITMAP_BITS >> 5));
    return;
  }
  for (let step = 1; step <= moved; step++) {
    const bit = (highest + step) % SEQ_BITMAP_BITS;
    words[at + BITMAP + (bit >> 5)] &= ~(1 << (bit & 31));
  }
}

/** Copies a producer's row, its lock left out, to out[at, at + PRODUCER_ROW_BYTES). */
export function copyProducer(producers: Producers, producer: number, out: Uint8Array, at: number): void {
  const row = rowAt(producer);
  acquireLock(producers.words, row);
  out.set(new Uint8Array(producers.buffer, row * 4, PRODUCER_ROW_BYTES), at);
  releaseLock(producers.words, row);
  out.fill(0, at, at + 4);
}

export function restoreProducer(producers: Producers, producer: number, from: Uint8Array, at: number): void {
  new Uint8Array(producers.buffer, rowAt(producer) * 4, PRODUCER_ROW_BYTES).set(
    from.subarray(at, at + PRODUCER_ROW_BYTES),
  );
}
