/**
 * What ClickHouse has of a batch: the proof that it is in, asked for after any doubt. Rows that ClickHouse refused stand in
 * `dead_letters`, with `_row` + REFUSED_FROM, so that each is known by its row for ever. Main thread.
 */

import {
  EVENTS_TABLE,
  eventsSource,
  positionCondition,
  type EventsSource,
  type PositionRange,
} from '../../contract/events-source.ts';
import type { Batch } from './batch.ts';
import type { BatchTable } from './batch-table.ts';
import type { Connection } from './connection.ts';

/** `_row` of a refused event's dead letter is its row among the events plus this; no batch has so many rows. */
export const REFUSED_FROM = 2 ** 31;
export const REFUSED_CODE = 'clickhouse_refused';

export interface Presence {
  readonly rows: number;
  readonly distinct: number;
  /** Largest `_row`, -1 where there is none. */
  readonly last: number;
  /** Of a set of rows this is always the same, and of another set another. */
  readonly mark: string;
  /** Dead letters of refused rows (events only). */
  readonly refused: number;
  readonly refusedDistinct: number;
  /** Rows that are in both tables. */
  readonly both: number;
}

export const NOTHING: Presence = { rows: 0, distinct: 0, last: -1, mark: '0', refused: 0, refusedDistinct: 0, both: 0 };

export function isWhole(found: Presence, expected: number): boolean {
  return (
    found.rows === found.distinct &&
    found.refused === found.refusedDistinct &&
    found.both === 0 &&
    found.distinct + found.refused === expected &&
    found.last < expected
  );
}

interface Counted {
  readonly rows: number;
  readonly distinct: number;
  readonly last: number;
  readonly mark: string;
}

export async function lookFor(connection: Connection, table: BatchTable, { log, id }: Batch): Promise<Presence> {
  const range = { log, batch: id };
  const letters = { from: connection.table('dead_letters'), where: positionCondition(range) };
  if (table.name !== EVENTS_TABLE)
    return { ...NOTHING, ...(await count(connection, letters, `_row < ${REFUSED_FROM}`)) };
  const found = await count(connection, eventsSource(range, connection.database), 'true');
  const refused = await count(connection, letters, `_row >= ${REFUSED_FROM}`);
  return {
    ...found,
    mark: `${found.mark}-${refused.mark}`,
    refused: refused.rows,
    refusedDistinct: refused.distinct,
    both: refused.rows === 0 ? 0 : await countBoth(connection, range),
  };
}

async function count(connection: Connection, { from, where }: EventsSource, condition: string): Promise<Counted> {
  const [found] = await connection.rows<Record<'rows' | 'distinct' | 'last' | 'mark', string>>(
    `SELECT count() AS rows, uniqExact(_row) AS distinct, if(rows = 0, -1, toInt64(max(_row))) AS last,
      toString(groupBitXor(sipHash64(_row))) AS mark
     FROM ${from} WHERE ${where} AND ${condition}`,
  );
  const { rows, distinct, last, mark } = found!;
  return { rows: Number(rows), distinct: Number(distinct), last: Number(last), mark: `${distinct}-${mark}` };
}

/** Rows that went in after all, when whatever had refused them was gone. */
export function bothCondition(connection: Connection, range: PositionRange): string {
  const { from, where } = eventsSource(range, connection.database);
  return `${positionCondition(range)} AND _row >= ${REFUSED_FROM}
    AND _row - ${REFUSED_FROM} IN (SELECT _row FROM ${from} WHERE ${where})`;
}

async function countBoth(connection: Connection, range: PositionRange): Promise<number> {
  const where = bothCondition(connection, range);
  const [found] = await connection.rows<{ rows: string }>(
    `SELECT count() AS rows FROM ${connection.table('dead_letters')} WHERE ${where}`,
  );
  return Number(found!.rows);
}
