/** When a batch is large or old enough to be sealed: the defaults, and what was asked for. For warehouse.ts. */

import type { BatchBounds } from './epoch-follower.ts';

const BATCH_AGE_MS = 500;
/** With the insert a row is visible after about a second. */
const BATCH_AGE_MS_MAX = 1000;
/** 50,000 rows a second: above it a batch's fixed cost is little beside its rows'. */
const BATCH_ROWS_ENOUGH = 25_000;
const BATCH_ROWS_MAX = 350_000;
/** Spool bytes of one batch: bounds what one insert costs in memory on the other side. */
const BATCH_BYTES_MAX = 512 << 20;

export interface WantedBounds {
  /** One age for all batches. */
  readonly batchAgeMs?: number;
  readonly batchRowsMax?: number;
  readonly batchBytesMax?: number;
}

export function batchBounds({ batchAgeMs, batchRowsMax, batchBytesMax }: WantedBounds): BatchBounds {
  return {
    rowsMax: batchRowsMax ?? BATCH_ROWS_MAX,
    bytesMax: batchBytesMax ?? BATCH_BYTES_MAX,
    ageMs: batchAgeMs ?? BATCH_AGE_MS,
    ageMsMax: batchAgeMs ?? BATCH_AGE_MS_MAX,
    rowsEnough: BATCH_ROWS_ENOUGH,
  };
}
