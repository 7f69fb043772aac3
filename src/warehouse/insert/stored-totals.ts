/**
 * What the tables say at start: how much of what was accepted is stored. Main thread, called by warehouse.ts.
 */

import { positionCondition } from '../../contract/events-source.ts';
import type { Position } from '../../contract/event-log.ts';
import type { Batch } from './batch.ts';
import type { Connection } from './connection.ts';
import { REFUSED_FROM } from './presence.ts';

/** Everything up to and with this epoch is in ClickHouse. */
export interface StoredTotals {
  readonly epoch: Position;
  readonly batch: number;
  /** Accepted events: rows of `events`, and those that ClickHouse refused, which are in `dead_letters`. */
  readonly events: number;
  /** Refused by the engine: all other rows of `dead_letters`. */
  readonly deadLetters: number;
  /**
   * The watermark, ms UTC: all that was received before it can be seen by SQL. The arrival of the newest epoch in
   * ClickHouse, so it stands still while nothing comes in; the next epoch may have the same one.
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
export async function readStored(
  connection: Connection,
  log: number,
  open: readonly Batch[],
): Promise<Omit<StoredTotals, 'epoch'>> {
  const closed = open.length === 0 ? '' : `AND batch < ${open[0]!.id}`;
  const [sums] = await connection.rows<Sums>(
    `SELECT max(batch) AS last_batch, sum(rows) AS events, sum(dead_letters) AS letters,
      max(toUnixTimestamp64Milli(last_received_at)) AS watermark
     FROM ${connection.table('batches')} FINAL WHERE log = ${log} ${closed}`,
  );
  const batch = Number(sums!.last_batch);
  const [aside] = await connection.rows<{ rows: string }>(
    `SELECT count() AS rows FROM ${connection.table('dead_letters')} WHERE ${positionCondition({ log, throughBatch: batch })} AND _row >= ${REFUSED_FROM}`,
  );
  const refused = Number(aside!.rows);
  return {
    batch,
    events: Number(sums!.events) + refused,
    deadLetters: Number(sums!.letters) - refused,
    receivedAt: Number(sums!.watermark),
  };
}
