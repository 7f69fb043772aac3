/** Seeded chance for the load generator and the simulated players: the same seed gives the same run. */

import { WORD } from '../../../native-free-core/base/words.ts';

/** Numbers in [0, 1) with 32 bits: sfc32 by Chris Doty-Humphrey (PractRand), warmed up. */
export function seeded(seed: number): () => number {
  let a = seed | 0;
  let b = Math.floor(seed / WORD) | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / WORD;
  };
  for (let i = 0; i < 16; i++) next();
  return next;
}

/** A whole number in [0, below). */
export function below(random: () => number, limit: number): number {
  return Math.floor(random() * limit);
}

export function pick<T>(random: () => number, list: readonly T[]): T {
  return list[below(random, list.length)]!;
}
