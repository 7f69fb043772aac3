/**
 * The rows of each branch of the type oneof, in row order: a counting sort over the type column's codes. Sealing, loading
 * and encoding make it once for a block; columns that belong to a branch then touch that branch's rows only.
 */
// hot path: no allocation

import { BLOCK_ROWS_MAX } from '../layout/limits.ts';

export interface BranchRows {
  /** Rows of branch b: rows[starts[b] ... starts[b + 1] - 1]. */
  readonly rows: Uint16Array;
  readonly starts: Uint32Array;
  readonly next: Uint32Array;
}

/** `branches`: codes that the type column can have, 0 included. */
export function createBranchRows(branches: number): BranchRows {
  return {
    rows: new Uint16Array(BLOCK_ROWS_MAX),
    starts: new Uint32Array(branches + 1),
    next: new Uint32Array(branches + 1),
  };
}

export function groupByBranch(group: BranchRows, codes: Uint16Array, count: number): void {
  const { rows, starts, next } = group;
  starts.fill(0);
  for (let r = 0; r < count; r++) starts[codes[r] + 1]++;
  for (let b = 1; b < starts.length; b++) starts[b] += starts[b - 1];
  next.set(starts);
  for (let r = 0; r < count; r++) rows[next[codes[r]]++] = r;
}

export function branchCount(group: BranchRows, branch: number): number {
  return group.starts[branch + 1] - group.starts[branch];
}
