/**
 * Brings the shared tables and the ledger to where they were: a snapshot's chunks, then every durable epoch behind it.
 * Main thread, before any other thread runs.
 */

import { eachFrame, readBlockHeader } from '../../native-free-core/columns/load.ts';
import { createReplayer, replayEpoch } from '../../native-free-core/decide/replay.ts';
import type { Tables } from '../../native-free-core/decide/tables.ts';
import type { Plan } from '../../native-free-core/layout/plan.ts';
import { OperatingError } from '../errors.ts';
import type { Ledger } from '../ops/ledger.ts';
import { restoreChunk, type TableChunk } from './snapshot-tables.ts';

export const LEDGER_CHUNK = 'ledger';

export interface EpochBlocks {
  readonly epoch: number;
  readonly blocks: readonly Uint8Array[];
}

export interface RecoveredTables {
  readonly chunks: number;
  readonly epochs: number;
  readonly rows: number;
  /** Of those epochs. */
  readonly bytes: number;
}

/** `epochs`: from the one after the snapshot's `fromEpoch`, or from what the ledger of the snapshot lacks, whichever is earlier. */
export function recoverTables(
  plan: Plan,
  tables: Tables,
  ledger: Ledger,
  chunks: Iterable<TableChunk>,
  epochsFrom: (ledgerEpoch: number) => Iterable<EpochBlocks>,
): RecoveredTables {
  let restored = 0;
  for (const chunk of chunks) {
    restored++;
    if (chunk.name === LEDGER_CHUNK) ledger.restore(chunk.bytes);
    else restoreChunk(plan, tables, chunk);
  }
  const replayer = createReplayer(plan, tables);
  let epochs = 0;
  let rows = 0;
  let bytes = 0;
  for (const { epoch, blocks } of epochsFrom(ledger.epoch)) {
    epochs++;
    for (const block of blocks) {
      const header = readBlockHeader(block);
      checkVersion(plan, header.pipelineNumber, epoch);
      rows += header.rows;
      bytes += block.length;
    }
    replayEpoch(replayer, blocks, epoch);
    if (epoch > ledger.epoch) enterLedger(ledger, epoch, blocks);
  }
  return { chunks: restored, epochs, rows, bytes };
}

/** Adds a durable epoch's frames to the ledger; epochs come in order. */
export function enterLedger(ledger: Ledger, epoch: number, blocks: readonly Uint8Array[]): void {
  for (const block of blocks) {
    eachFrame(block, (frame) => ledger.add(frame));
    ledger.receivedAt = Math.max(ledger.receivedAt, readBlockHeader(block).receivedAt);
  }
  ledger.epoch = epoch;
}

function checkVersion(plan: Plan, stored: number, epoch: number): void {
  if (stored === plan.versionNumber) return;
  throw new OperatingError(
    'pipeline_changed',
    `the data folder holds epochs of another pipeline: epoch=${epoch} stored_version=${stored} this_version=${plan.versionNumber}; ` +
      'start with the pipeline file that wrote it, or choose another --data',
  );
}
