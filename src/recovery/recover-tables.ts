/**
 * Brings the shared tables and the ledger to where they were: a snapshot's chunks, then every durable epoch behind it.
 * Main thread, before any other thread runs.
 */

import {
  eachDeadLetter,
  eachFrame,
  eachName,
  readBlockHeader,
  unknownFieldsOf,
} from '../../native-free-core/columns/load-block.ts';
import { createReplayer, replayEpoch } from '../../native-free-core/decide/replay.ts';
import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { copyEntry } from '../../native-free-core/state/dictionary.ts';
import type { Ledger } from '../audit/ledger.ts';
import { createChunkRestorer, type TableChunk } from '../memory/snapshot-tables.ts';
import { isBefore, written, type LogEntry, type Position } from '../contract/event-log.ts';

export const LEDGER_CHUNK = 'ledger';

export interface ReplayedEpochs {
  readonly epochs: number;
  readonly rows: number;
  /** Of those epochs. */
  readonly bytes: number;
}

/** Whose layout the tables have while epochs are applied. */
export interface RecoveringVersion {
  readonly plan: Plan;
  readonly tables: Tables;
}

/**
 * Puts a snapshot's chunks into empty tables; returns how many there were. The ledger comes last: a damaged file leaves it
 * as it was.
 */
export function restoreTables(
  { plan, tables }: RecoveringVersion,
  ledger: Ledger,
  chunks: Iterable<TableChunk>,
): number {
  const restore = createChunkRestorer(plan, tables);
  let restored = 0;
  let saved: Uint8Array | null = null;
  for (const chunk of chunks) {
    restored++;
    if (chunk.name === LEDGER_CHUNK) saved = chunk.bytes.slice();
    else restore(chunk);
  }
  const textOf = (id: number): string => new TextDecoder().decode(copyEntry(tables.dictionary, id));
  if (saved !== null) ledger.restore(saved, textOf);
  return restored;
}

/** `change`: the epochs from `epoch` on were decided by another version; resolves to the tables as that version begins. */
export async function replayEpochs(
  first: RecoveringVersion,
  ledger: Ledger,
  durable: Iterable<LogEntry>,
  change: (from: RecoveringVersion, pipelineNumber: number, epoch: Position) => Promise<RecoveringVersion>,
): Promise<ReplayedEpochs & RecoveringVersion> {
  let version = first;
  let replayer = createReplayer(version.plan, version.tables);
  let epochs = 0;
  let rows = 0;
  let bytes = 0;
  for (const { epoch, blocks } of durable) {
    const { pipelineNumber } = readBlockHeader(blocks[0]!);
    if (pipelineNumber !== version.plan.versionNumber) {
      version = await change(version, pipelineNumber, epoch);
      replayer = createReplayer(version.plan, version.tables);
    }
    epochs++;
    for (const block of blocks) {
      rows += readBlockHeader(block).rows;
      bytes += block.length;
    }
    replayEpoch(replayer, blocks, written(epoch));
    const { dictionary } = version.tables;
    if (isBefore(ledger.epoch, epoch)) enterLedger(ledger, epoch, blocks, (id) => copyEntry(dictionary, id));
  }
  return { ...version, epochs, rows, bytes };
}

/** Adds a durable epoch's frames to the ledger; epochs come in order. `textOf`: of a dictionary id. */
export function enterLedger(
  ledger: Ledger,
  epoch: Position,
  blocks: readonly Uint8Array[],
  textOf: (id: number) => Uint8Array,
): void {
  for (const block of blocks) {
    const { receivedAt, deadLetters } = readBlockHeader(block);
    const unknownFields = unknownFieldsOf(block);
    const names = new Map([[0, '']]);
    // Names come from strings of clients, and are UTF-8.
    eachName(block, textOf, (producer, { buffer, byteOffset, length }) =>
      names.set(producer, Buffer.from(buffer, byteOffset, length).toString()),
    );
    eachFrame(block, (frame) => ledger.add(names.get(frame.producer)!, frame, receivedAt));
    if (deadLetters > 0) eachDeadLetter(block, ({ producer }) => ledger.addLetters(names.get(producer)!, 1));
    ledger.receivedAt = Math.max(ledger.receivedAt, receivedAt);
    ledger.unknownFields += unknownFields;
  }
  ledger.epoch = epoch;
}
