/**
 * The two tables that a batch goes into, alike for all that follows: which columns, and how the batch's epochs become
 * blocks in ClickHouse's Native format, the same bytes each time. Main thread.
 */

import { createDeadLetterEncoder, DEAD_LETTER_COLUMNS } from '../../../native-free-core/columns/native-dead-letters.ts';
import { BATCH_COLUMNS } from '../../../native-free-core/columns/native-batch-columns.ts';
import type { NativeBlock } from '../../../native-free-core/columns/chunks.ts';
import type { NativeTexts } from '../../../native-free-core/columns/native-column.ts';
import {
  createNativeEncoder,
  type NativeEncoder,
  type NativeOptions,
} from '../../../native-free-core/columns/native-encoder.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { EVENTS_TABLE } from '../../contract/events-source.ts';
import { written } from '../../contract/event-log.ts';
import { quoteName } from '../../contract/sql-text.ts';
import type { Batch } from './batch.ts';
import type { BatchEpochs } from './batch-epochs.ts';

export interface TableColumn {
  readonly name: string;
  readonly type: string;
}

export interface BatchTable {
  readonly name: typeof EVENTS_TABLE | 'dead_letters';
  /** Of the events; null for dead letters, which every version writes alike. */
  readonly plan: Plan | null;
  readonly columns: readonly TableColumn[];
  /** Quoted, separated by commas. */
  readonly columnList: string;
  /**
   * One after another; the epochs are read and encoded as the blocks are taken. Released blocks lend their memory to later
   * ones. `justRead`: this process has written, or read and checked, the batch's epochs a moment ago.
   */
  blocks(batch: Batch, justRead: boolean): Iterable<NativeBlock>;
}

export function eventsBatchTable(plan: Plan, texts: NativeTexts, epochs: BatchEpochs): BatchTable {
  const columns = plan.columns.map(({ name, clickhouseType }) => ({ name, type: clickhouseType }));
  return batchTable(EVENTS_TABLE, plan, columns, (options) => createNativeEncoder(plan, texts, options), epochs);
}

export function deadLettersBatchTable(texts: NativeTexts, epochs: BatchEpochs): BatchTable {
  return batchTable(
    'dead_letters',
    null,
    DEAD_LETTER_COLUMNS,
    (options) => createDeadLetterEncoder(texts, options),
    epochs,
  );
}

function batchTable(
  name: BatchTable['name'],
  plan: Plan | null,
  own: readonly TableColumn[],
  createEncoder: (options: NativeOptions) => NativeEncoder,
  epochs: BatchEpochs,
): BatchTable {
  const columns = [...BATCH_COLUMNS, ...own];
  const ready: NativeBlock[] = [];
  // Kept from batch to batch for its buffers, which have grown to what a batch needs.
  let spare: NativeEncoder | null = null;
  return {
    name,
    plan,
    columns,
    columnList: columns.map((column) => quoteName(column.name)).join(', '),
    *blocks(batch, justRead) {
      const encoder = spare ?? createEncoder({ sink: (block) => void ready.push(block) });
      // One that is left in the middle of a batch is of no more use, nor is its memory: a socket may still have some of it.
      spare = null;
      ready.length = 0;
      encoder.begin(batch.log, batch.id);
      for (const { epoch, blocks } of epochs.of(batch, justRead)) {
        for (const block of blocks) encoder.appendBlock(block, written(epoch));
        while (ready.length > 0) yield ready.shift()!;
      }
      encoder.finish();
      while (ready.length > 0) yield ready.shift()!;
      spare = encoder;
    },
  };
}
