/**
 * Long histories are read slice by slice of their epochs, so that ClickHouse sorts some million rows at a time. A state's
 * rows are in the order of their epochs, so rows that are sorted within slices, and slices one after another, are in the
 * order of each state. A slice that breaks off is read again: whatever is applied from stored rows skips what it already
 * has. Called by backfills and by the parts of a rebuild.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { OperatingError } from '../../errors.ts';
import type { PositionRange } from '../../contract/events-source.ts';
import { BEFORE_FIRST, positionOf, written, type Position } from '../../contract/event-log.ts';
import { quoteName } from '../../contract/sql-text.ts';
import { askLines, readRows, type RowsAddress, type RowsRequest } from './stored-rows.ts';

/** Epochs after one, up to and with another. */
export interface Slice extends PositionRange {
  readonly afterEpoch: Position;
  readonly throughEpoch: Position;
}

/** Threads of ClickHouse for a rebuild: nothing is decided meanwhile. */
export const REBUILD_THREADS = 2;
const SLICE_ROWS = 8_000_000;
const ATTEMPTS_MAX = 5;
const PAUSE_MS = 1000;

export async function sliceEpochs(address: RowsAddress, log: number, throughEpoch: Position): Promise<Slice[]> {
  const batches = await askLines(
    { address },
    `SELECT last_epoch, rows FROM ${quoteName(address.database)}.batches FINAL WHERE log = ${log} AND last_epoch < ${written(throughEpoch)} ORDER BY batch`,
  );
  const slices: Slice[] = [];
  let afterEpoch = BEFORE_FIRST;
  let rows = 0;
  for (const [epoch, more] of batches) {
    rows += Number(more);
    if (rows < SLICE_ROWS) continue;
    const lastEpoch = positionOf(Number(epoch));
    slices.push({ log, afterEpoch, throughEpoch: lastEpoch });
    afterEpoch = lastEpoch;
    rows = 0;
  }
  return [...slices, { log, afterEpoch, throughEpoch }];
}

export async function readSlices({
  slices,
  ...request
}: Omit<RowsRequest, 'range'> & { slices: readonly Slice[] }): Promise<void> {
  for (const range of slices) await untilRead(() => readRows({ ...request, range }), request.signal);
}

async function untilRead(read: () => Promise<void>, signal?: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      const isFinal = attempt >= ATTEMPTS_MAX || signal?.aborted === true;
      if (isFinal || !(error instanceof OperatingError) || !error.retryable) throw error;
      await pause(PAUSE_MS * attempt);
    }
  }
}
