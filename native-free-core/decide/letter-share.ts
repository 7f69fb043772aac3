/**
 * Which dead letters are kept: of what is refused all is counted, and as much is kept as one producer may have, and all
 * together. Garbage comes at millions of events a second; whoever looks for the fault needs the first thousands. Called by
 * take-frame.ts.
 *
 *   one producer   10,000 at once and 10 a second after that; 16 MiB and 16 KiB a second
 *   all together   200,000 at once and 50 a second after that; 256 MiB and 64 KiB a second: shared evenly by the workers
 */
// hot path: no allocation

import { takeLetter, type LetterBudget } from '../state/producer-budgets.ts';
import type { Producers } from '../state/producers.ts';

/** A file of rejected rows comes through whole; a frame of the largest size does, too. */
export const LETTERS_OF_PRODUCER: LetterBudget = {
  burst: 10_000,
  perSecond: 10,
  burstBytes: 16 << 20,
  bytesPerSecond: 16 << 10,
};
/** With the table's ttl of 30 days: 130 million rows and 170 GB of refused bytes at the worst. */
export const LETTERS_OF_ALL: LetterBudget = {
  burst: 200_000,
  perSecond: 50,
  burstBytes: 256 << 20,
  bytesPerSecond: 64 << 10,
};

export interface LetterShare {
  readonly workers: number;
  letters: number;
  bytes: number;
  /** ms UTC */
  countedAt: number;
}

export function createLetterShare(workers: number): LetterShare {
  return { workers, letters: 0, bytes: 0, countedAt: 0 };
}

/** Whether a dead letter of so many bytes is kept. `now`: received_at, ms. */
export function keepsLetter(
  share: LetterShare,
  producers: Producers,
  producer: number,
  length: number,
  now: number,
): boolean {
  const { burst, perSecond, burstBytes, bytesPerSecond } = LETTERS_OF_ALL;
  const seconds = Math.max(0, now - share.countedAt) / 1000 / share.workers;
  share.countedAt = now;
  share.letters = Math.max(0, share.letters - seconds * perSecond);
  share.bytes = Math.max(0, share.bytes - seconds * bytesPerSecond);
  if ((share.letters + 1) * share.workers > burst || (share.bytes + length) * share.workers > burstBytes) return false;
  if (!takeLetter(producers, producer, length, now, LETTERS_OF_PRODUCER)) return false;
  share.letters++;
  share.bytes += length;
  return true;
}
