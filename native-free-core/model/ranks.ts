/**
 * Turns inputs into ranks (tree-layout.ts), a chunk of rows at a time: called by what compile-model.ts makes, for each input
 * that trees ask, on a worker's thread.
 */
// hot path: no allocation

import type { ThresholdGrid } from './threshold-grid.ts';
import { ZERO_MAX } from './tree-flags.ts';

/** Ranks of missing values: every node's place lies above, or below. */
const BELOW_ALL = -1;
const ABOVE_ALL = 1 << 24;
const CATEGORY_MAX = 1 << 24;

/** `from`: of the first row's value; `left`, `right`: slots, -1 for none; `slots` a row in `ranks`. */
export function rankSingles(
  inputs: Float64Array,
  from: number,
  features: number,
  rows: number,
  grid: ThresholdGrid,
  left: number,
  right: number,
  ranks: Int32Array,
  slots: number,
): void {
  const { thresholds, low, scale, lastCell, begins } = grid;
  for (let r = 0, at = from, to = 0; r < rows; r++, at += features, to += slots) {
    const value = Math.fround(inputs[at]);
    if (value !== value) {
      if (left >= 0) ranks[to + left] = BELOW_ALL;
      if (right >= 0) ranks[to + right] = ABOVE_ALL;
      continue;
    }
    const place = (value - low) * scale;
    const cell = place > 0 ? (place < lastCell ? place | 0 : lastCell) : 0;
    let rank = begins[cell];
    for (let high = begins[cell + 1]; rank < high;) {
      const middle = (rank + high) >>> 1;
      if (thresholds[middle] <= value) rank = middle + 1;
      else high = middle;
    }
    if (left >= 0) ranks[to + left] = rank;
    if (right >= 0) ranks[to + right] = rank;
  }
}

/** The same in double precision, for LightGBM: what is as good as 0 is 0, which may count as missing, or missing as 0. */
export function rankDoubles(
  inputs: Float64Array,
  from: number,
  features: number,
  rows: number,
  grid: ThresholdGrid,
  missingIsZero: boolean,
  zeroIsMissing: boolean,
  left: number,
  right: number,
  ranks: Int32Array,
  slots: number,
): void {
  const { thresholds, low, scale, lastCell, begins } = grid;
  for (let r = 0, at = from, to = 0; r < rows; r++, at += features, to += slots) {
    let value = inputs[at];
    if (Math.abs(value) <= ZERO_MAX || (missingIsZero && value !== value)) value = 0;
    if (value !== value || (zeroIsMissing && value === 0)) {
      if (left >= 0) ranks[to + left] = BELOW_ALL;
      if (right >= 0) ranks[to + right] = ABOVE_ALL;
      continue;
    }
    const place = (value - low) * scale;
    const cell = place > 0 ? (place < lastCell ? place | 0 : lastCell) : 0;
    let rank = begins[cell];
    for (let high = begins[cell + 1]; rank < high;) {
      const middle = (rank + high) >>> 1;
      if (thresholds[middle] < value) rank = middle + 1;
      else high = middle;
    }
    if (left >= 0) ranks[to + left] = rank;
    if (right >= 0) ranks[to + right] = rank;
  }
}

/** XGBoost: in the set goes right; what is no category goes left; missing as the default says. */
export function rankSingleCategories(
  inputs: Float64Array,
  from: number,
  features: number,
  rows: number,
  set: Int32Array,
  absent: number,
  slot: number,
  ranks: Int32Array,
  slots: number,
): void {
  for (let r = 0, at = from, to = slot; r < rows; r++, at += features, to += slots) {
    const value = Math.fround(inputs[at]);
    if (value !== value) ranks[to] = absent;
    else ranks[to] = value >= 0 && value < CATEGORY_MAX ? bitOf(set, value | 0) : 0;
  }
}

/** LightGBM: in the set goes left; everything else, missing values included, goes right. */
export function rankDoubleCategories(
  inputs: Float64Array,
  from: number,
  features: number,
  rows: number,
  set: Int32Array,
  slot: number,
  ranks: Int32Array,
  slots: number,
): void {
  for (let r = 0, at = from, to = slot; r < rows; r++, at += features, to += slots) {
    const value = inputs[at];
    ranks[to] = value > -1 && value < 2147483648 ? 1 - bitOf(set, value | 0) : 1;
  }
}

function bitOf(set: Int32Array, category: number): number {
  const word = category >> 5;
  return word < set.length ? (set[word] >> (category & 31)) & 1 : 0;
}
