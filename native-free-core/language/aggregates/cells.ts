/**
 * Cells as emitted code names them. `base` is the f64 index of a set's begin, `<base>w` its Int32 index; f and w are the row
 * table's views.
 */

import { lookup } from '../../base/lookup.ts';

/** Where the cells of one feature lie within a row, a bucket or a session's slot. */
export interface Cells {
  /** f64 offsets by name, in f64 slots from the row's or the bucket's begin. */
  readonly floats: Readonly<Record<string, number>>;
  /** Offset of the Int32 cell `n` in Int32 words from the row's or the bucket's begin, or -1. */
  readonly count: number;
}

/** The same as pieces of code. */
export interface CellSet {
  readonly count: string;
  readonly float: (name: string) => string;
  /** The f64 index of a cell, for functions that go on from there. */
  readonly at: (name: string) => string;
}

export function cellSet(base: string, cells: Cells): CellSet {
  return {
    count: `w[${base}w + ${cells.count}]`,
    float: (name) => `f[${base} + ${lookup(cells.floats, name)}]`,
    at: (name) => `${base} + ${lookup(cells.floats, name)}`,
  };
}

/** Nothing in the set. Cells that are only read when the count is above 0 keep stale values; `cleared` names the others. */
export function emitClear(base: string, cells: Cells, cleared: readonly string[]): string {
  const floats = cleared.map((name) => `f[${base} + ${lookup(cells.floats, name)}] = 0;`);
  return `${cells.count < 0 ? '' : `w[${base}w + ${cells.count}] = 0;`} ${floats.join(' ')}`;
}
