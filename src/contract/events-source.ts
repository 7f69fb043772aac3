/**
 * Where stored events are read from: the one place that knows the table's name. A reader says which rows it wants and gets
 * the text that stands behind FROM and the condition that belongs to it; whatever holds the rows (one table today) is
 * decided here.
 */

import { written, type Position } from './event-log.ts';
import { quoteName } from './sql-text.ts';

/** The table that takes inserts, for those who write, change or measure it. */
export const EVENTS_TABLE = 'events';

/**
 * Columns that name a stored row, and order rows of one log. Positions of different logs have no order among them: where
 * rows of several logs are sorted by these, the log comes first and the order of logs means nothing.
 */
export const ROW_POSITION = ['_log', '_batch', '_row'] as const;

/** Bounds of rows by where they stand in one log. Absent: no bound. */
export interface PositionRange {
  /** Number of the log that brought them. */
  readonly log: number;
  /** Rows of this batch alone. */
  readonly batch?: number;
  /** Rows of later batches than this one. */
  readonly afterBatch?: number;
  /** Rows of batches up to this one. */
  readonly throughBatch?: number;
  /** Rows of later epochs than this one. */
  readonly afterEpoch?: Position;
  /** Rows of epochs up to this one. */
  readonly throughEpoch?: Position;
}

export type EventsRange = 'all' | PositionRange;

export interface EventsSource {
  /** Stands behind FROM; an alias may follow. */
  readonly from: string;
  /** A condition over its columns; `true` where all rows are wanted. */
  readonly where: string;
}

/** `database`: the connection's own where absent. */
export function eventsSource(range: EventsRange, database?: string): EventsSource {
  const from = database === undefined ? EVENTS_TABLE : `${quoteName(database)}.${EVENTS_TABLE}`;
  return { from, where: range === 'all' ? 'true' : positionCondition(range) };
}

/** Of `events` and `dead_letters` alike. */
export function positionCondition(range: PositionRange): string {
  const { log, batch, afterBatch, throughBatch, afterEpoch, throughEpoch } = range;
  const bounds = [
    `_log = ${log}`,
    ...(batch === undefined ? [] : [`_batch = ${batch}`]),
    ...(afterBatch === undefined ? [] : [`_batch > ${afterBatch}`]),
    ...(throughBatch === undefined ? [] : [`_batch <= ${throughBatch}`]),
    ...(afterEpoch === undefined ? [] : [`_epoch > ${written(afterEpoch)}`]),
    ...(throughEpoch === undefined ? [] : [`_epoch <= ${written(throughEpoch)}`]),
  ];
  return bounds.join(' AND ');
}
