/**
 * What one producer may use up of what all share: entries of the dictionary, and dead letters that are kept. Frames that
 * name no producer are one producer here, row 0 of the table. Workers ask before they take.
 */
// hot path: no allocation

import {
  ROW_ENTRIES,
  ROW_ENTRY_BYTES,
  ROW_LETTERS,
  ROW_LETTERS_SEEN,
  ROW_LETTER_BYTES,
  ROW_LOCK,
} from '../layout/producer-layout.ts';
import { acquireLock, releaseLock } from './lock.ts';
import { producerAt, type Producers } from './producers.ts';

/** So many dead letters at once, and so many a second after that, are kept: in letters and in bytes. */
export interface LetterBudget {
  readonly burst: number;
  readonly perSecond: number;
  readonly burstBytes: number;
  readonly bytesPerSecond: number;
}

export function entriesAdded(producers: Producers, producer: number): number {
  return producers.words[producerAt(producers, producer) + ROW_ENTRIES];
}

export function entryBytesAdded(producers: Producers, producer: number): number {
  return producers.words[producerAt(producers, producer) + ROW_ENTRY_BYTES];
}

/** The producer has added an entry of `length` bytes to the dictionary. */
export function countEntry(producers: Producers, producer: number, length: number): void {
  const at = producerAt(producers, producer);
  Atomics.add(producers.words, at + ROW_ENTRIES, 1);
  Atomics.add(producers.words, at + ROW_ENTRY_BYTES, length);
}

/** What the producer has used up does not count any more. */
export function forgetBudget(producers: Producers, producer: number): void {
  const at = producerAt(producers, producer);
  producers.words.fill(0, at + ROW_ENTRIES, at + ROW_LETTER_BYTES + 1);
}

/** Whether a dead letter of so many bytes is kept; counts it if so. */
export function takeLetter(
  producers: Producers,
  producer: number,
  length: number,
  now: number,
  budget: LetterBudget,
): boolean {
  const words = producers.words;
  const at = producerAt(producers, producer);
  acquireLock(words, at + ROW_LOCK);
  const seenAt = (at >> 1) + ROW_LETTERS_SEEN;
  const seconds = Math.max(0, now - producers.floats[seenAt]) / 1000;
  const letters = Math.floor(seconds * budget.perSecond);
  const bytes = Math.floor(seconds * budget.bytesPerSecond);
  if (letters > 0 && bytes > 0) {
    producers.floats[seenAt] = now;
    words[at + ROW_LETTERS] = Math.max(0, words[at + ROW_LETTERS] - letters);
    words[at + ROW_LETTER_BYTES] = Math.max(0, words[at + ROW_LETTER_BYTES] - bytes);
  }
  const isKept = words[at + ROW_LETTERS] < budget.burst && words[at + ROW_LETTER_BYTES] + length <= budget.burstBytes;
  if (isKept) {
    words[at + ROW_LETTERS]++;
    words[at + ROW_LETTER_BYTES] += length;
  }
  releaseLock(words, at + ROW_LOCK);
  return isKept;
}
