/**
 * The columns by which a row is found again in ClickHouse: `_log`, `_batch`, `_row` (numbered from 0 over the whole batch),
 * `_epoch` and `_pipeline`. No sealed block has them; they are made here from runs of rows. Called by the Native encoders.
 */

import { pushBytes, pushGrowing, type ChunkList } from './chunks.ts';
import { createGrowing, extend, type BufferPool, type Growing } from './growing.ts';
import { columnTitle } from './native-title.ts';
import { WORD } from '../base/words.ts';

export const BATCH_COLUMNS = [
  { name: '_log', type: 'UInt32' },
  { name: '_batch', type: 'UInt64' },
  { name: '_row', type: 'UInt32' },
  { name: '_epoch', type: 'UInt64' },
  { name: '_pipeline', type: 'UInt32' },
] as const;

export interface BatchColumns {
  readonly count: number;
  /** `log`: number of the log whose batch it is. */
  begin(log: number, batch: number): void;
  /** The next `rows` rows are of this epoch and pipeline version. */
  append(epoch: number, pipeline: number, rows: number): void;
  /** Rows of the batch so far. */
  batchRows(): number;
  /** Writes the rows since the last write. */
  write(list: ChunkList): void;
}

interface Run {
  readonly epoch: number;
  readonly pipeline: number;
  readonly rows: number;
}

export function createBatchColumns(pool: BufferPool, utf8: (text: string) => Uint8Array): BatchColumns {
  const titles = BATCH_COLUMNS.map(({ name, type }) => columnTitle(name, type, utf8));
  const data = createGrowing(pool);
  let log = 0;
  let batch = 0;
  let written = 0;
  let gathered = 0;
  let runs: Run[] = [];
  return {
    count: BATCH_COLUMNS.length,
    begin(itsLog, number) {
      log = itsLog;
      batch = number;
      written = 0;
      gathered = 0;
      runs = [];
    },
    append(epoch, pipeline, rows) {
      runs.push({ epoch, pipeline, rows });
      gathered += rows;
    },
    batchRows: () => gathered,
    write(list) {
      pushBytes(list, titles[0]);
      fill32(data, log, gathered - written);
      pushGrowing(list, data);
      pushBytes(list, titles[1]);
      fill64(data, batch, gathered - written);
      pushGrowing(list, data);
      pushBytes(list, titles[2]);
      count32(data, written, gathered);
      pushGrowing(list, data);
      pushBytes(list, titles[3]);
      for (const run of runs) fill64(data, run.epoch, run.rows);
      pushGrowing(list, data);
      pushBytes(list, titles[4]);
      for (const run of runs) fill32(data, run.pipeline, run.rows);
      pushGrowing(list, data);
      written = gathered;
      runs = [];
    },
  };
}

function words(data: Growing, more: number): { target: Uint32Array; from: number } {
  const at = extend(data, more);
  return { target: new Uint32Array(data.bytes.buffer), from: at >> 2 };
}

function fill64(data: Growing, value: number, rows: number): void {
  const { target, from } = words(data, rows * 8);
  const high = Math.floor(value / WORD);
  if (rows === 0) return;
  target[from] = value - high * WORD;
  target[from + 1] = high;
  const end = from + rows * 2;
  for (let done = 2; from + done < end; done *= 2)
    target.copyWithin(from + done, from, Math.min(from + done, end - done));
}

function fill32(data: Growing, value: number, rows: number): void {
  const { target, from } = words(data, rows * 4);
  target.fill(value, from, from + rows);
}

function count32(data: Growing, begin: number, end: number): void {
  const { target, from } = words(data, (end - begin) * 4);
  for (let row = begin; row < end; row++) target[from + row - begin] = row;
}
