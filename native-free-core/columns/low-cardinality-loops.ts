/**
 * Loops over the values of a LowCardinality column: each becomes its index in the Native block's dictionary. They stop at a
 * value that has none yet, for the caller to enter it and go on. Called by native-low-cardinality.ts for each column of a
 * sealed block.
 *
 * `near`: index plus 1 by value, 0 where there is none. One loop a width of values and of indexes: where one loop sees
 * several kinds of arrays, each access asks first which one it is.
 */
// hot path: no allocation

export type Indexes = Uint8Array | Uint16Array | Uint32Array;

/** Returns at which of the values [begin, count) it stopped; `count`: all are done. The first one stands at `from`. */
export function indexShorts(
  out: Uint8Array,
  to: number,
  values: Uint16Array,
  from: number,
  begin: number,
  count: number,
  near: Uint32Array,
): number {
  const reach = near.length;
  for (let i = begin; i < count; i++) {
    const value = values[from + i];
    const index = value < reach ? near[value] : 0;
    if (index === 0) return i;
    out[to + i] = index - 1;
  }
  return count;
}

export function indexWords(
  out: Uint8Array,
  to: number,
  values: Uint32Array,
  from: number,
  begin: number,
  count: number,
  near: Uint32Array,
): number {
  const reach = near.length;
  for (let i = begin; i < count; i++) {
    const value = values[from + i];
    const index = value < reach ? near[value] : 0;
    if (index === 0) return i;
    out[to + i] = index - 1;
  }
  return count;
}

/** The same for dictionaries of more than 256 keys, and for any width of values. */
export function indexWide(
  out: Indexes,
  to: number,
  values: Uint16Array | Uint32Array,
  from: number,
  begin: number,
  count: number,
  near: Uint32Array,
): number {
  const reach = near.length;
  for (let i = begin; i < count; i++) {
    const value = values[from + i];
    const index = value < reach ? near[value] : 0;
    if (index === 0) return i;
    out[to + i] = index - 1;
  }
  return count;
}

/** The same where some are NULL: `nulls[nullsFrom + i]` is not 0. NULL is index 0. */
export function indexNullable(
  out: Indexes,
  to: number,
  values: Uint16Array | Uint32Array,
  from: number,
  begin: number,
  count: number,
  near: Uint32Array,
  nulls: Uint8Array,
  nullsFrom: number,
): number {
  const reach = near.length;
  for (let i = begin; i < count; i++) {
    if (nulls[nullsFrom + i] !== 0) {
      out[to + i] = 0;
      continue;
    }
    const value = values[from + i];
    const index = value < reach ? near[value] : 0;
    if (index === 0) return i;
    out[to + i] = index - 1;
  }
  return count;
}

/** The `count` packed indexes at `packedAt` go to the rows that `rows` names, counted from `to`. */
export function spreadIndexes(
  out: Indexes,
  to: number,
  packedAt: number,
  rows: Uint16Array,
  from: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) out[to + rows[from + i]] = out[packedAt + i];
}
