/**
 * The values of a count_distinct: up to cap + 1 of them, each with the hop that saw it last; those with the latest hops
 * stay. That decides min(d, cap) exactly: what left had an earlier hop than all that stayed, so it falls out before any of
 * them. Called by the emitted kernels.
 *
 *   value   word 0-1  64 bits of the value     f64 1  hop
 */
// hot path: no allocation

export const DISTINCT_SLOTS = 2;

/** Forgets the values whose hop lies before `tail`; `used` of them lie from `at` on. Returns how many are left. */
export function dropDistinct(f: Float64Array, at: number, used: number, tail: number): number {
  let kept = used;
  for (let i = 0; i < kept;) {
    const slot = at + i * DISTINCT_SLOTS;
    if (f[slot + 1] >= tail) i++;
    else {
      kept--;
      f.copyWithin(slot, at + kept * DISTINCT_SLOTS, at + kept * DISTINCT_SLOTS + DISTINCT_SLOTS);
    }
  }
  return kept;
}

/** Takes in a value; at most `most` stay. Returns how many there are. */
export function addDistinct(
  f: Float64Array,
  w: Int32Array,
  at: number,
  used: number,
  most: number,
  low: number,
  high: number,
  hop: number,
): number {
  let oldest = -1;
  let oldestHop = Infinity;
  for (let i = 0; i < used; i++) {
    const slot = at + i * DISTINCT_SLOTS;
    if (w[2 * slot] === low && w[2 * slot + 1] === high) {
      if (hop > f[slot + 1]) f[slot + 1] = hop;
      return used;
    }
    if (f[slot + 1] < oldestHop) {
      oldestHop = f[slot + 1];
      oldest = slot;
    }
  }
  let slot = at + used * DISTINCT_SLOTS;
  if (used === most) {
    if (oldestHop >= hop) return used;
    slot = oldest;
  }
  w[2 * slot] = low;
  w[2 * slot + 1] = high;
  f[slot + 1] = hop;
  return used < most ? used + 1 : used;
}

/** Takes in the values of another session. Returns how many there are. */
export function mergeDistinct(
  f: Float64Array,
  w: Int32Array,
  at: number,
  used: number,
  most: number,
  from: number,
  fromUsed: number,
): number {
  let count = used;
  for (let i = 0; i < fromUsed; i++) {
    const slot = from + i * DISTINCT_SLOTS;
    count = addDistinct(f, w, at, count, most, w[2 * slot], w[2 * slot + 1], f[slot + 1]);
  }
  return count;
}
