/**
 * What the tables tell of the ledger and of each producer's frames: for a data folder whose own account is lost. Frames of
 * which nothing was kept (empty ones, and those whose events had all been seen) are in no row and cannot be known again. On
 * the main thread; called by src/recovery/rebuild.ts.
 */

import { SEQ_BITMAP_BITS } from '../../../native-free-core/layout/limits.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { eventsSource, positionCondition } from '../../contract/events-source.ts';
import { positionOf, type Position } from '../../contract/event-log.ts';
import { quoteName } from '../../contract/sql-text.ts';
import { askLines, type RowsAddress } from './stored-rows.ts';

export interface StoredProducer {
  readonly producer: string;
  readonly accepted: number;
  readonly deadLettered: number;
  readonly framesRejected: number;
  /** Frames of which something was kept. */
  readonly framesTaken: number;
  readonly highestSeq: number;
}

export interface StoredAccount {
  readonly batch: number;
  readonly epoch: Position;
  readonly producers: readonly StoredProducer[];
  /** Of all producers: rows do not tell whose they were. */
  readonly duplicates: number;
  /** ms UTC */
  readonly receivedAt: number;
  /** The last numbers of each producer, in ascending order. */
  readonly frames: readonly { readonly producer: string; readonly seq: number; readonly receivedAt: number }[];
}

/** The last batch and epoch that the tables have; 0 and the one before the first where there is none. */
export async function lastStored(
  address: RowsAddress,
  log: number,
): Promise<{ readonly batch: number; readonly epoch: Position }> {
  const [line] = await askLines(
    { address },
    `SELECT max(batch), max(last_epoch) FROM ${quoteName(address.database)}.batches WHERE log = ${log}`,
  );
  return { batch: Number(line![0]), epoch: positionOf(Number(line![1])) };
}

export async function readStoredAccount(address: RowsAddress, log: number, plan: Plan): Promise<StoredAccount> {
  const database = quoteName(address.database);
  const name = (column: number): string => quoteName(plan.columns[column]!.name);
  const { producer, frameSeq, receivedAt } = plan.system;
  const { from, where } = eventsSource({ log }, address.database);
  // Of an event that ClickHouse itself refused the row is a dead letter: it was accepted.
  const frames = `SELECT toString(${name(producer)}) AS producer, ${name(frameSeq)} AS seq, ${name(receivedAt)} AS received, 1 AS accepted, 0 AS dead, 0 AS rejected FROM ${from} WHERE ${where}
    UNION ALL SELECT producer, frame_seq, received_at, code = 'clickhouse_refused', code != 'clickhouse_refused' AND kind = 'event', kind = 'frame' FROM ${database}.dead_letters WHERE ${positionCondition({ log })}`;
  const producers = await askLines(
    { address },
    `SELECT producer, sum(accepted), sum(dead), sum(rejected), uniqExactIf(seq, seq > 0 AND rejected = 0), maxIf(seq, rejected = 0) FROM (${frames}) GROUP BY producer ORDER BY producer`,
  );
  const seqs = await askLines(
    { address },
    `SELECT producer, seq, toUnixTimestamp64Milli(max(received)) FROM (${frames}) WHERE producer != '' AND seq > 0 AND rejected = 0
      GROUP BY producer, seq ORDER BY producer, seq DESC LIMIT ${SEQ_BITMAP_BITS} BY producer`,
  );
  const [sums] = await askLines(
    { address },
    `SELECT sum(duplicates), max(toUnixTimestamp64Milli(last_received_at)) FROM ${database}.batches FINAL WHERE log = ${log}`,
  );
  return {
    ...(await lastStored(address, log)),
    producers: producers.map(([text, accepted, dead, rejected, taken, highest]) => ({
      producer: text!,
      accepted: Number(accepted),
      deadLettered: Number(dead),
      framesRejected: Number(rejected),
      framesTaken: text === '' ? 0 : Number(taken),
      highestSeq: text === '' ? 0 : Number(highest),
    })),
    duplicates: Number(sums![0]),
    receivedAt: Number(sums![1]),
    frames: seqs
      .map(([text, seq, received]) => ({ producer: text!, seq: Number(seq), receivedAt: Number(received) }))
      .reverse(),
  };
}
