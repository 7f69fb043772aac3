/**
 * How keys of entities are written by the load generator, by the type of their field: the k-th key as it lies in memory.
 * Called by key-slots.ts once a draw.
 *
 *   integers      the k-th number that takes as few bytes as hold them all        strings, bytes   letter · 7 hex digits of k
 */

import type { FieldPlan } from '../../../../native-free-core/plan/plan.ts';

const TEXT_BYTES = 8;
/** As many as varints of four bytes; seven hex digits hold more. */
export const KEYS_MAX = 2 ** 28 - 2 ** 21;

/**
 * How the keys of one field lie in memory: the first four bytes of the k-th, and the other four of those that have eight.
 */
export interface KeyLayout {
  readonly bytes: 1 | 2 | 3 | 4 | 8;
  readonly first: (k: number) => number;
  readonly second: (k: number) => number;
}

export function keyLayout(field: FieldPlan, keys: number): KeyLayout {
  switch (field.type) {
    case 'string':
    case 'bytes': {
      const letter = field.name.charCodeAt(0);
      const first = (k: number): number => letter | (digits(k >>> 16, 3) << 8);
      return { bytes: TEXT_BYTES, first, second: (k) => digits(k, 4) };
    }
    case 'fixed32':
    case 'sfixed32':
      return { bytes: 4, first: (k) => k + 1, second: () => 0 };
    case 'fixed64':
    case 'sfixed64':
      return { bytes: 8, first: (k) => k + 1, second: () => 0 };
    default:
      return varintLayout(keys);
  }
}

const VARINT_BYTES = [1, 2, 3, 4] as const;

/**
 * Numbers from the first that takes so many bytes, so that all take as many. Zigzag makes them positive and negative in
 * turn.
 */
function varintLayout(keys: number): KeyLayout {
  const bytes = VARINT_BYTES.find((one) => 128 ** one - firstOf(one) >= keys) ?? 4;
  const from = firstOf(bytes);
  // All bytes but the last say that more follow.
  const mask = 2 ** (8 * bytes - 1) - 1;
  return { bytes, first: (k) => continuedBytes(from + k) & mask, second: () => 0 };
}

/** 0 would be absence. */
function firstOf(bytes: number): number {
  return bytes === 1 ? 1 : 128 ** (bytes - 1);
}

/** 28 bits in four bytes, each with the sign that more follow. */
function continuedBytes(value: number): number {
  return (value & 127) | ((value & 0x3f80) << 1) | ((value & 0x1fc000) << 2) | ((value & 0xfe00000) << 3) | 0x80808080;
}

/** The lowest so many hex digits of `k`, as they lie in memory. */
function digits(k: number, count: number): number {
  let word = 0;
  for (let i = 0; i < count; i++) {
    const digit = (k >>> (4 * i)) & 15;
    word = (word << 8) | (digit < 10 ? 48 + digit : 87 + digit);
  }
  return word;
}
