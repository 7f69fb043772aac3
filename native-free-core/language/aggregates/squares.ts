/**
 * Exact sums of squares for stddev_pop: an input has 53 bits, its square 106, a window's sum more. Six limbs of 18 bits in
 * f64 cells, the last one open, so that every product and every carry is an exact double. Called by the emitted kernels.
 */
// hot path: no allocation

import { WORD } from '../../base/words.ts';

const LIMB = 262144;
export const LIMBS = 6;
/** Limbs of n * Q and of S * S. */
const WIDE = 12;
const wide = new Float64Array(WIDE);
const squares = new Float64Array(WIDE);
const sum = new Float64Array(WIDE);

/** Adds x * x, |x| < 2^53, to the limbs from `at` on. */
export function addSquare(f: Float64Array, at: number, x: number): void {
  const positive = x < 0 ? -x : x;
  const a = Math.floor(positive / 68719476736);
  const rest = positive - a * 68719476736;
  const b = Math.floor(rest / LIMB);
  const c = rest - b * LIMB;
  f[at] += c * c;
  f[at + 1] += 2 * b * c;
  f[at + 2] += b * b + 2 * a * c;
  f[at + 3] += 2 * a * b;
  f[at + 4] += a * a;
  carry(f, at, LIMBS);
}

/** Adds (sign 1) or takes off (sign -1) the limbs at `from`. */
export function addSquares(f: Float64Array, to: number, from: number, sign: number): void {
  for (let i = 0; i < LIMBS; i++) f[to + i] += sign * f[from + i];
  carry(f, to, LIMBS);
}

/** Brings all limbs but the last into 0 ... 2^18 - 1. */
function carry(f: Float64Array, at: number, count: number): void {
  for (let i = at; i < at + count - 1; i++) {
    const over = Math.floor(f[i] / LIMB);
    f[i] -= over * LIMB;
    f[i + 1] += over;
  }
}

/** n * Q - S * S, never negative, as the nearest double: Q the limbs at `at`, S = high * 2^32 + low. */
export function spread(f: Float64Array, at: number, n: number, high: number, low: number): number {
  const negative = high < 0;
  const up = negative ? (low > 0 ? -high - 1 : -high) : high;
  const down = negative && low > 0 ? WORD - low : low;
  limbsOfSum(up, down);
  limbsOfSquares(f, at);
  const n1 = Math.floor(n / LIMB);
  const n0 = n - n1 * LIMB;
  for (let k = 0; k < WIDE; k++) {
    let value = n0 * squares[k] + (k > 0 ? n1 * squares[k - 1] : 0);
    for (let i = k < 5 ? 0 : k - 4; i <= k && i < 5; i++) value -= sum[i] * sum[k - i];
    wide[k] = value;
  }
  carry(wide, 0, WIDE);
  return nearest();
}

function limbsOfSum(high: number, low: number): void {
  const rest = Math.floor(low / LIMB);
  sum[0] = low - rest * LIMB;
  const sixteenth = Math.floor(high / 16);
  sum[1] = rest + (high - sixteenth * 16) * 16384;
  sum[2] = sixteenth;
  sum[3] = 0;
  sum[4] = 0;
  carry(sum, 2, 3);
}

function limbsOfSquares(f: Float64Array, at: number): void {
  for (let i = 0; i < LIMBS; i++) squares[i] = f[at + i];
  for (let i = LIMBS; i < WIDE; i++) squares[i] = 0;
  carry(squares, LIMBS - 1, WIDE - LIMBS + 1);
}

/** `wide` rounded once: its upper limbs exactly, and a half for whatever lies below them. */
function nearest(): number {
  let top = WIDE - 1;
  while (top > 2 && wide[top] === 0) top--;
  if (top <= 2) return wide[2] * 68719476736 + (wide[1] * LIMB + wide[0]);
  let below = 0;
  for (let i = 0; i < top - 3; i++) if (wide[i] !== 0) below = 0.5;
  const upper = (wide[top] * LIMB + wide[top - 1]) * 68719476736;
  let value = upper + (wide[top - 2] * LIMB + wide[top - 3] + below);
  for (let i = 3; i < top; i++) value *= LIMB;
  return value;
}
