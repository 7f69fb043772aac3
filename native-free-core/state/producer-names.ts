/**
 * The names of producers: which row of the table is whose (layout/producer-layout.ts). Where every row has a name, the row
 * of a producer that has been idle for the declared time goes to the new one; where none is idle, the new one is refused.
 */
// hot path: no allocation

import { fail } from '../base/fail.ts';
import { hashBytes } from '../base/hash.ts';
import {
  PRODUCERS_FORGOTTEN,
  PRODUCERS_HAND,
  PRODUCERS_INDEX,
  PRODUCERS_LOCK,
  PRODUCERS_OLDEST,
  PRODUCERS_REFUSED,
  PRODUCERS_USED,
  PRODUCER_NONE,
  PRODUCER_ROW_WORDS,
  ROW_BITMAP,
  ROW_HIGHEST_LOW,
  ROW_LIFE,
  ROW_LOCK,
  ROW_NAME,
  ROW_NAME_BYTES,
  ROW_SEEN,
} from '../layout/producer-layout.ts';
import { acquireLock, releaseLock } from './lock.ts';
import { producerAt, type Producers } from './producers.ts';

/** Rows that have a name now; a figure. */
export function producerCount(producers: Producers): number {
  return Atomics.load(producers.words, PRODUCERS_USED) - 1;
}

/** Rows that went to another name, and names that found none, since the start. */
export function producersForgotten(producers: Producers): number {
  return Atomics.load(producers.words, PRODUCERS_FORGOTTEN);
}

export function producersRefused(producers: Producers): number {
  return Atomics.load(producers.words, PRODUCERS_REFUSED);
}

/** Where a producer's name begins in `producers.bytes`; it has `nameBytes`. */
export function nameAt(producers: Producers, producer: number): number {
  return (producerAt(producers, producer) + ROW_NAME) * 4;
}

export function nameBytes(producers: Producers, producer: number): number {
  return producers.words[producerAt(producers, producer) + ROW_NAME_BYTES];
}

/** The row of a name, PRODUCER_NONE where it has none. */
export function findProducer(producers: Producers, bytes: Uint8Array, start: number, length: number): number {
  if (length === 0) return PRODUCER_NONE;
  acquireLock(producers.words, PRODUCERS_LOCK);
  const row = producers.words[PRODUCERS_INDEX + probe(producers, bytes, start, length)];
  releaseLock(producers.words, PRODUCERS_LOCK);
  return row;
}

/**
 * The row of a name, which gets one where it has none; PRODUCER_NONE where no row is free or idle. `idleSince`: rows that
 * were seen before may be given away, ms.
 */
export function nameProducer(
  producers: Producers,
  bytes: Uint8Array,
  start: number,
  length: number,
  idleSince: number,
): number {
  if (length === 0) return PRODUCER_NONE;
  const words = producers.words;
  acquireLock(words, PRODUCERS_LOCK);
  let row = words[PRODUCERS_INDEX + probe(producers, bytes, start, length)];
  if (row === PRODUCER_NONE) {
    row = freeRow(producers, idleSince);
    if (row === PRODUCER_NONE) words[PRODUCERS_REFUSED]++;
    else {
      writeName(producers, row, bytes, start, length);
      words[PRODUCERS_INDEX + probe(producers, bytes, start, length)] = row;
    }
  }
  releaseLock(words, PRODUCERS_LOCK);
  return row;
}

/** The slot that has the name's row, or the empty one where it would stand. */
function probe(producers: Producers, bytes: Uint8Array, start: number, length: number): number {
  hashBytes(bytes, start, length, 1, producers.scratch, 0);
  const mask = producers.slots - 1;
  let slot = producers.scratch[0] & mask;
  for (let row = producers.words[PRODUCERS_INDEX + slot]; row !== 0; row = producers.words[PRODUCERS_INDEX + slot]) {
    if (hasName(producers, row, bytes, start, length)) return slot;
    slot = (slot + 1) & mask;
  }
  return slot;
}

