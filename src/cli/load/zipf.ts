/**
 * Numbers by Zipf's law: rank k is drawn with probability proportional to k^-exponent, and which number has which rank is
 * shuffled, so that neighbours are not alike. Walker's alias method: two random words and at most two look-ups a draw,
 * however many there are.
 */

import { below } from './random.ts';
import { WORD } from '../../../native-free-core/base/words.ts';

export interface Zipf {
  readonly count: number;
  /** Of column i: below this share of 2^32 it is i itself, above it is alias[i]. */
  readonly threshold: Uint32Array;
  readonly alias: Uint32Array;
}

/** Exact up to the 32 bits of a threshold. Numbers from 0. */
export function createZipf(count: number, exponent: number, random: () => number): Zipf {
  const weights = new Float64Array(count);
  let sum = 0;
  for (let k = 0; k < count; k++) sum += weights[k] = (k + 1) ** -exponent;
  shuffle(weights, random);
  const threshold = new Uint32Array(count).fill(WORD - 1);
  const alias = Uint32Array.from({ length: count }, (_, i) => i);
  const scaled = weights.map((weight) => (weight / sum) * count);
  const small: number[] = [];
  const large: number[] = [];
  scaled.forEach((share, i) => (share < 1 ? small : large).push(i));
  while (small.length > 0 && large.length > 0) {
    const poor = small.pop()!;
    const rich = large.at(-1)!;
    threshold[poor] = Math.floor(scaled[poor]! * WORD);
    alias[poor] = rich;
    scaled[rich]! -= 1 - scaled[poor]!;
    if (scaled[rich]! < 1) small.push(large.pop()!);
  }
  return { count, threshold, alias };
}

/** `column`, `share`: two random words of 32 bits. */
export function drawZipf(zipf: Zipf, column: number, share: number): number {
  const i = Math.floor(((column >>> 0) * zipf.count) / WORD);
  return share >>> 0 < zipf.threshold[i]! ? i : zipf.alias[i]!;
}

function shuffle(values: Float64Array, random: () => number): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    const kept = values[i]!;
    values[i] = values[j]!;
    values[j] = kept;
  }
}
