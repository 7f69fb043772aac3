/**
 * Weighted sums of ewma: weights of 21 bits times sums of more than 64 do not fit into two words, so there is a third.
 * Called by the emitted kernels and readers.
 */
// hot path: no allocation

import { WORD } from '../../base/words.ts';

/** From here on a double has no halves of integers left, so that a half can stand for whatever lies below. */
const EXACT_MAX = 9007199254740992;

/** top * 2^64 + high * 2^32 + low as the nearest double; 0 <= high, low < 2^32. */
export function nearestOfWords(top: number, high: number, low: number): number {
  if (top >= 0) return nearestOfPositive(top, high, low);
  const isBorrowed = low > 0;
  const down = isBorrowed ? WORD - low : 0;
  const middle = isBorrowed ? WORD - 1 - high : (WORD - high) % WORD;
  return -nearestOfPositive(isBorrowed || high > 0 ? -top - 1 : -top, middle, down);
}

function nearestOfPositive(top: number, high: number, low: number): number {
  const upper = top * WORD + high;
  if (upper < EXACT_MAX) return upper * WORD + low;
  return (top * WORD + (low > 0 ? high + 0.5 : high)) * WORD;
}
