/**
 * What the tables say at start: how much of what was accepted is stored, and whether they belong to this data folder at all.
 * Main thread, called by warehouse.ts.
 */

import { OperatingError } from '../../errors.ts';
import type { Log } from '../../system/log.ts';
import type { Batch, BatchLog } from './batch.ts';
import type { Connection } from './connection.ts';
import { REFUSED_FROM } from './presence.ts';

/** Everything up to and with this epoch is in ClickHouse. */
export interface StoredTotals {
  readonly epoch: number;
  readonly batch: number;
  /** Accepted events: rows of `events`, and those that ClickHouse refused, which are in `dead_letters`. */
  readonly events: number;
  /** Refused by the engine: all other rows of `dead_letters`. */
  readonly deadLetters: number;
  /**
   * The watermark, ms UTC: all that was received before it can be seen by SQL. The arrival of the newest epoch in ClickHouse, so it stands
   * still while nothing comes in; the next epoch may have the same one.
   */
  readonly receivedAt: number;
}

interface Sums {
  readonly last_batch: string;
  readonly events: string;
  readonly letters: string;
  readonly watermark: string;
}

/** By the account in `batches`, less those that are still open; what the tables really hold is for `hunt audit`. */
export async function readStored(connection: Connection, open: readonly Batch[]): Promise<Omit<StoredTotals, 'epoch'>> {
  const closed = open.length === 0 ? '' : `WHERE batch < ${open[0]!.id}`;
  const [sums] = await connection.rows<Sums>(
    `SELECT max(batch) AS last_batch, sum(rows) AS events, sum(dead_letters) AS letters,
      max(toUnixTimestamp64Milli(last_received_at)) AS watermark
     FROM ${connection.table('batches')} FINAL ${closed}`,
  );
  const batch = Number(sums!.last_batch);
  const [aside] = await connection.rows<{ rows: string }>(
    `SELECT count() AS rows FROM ${connection.table('dead_letters')} WHERE _row >= ${REFUSED_FROM} AND _batch <= ${batch}`,
  );
  const refused = Number(aside!.rows);
  return {
    batch,
    events: Number(sums!.events) + refused,
    deadLetters: Number(sums!.letters) - refused,
    receivedAt: Number(sums!.watermark),
  };
}

/**
 * Batch numbers begin anew in a new data folder. On tables that another folder filled they would meet its rows and tokens, and
 * new batches would pass for old ones.
 */
export async function checkOrigin(connection: Connection, batchLog: BatchLog, log: Log): Promise<void> {
  const [last] = await connection.rows<{ last_batch: string; last: string }>(
    `SELECT max(batch) AS last_batch, max(last_epoch) AS last FROM ${connection.table('batches')}`,
  );
  const { last_batch: batch, last: epoch } = last!;
  if (Number(epoch) < batchLog.confirmedEpoch) {
    const message =
      'ClickHouse lacks batches that it had confirmed: its data was lost, or this is another ClickHouse; hunt audit names the gap';
    log('error', message, {
      database: connection.database,
      confirmedEpoch: batchLog.confirmedEpoch,
      foundEpoch: Number(epoch),
    });
  }
  if (Number(batch) < batchLog.nextBatchId && Number(epoch) <= batchLog.sealedEpoch) return;
  throw new OperatingError(
    'tables_of_another_folder',
    `the tables hold batches that this data folder has not sent: database=${connection.database} batch=${batch} epoch=${epoch} ` +
      `folder_batch=${batchLog.nextBatchId - 1} folder_epoch=${batchLog.sealedEpoch}; start with the data folder that filled them, or with another database`,
  );
}
