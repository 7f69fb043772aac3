/**
 * A key in a table: the 128-bit hash of what it stands for, in four words side by side. All zero: no key.
 *
 *   word 0-3 the hash, base/hash.ts
 */
// hot path: no allocation

import { slotHash } from '../base/hash.ts';

export const KEY_WORDS = 4;

export function storeKey(words: Int32Array, at: number, k0: number, k1: number, k2: number, k3: number): void {
  words[at] = k0;
  words[at + 1] = k1;
  words[at + 2] = k2;
  words[at + 3] = k3;
}

export function isKeyAt(words: Int32Array, at: number, k0: number, k1: number, k2: number, k3: number): boolean {
  return words[at] === k0 && words[at + 1] === k1 && words[at + 2] === k2 && words[at + 3] === k3;
}

export function isNoKey(words: Int32Array, at: number): boolean {
  return (words[at] | words[at + 1] | words[at + 2] | words[at + 3]) === 0;
}

export function hashOfKey(words: Int32Array, at: number): number {
  return slotHash(words[at], words[at + 1], words[at + 2], words[at + 3]);
}

export interface Key {
  k0: number;
  k1: number;
  k2: number;
  k3: number;
}

export function createKey(): Key {
  return { k0: 0, k1: 0, k2: 0, k3: 0 };
}

export function loadKey(words: Int32Array, at: number, to: Key): void {
  to.k0 = words[at];
  to.k1 = words[at + 1];
  to.k2 = words[at + 2];
  to.k3 = words[at + 3];
}
