/**
 * The latest inputs of a feature, as a circle: up to `most` of them, the i-th at i mod most. What a quantile or a mode is
 * taken of. Called by the emitted kernels; written and read under the entity's lock by whoever holds it.
 *
 *   f64 0  value   1  hop of the event in a window of a duration, otherwise 0   2  seq
 */
// hot path: no allocation

import { CAP_MAX } from './aggregate-options.ts';

export const KEPT_SLOTS = 3;
/** One more than the largest cap says that there are more. */
const MOST_MAX = CAP_MAX + 1;

const gathered = new Float64Array(MOST_MAX);
const merged = new Float64Array(MOST_MAX * KEPT_SLOTS);
/** Twice as many places as values at least, a power of two: few collide. */
const PLACES = 16384;
const placeValues = new Float64Array(PLACES);
const placeCounts = new Int32Array(PLACES);
const placeOf = new Int32Array(MOST_MAX);
const bits = new Float64Array(1);
const bitWords = new Int32Array(bits.buffer);

/** Takes a value in. Returns how many were ever taken in. */
export function keepValue(
  f: Float64Array,
  at: number,
  added: number,
  most: number,
  value: number,
  hop: number,
  seq: number,
): number {
  const slot = at + (added % most) * KEPT_SLOTS;
  f[slot] = value;
  f[slot + 1] = hop;
  f[slot + 2] = seq;
  return added + 1;
}

/** Two circles become one, which keeps the latest by seq. Returns how many it holds. */
export function mergeKept(
  f: Float64Array,
  to: number,
  toAdded: number,
  from: number,
  fromAdded: number,
  most: number,
): number {
  const toFirst = toAdded > most ? toAdded - most : 0;
  const fromFirst = fromAdded > most ? fromAdded - most : 0;
  const held = toAdded - toFirst + fromAdded - fromFirst;
  const count = held < most ? held : most;
  let a = toAdded - 1;
  let b = fromAdded - 1;
  for (let i = count - 1; i >= 0; i--) {
    const aSlot = to + (a % most) * KEPT_SLOTS;
    const bSlot = from + (b % most) * KEPT_SLOTS;
    const isFromA = b < fromFirst || (a >= toFirst && f[aSlot + 2] > f[bSlot + 2]);
    const slot = isFromA ? aSlot : bSlot;
    if (isFromA) a--;
    else b--;
    merged[i * KEPT_SLOTS] = f[slot];
    merged[i * KEPT_SLOTS + 1] = f[slot + 1];
    merged[i * KEPT_SLOTS + 2] = f[slot + 2];
  }
  for (let i = 0; i < count * KEPT_SLOTS; i++) f[to + i] = merged[i];
  return count;
}

/** Of the latest most - 1, puts those aside whose hop is not before `tail`, the latest first. Returns how many there are. */
export function gatherKept(f: Float64Array, at: number, added: number, most: number, tail: number): number {
  const first = added >= most ? added - most + 1 : 0;
  let count = 0;
  for (let i = added - 1; i >= first; i--) {
    const slot = at + (i % most) * KEPT_SLOTS;
    if (f[slot + 1] >= tail) gathered[count++] = f[slot];
  }
  return count;
}

/** Whether the one before those is in the window, too, so that there are more than are looked at. */
export function leavesOut(f: Float64Array, at: number, added: number, most: number, tail: number): boolean {
  return added >= most && f[at + (added % most) * KEPT_SLOTS + 1] >= tail;
}

/** Of the first `count` that were put aside: the value at 1 + `index` of their order. */
export function gatheredAt(count: number, index: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const pivot = gathered[(low + high) >> 1];
    let i = low;
    let j = high;
    while (i <= j) {
      while (gathered[i] < pivot) i++;
      while (gathered[j] > pivot) j--;
      if (i <= j) {
        const value = gathered[i];
        gathered[i++] = gathered[j];
        gathered[j--] = value;
      }
    }
    if (index <= j) high = j;
    else if (index >= i) low = i;
    else return gathered[index];
  }
  return gathered[index];
}

/** Of the first `count` that were put aside: the most frequent, of several the one that came last. */
export function gatheredMode(count: number): number {
  let best = 0;
  for (let i = 0; i < count; i++) {
    const place = placeFor(gathered[i]);
    placeOf[i] = place;
    if (++placeCounts[place] > best) best = placeCounts[place];
  }
  let i = 0;
  while (placeCounts[placeOf[i]] < best) i++;
  for (let k = 0; k < count; k++) placeCounts[placeOf[k]] = 0;
  return gathered[i];
}

/** The place that counts this value. */
function placeFor(value: number): number {
  bits[0] = value;
  let place = Math.imul(bitWords[0] ^ Math.imul(bitWords[1], 0x9e3779b1), 0x85ebca6b) >>> 18;
  while (placeCounts[place] !== 0 && placeValues[place] !== value) place = (place + 1) & (PLACES - 1);
  placeValues[place] = value;
  return place;
}
