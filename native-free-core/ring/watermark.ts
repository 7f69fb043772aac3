/**
 * Watermarks: up to which epoch something holds, a whole number in two Int32 side by side. One thread moves it forward, any
 * thread reads it whole, or the low word alone.
 *   word 0  low   32 bits                                                      written by the one thread
 *   word 1  high  the bits above; while it changes, the one before, inverted   written by the one thread
 *
 * The high word changes once in 2^32 epochs, within two months at a thousand a second. A reader must not pair one high word
 * with the low word of the other: it would be 2^32 epochs off.
 */
// hot path: no allocation

import { WORD } from '../base/words.ts';

export function storeWatermark(words: Int32Array, at: number, epoch: number): void {
  const high = Math.floor(epoch / WORD);
  const before = Atomics.load(words, at + 1);
  if (high !== before) Atomics.store(words, at + 1, ~before);
  Atomics.store(words, at, (epoch % WORD) | 0);
  if (high !== before) Atomics.store(words, at + 1, high);
}

export function loadWatermark(words: Int32Array, at: number): number {
  for (;;) {
    const high = Atomics.load(words, at + 1);
    // It has left this high word for good: the last epoch of it holds.
    if (high < 0) return ~high * WORD + (WORD - 1);
    const low = Atomics.load(words, at) >>> 0;
    if (Atomics.load(words, at + 1) === high) return high * WORD + low;
  }
}
