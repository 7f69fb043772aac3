/**
 * Batches whose epochs the spool has lost before ClickHouse had confirmed them: what ClickHouse holds of them all the same,
 * and what it holds in sum. Called by src/recovery/accept-loss.ts at start, before the tables are looked at. Main thread.
 */

import type { Log } from '../../system/log.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { EVENTS_TABLE, eventsSource, positionCondition, type EventsSource } from '../../contract/events-source.ts';
import { reaches, written, type Position } from '../../contract/event-log.ts';
import { quoteText } from '../../contract/sql-text.ts';
import type { Batch } from './batch.ts';
import type { BatchLog } from './batch-log.ts';
import { claimTables } from './claim-tables.ts';
import { Connection } from './connection.ts';

/** Of all batches that ClickHouse has, in events unless named otherwise. */
export interface StoredSums {
  readonly rows: number;
  readonly frames: number;
  readonly received: number;
  readonly duplicates: number;
  readonly deadLettered: number;
  /** ms UTC */
  readonly receivedAt: number;
}

const NO_SUMS: StoredSums = { rows: 0, frames: 0, received: 0, duplicates: 0, deadLettered: 0, receivedAt: 0 };

/**
 * Confirms the open batches that reach beyond `wholeEpoch` and are in ClickHouse, whose insert had come through and whose
 * answer had not; returns the sums of all that is stored then.
 */
export async function settleOpenBatches(
  clickhouse: ClickHouse,
  batchLog: BatchLog,
  wholeEpoch: Position,
  log: Log,
): Promise<StoredSums> {
  const connection = new Connection({ clickhouse, log });
  try {
    const [tables] = await connection.rows<{ count: string }>(
      `SELECT count() AS count FROM system.tables WHERE database = ${quoteText(clickhouse.database)} AND name IN (${[EVENTS_TABLE, 'dead_letters', 'batches'].map(quoteText).join(', ')})`,
    );
    if (Number(tables!.count) < 3) return NO_SUMS;
    await claimTables(connection, batchLog, log);
    for (const batch of batchLog.openBatches()) {
      const counts = await countRows(connection, batch);
      if (counts.events + counts.deadLetters === 0) break;
      if (reaches(wholeEpoch, batch.lastEpoch)) continue;
      await record(connection, batch, counts);
      batchLog.confirm(batch.id);
      log('warn', 'a batch whose epochs the spool has lost is in ClickHouse', { batch: batch.id, ...counts });
    }
    return await sums(connection, batchLog.logNumber);
  } finally {
    await connection.close();
  }
}

interface Counts {
  readonly events: number;
  readonly deadLetters: number;
}

async function countRows(connection: Connection, { log, id }: Batch): Promise<Counts> {
  const count = async ({ from, where }: EventsSource): Promise<number> => {
    const [line] = await connection.rows<{ count: string }>(`SELECT count() AS count FROM ${from} WHERE ${where}`);
    return Number(line!.count);
  };
  const batch = { log, batch: id };
  return {
    events: await count(eventsSource(batch, connection.database)),
    deadLetters: await count({ from: connection.table('dead_letters'), where: positionCondition(batch) }),
  };
}

/**
 * Its line in `batches`, where that was still to come: how many frames and duplicates there were is lost with the epochs.
 */
async function record(connection: Connection, batch: Batch, { events, deadLetters }: Counts): Promise<void> {
  const batches = connection.table('batches');
  const time = `fromUnixTimestamp64Milli(toInt64(${Math.floor(batch.sealedAt)}), 'UTC')`;
  await connection.execute(
    `INSERT INTO ${batches} (log, batch, first_epoch, last_epoch, day, first_received_at, last_received_at, rows, dead_letters, frames, received, duplicates, sealed_at)
     SELECT ${batch.log}, ${batch.id}, ${written(batch.firstEpoch)}, ${written(batch.lastEpoch)}, toDate(${batch.day}), ${time}, ${time}, ${events}, ${deadLetters}, 0, ${events + deadLetters}, 0, ${time}
     WHERE NOT EXISTS (SELECT 1 FROM ${batches} WHERE log = ${batch.log} AND batch = ${batch.id})`,
  );
}

async function sums(connection: Connection, logNumber: number): Promise<StoredSums> {
  const [line] = await connection.rows<{ sums: readonly string[] }>(
    `SELECT [toInt64(sum(rows)), toInt64(sum(frames)), toInt64(sum(received)), toInt64(sum(duplicates)),
       toInt64(max(toUnixTimestamp64Milli(last_received_at)))] AS sums
     FROM ${connection.table('batches')} FINAL WHERE log = ${logNumber}`,
  );
  const [rows, frames, received, duplicates, receivedAt] = line!.sums.map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { rows, frames, received, duplicates, deadLettered: Math.max(0, received - duplicates - rows), receivedAt };
}