function hasName(producers: Producers, row: number, bytes: Uint8Array, start: number, length: number): boolean {
  if (nameBytes(producers, row) !== length) return false;
  const at = nameAt(producers, row);
  const heap = producers.bytes;
  for (let i = 0; i < length; i++) if (heap[at + i] !== bytes[start + i]) return false;
  return true;
}

function freeRow(producers: Producers, idleSince: number): number {
  const words = producers.words;
  if (words[PRODUCERS_USED] < producers.rowsMax) return words[PRODUCERS_USED]++;
  // What the last search found spares this one, until the longest idle may be forgotten.
  if (producers.floats[PRODUCERS_OLDEST] >= idleSince) return PRODUCER_NONE;
  let oldest = Infinity;
  for (let step = 1; step < producers.rowsMax; step++) {
    const row = words[PRODUCERS_HAND] + 1 >= producers.rowsMax ? 1 : words[PRODUCERS_HAND] + 1;
    words[PRODUCERS_HAND] = row;
    const seen = producers.floats[(producerAt(producers, row) >> 1) + ROW_SEEN];
    // One without a time has got its name in this moment.
    if (seen !== 0 && seen < idleSince && forget(producers, row, idleSince)) return row;
    if (seen !== 0 && seen < oldest) oldest = seen;
  }
  producers.floats[PRODUCERS_OLDEST] = oldest;
  return PRODUCER_NONE;
}

/** False where a frame of the producer has come in this moment. */
function forget(producers: Producers, row: number, idleSince: number): boolean {
  const words = producers.words;
  const at = producerAt(producers, row);
  acquireLock(words, at + ROW_LOCK);
  const isIdle = producers.floats[(at >> 1) + ROW_SEEN] < idleSince;
  if (isIdle) {
    removeSlot(producers, row);
    words[at + ROW_LIFE]++;
    words[at + ROW_HIGHEST_LOW] = 0;
    words[at + ROW_HIGHEST_LOW + 1] = 0;
    producers.floats[(at >> 1) + ROW_SEEN] = 0;
    words.fill(0, at + ROW_BITMAP, at + PRODUCER_ROW_WORDS);
    words[PRODUCERS_FORGOTTEN]++;
  }
  releaseLock(words, at + ROW_LOCK);
  return isIdle;
}

function writeName(producers: Producers, row: number, bytes: Uint8Array, start: number, length: number): void {
  const at = nameAt(producers, row);
  for (let i = 0; i < length; i++) producers.bytes[at + i] = bytes[start + i];
  producers.words[producerAt(producers, row) + ROW_NAME_BYTES] = length;
}

/** Removes a row's slot and closes the gap, so that linear probing needs no tombstones. */
function removeSlot(producers: Producers, row: number): void {
  const words = producers.words;
  const mask = producers.slots - 1;
  let gap = homeOf(producers, row);
  for (let probes = 0; words[PRODUCERS_INDEX + gap] !== row; probes++) {
    if (probes > producers.slots) fail('producer_index_lost_row', row);
    gap = (gap + 1) & mask;
  }
  for (let slot = (gap + 1) & mask; words[PRODUCERS_INDEX + slot] !== 0; slot = (slot + 1) & mask) {
    const home = homeOf(producers, words[PRODUCERS_INDEX + slot]);
    if (((slot - home) & mask) >= ((slot - gap) & mask)) {
      words[PRODUCERS_INDEX + gap] = words[PRODUCERS_INDEX + slot];
      gap = slot;
    }
  }
  words[PRODUCERS_INDEX + gap] = 0;
}

function homeOf(producers: Producers, row: number): number {
  hashBytes(producers.bytes, nameAt(producers, row), nameBytes(producers, row), 1, producers.scratch, 0);
  return producers.scratch[0] & (producers.slots - 1);
}
