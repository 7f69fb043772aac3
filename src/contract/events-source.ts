/**
 * Where stored events are read from: the one place that knows the table's name. A reader says which rows it wants and gets the text that
 * stands behind FROM and the condition that belongs to it; whatever holds the rows (one table today) is decided here.
 */

import { quoteName } from './sql-text.ts';

/** The table that takes inserts, for those who write, change or measure it. */
export const EVENTS_TABLE = 'events';

/** Bounds of rows by where they stand in the log. Absent: no bound. */
export interface PositionRange {
  /** Rows of this batch alone. */
  readonly batch?: number;
  /** Rows of later batches than this one. */
  readonly afterBatch?: number;
  /** Rows of later epochs than this one. */
  readonly afterEpoch?: number;
  /** Rows of epochs up to this one. */
  readonly throughEpoch?: number;
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
export function positionCondition({ batch, afterBatch, afterEpoch, throughEpoch }: PositionRange): string {
  const bounds = [
    ...(batch === undefined ? [] : [`_batch = ${batch}`]),
    ...(afterBatch === undefined ? [] : [`_batch > ${afterBatch}`]),
    ...(afterEpoch === undefined ? [] : [`_epoch > ${afterEpoch}`]),
    ...(throughEpoch === undefined ? [] : [`_epoch <= ${throughEpoch}`]),
  ];
  return bounds.length === 0 ? 'true' : bounds.join(' AND ');
}
