/**
 * Finds a stored event by its id. The table has no index that leads to an id: the newest batches are searched first, which
 * are small parts, then some hours, then all there is, reading the id column alone. A day narrows the search to one
 * partition.
 *
 * A bloom filter on the id was measured and left out: among 10 million rows it finds an event in 5 ms instead of 100, and
 * costs
 * 0.18 core-seconds for each million rows inserted, an eighth of all that the whole path costs. Explaining is rare.
 */

import { isText } from '../../native-free-core/language/kinds/index.ts';
import { lookup } from '../../native-free-core/base/lookup.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { OperatingError } from '../errors.ts';
import { eventsSource } from '../contract/events-source.ts';
import { isBefore, written, type Position } from '../contract/event-log.ts';
import { quoteName, quoteText } from '../contract/sql-text.ts';
import { selectTexts, type StoredTexts } from './stored-row.ts';

/** Rows of a SELECT. */
export type Ask = <Row>(sql: string) => Promise<Row[]>;

export interface EventStore {
  readonly ask: Ask;
  readonly database: string;
  /** Number of the log that the stored events come from. */
  readonly logNumber: number;
  /** The last batch that is stored whole. */
  readonly storedBatch: () => number;
  readonly durableEpoch: () => Position;
  readonly storedEpoch: () => Position;
}

export interface FoundEvent {
  readonly log: number;
  readonly batch: string;
  readonly row: number;
  readonly epoch: string;
  readonly pipeline: number;
  readonly found: number;
}

export interface EventReference {
  readonly id: string;
  /** `2024-12-31`: the UTC day of arrival; null: any. */
  readonly day: string | null;
}

/** Batches searched, newest first: the last minutes, some hours, all. */
const SEARCHED_BATCHES = [256, 16_384, Infinity] as const;
/** What was decided a moment ago is on its way to ClickHouse for so long. */
const VISIBLE_MS_MAX = 6000;
const LOOK_MS = 25;
/** Of one query; a search of everything reads the id of every event. */
const SECONDS_MAX = 20;

/** Throws where there is none, saying whether there may still be one. `plan`: the running one. */
export async function findEvent(store: EventStore, plan: Plan, place: EventReference): Promise<FoundEvent> {
  const condition = idCondition(plan, place);
  const durable = store.durableEpoch();
  const newest = await search(store, condition, SEARCHED_BATCHES[0]);
  if (newest !== null) return newest;
  const visible = await whenStored(store, durable);
  for (const batches of SEARCHED_BATCHES) {
    const found = await search(store, condition, batches);
    if (found !== null) return found;
  }
  if (!visible) {
    throw new OperatingError(
      'not_visible_yet',
      `no stored event has this id, and ClickHouse does not have all events yet: event_id=${place.id} stored_epoch=${written(store.storedEpoch())} durable_epoch=${written(durable)}; ask again in a moment`,
      { retryable: true },
    );
  }
  throw new OperatingError(
    'unknown_event',
    `no stored event has this id: event_id=${place.id}${place.day === null ? '' : ` day=${place.day}`}; ` +
      'refused events are in the table dead_letters, and an event that came twice is stored once',
  );
}

export function idCondition(plan: Plan, { id, day }: EventReference): string {
  const column = plan.columns[plan.system.eventId];
  if (column === undefined) {
    throw new OperatingError(
      'no_event_id',
      `the pipeline names no event id, so there is nothing to find an event by: pipeline=${plan.pipeline}; declare events.id`,
    );
  }
  if (!isText(column.kind) && !/^-?\d{1,20}$/.test(id)) {
    throw new OperatingError('bad_event_id', `event ids are integers in this pipeline: event_id=${id}`);
  }
  if (day !== null && !(/^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(Date.parse(day)))) {
    throw new OperatingError('bad_day', `not a day: day=${day}; write it as 2024-12-31`);
  }
  const within =
    day === null
      ? ''
      : ` AND toYYYYMMDD(${quoteName(plan.columns[plan.system.receivedAt]!.name)}, 'UTC') = ${day.replaceAll('-', '')}`;
  return `${quoteName(column.name)} = ${isText(column.kind) ? quoteText(id) : id}${within}`;
}

async function search(
  { ask, database, logNumber, storedBatch }: EventStore,
  condition: string,
  count: number,
): Promise<FoundEvent | null> {
  const { from, where } = eventsSource({ log: logNumber, afterBatch: Math.max(0, storedBatch() - count) }, database);
  const [found] = await ask<FoundEvent>(
    `SELECT _log AS log, toString(_batch) AS batch, _row AS row, toString(_epoch) AS epoch, _pipeline AS pipeline, toUInt32(count() OVER ()) AS found
     FROM ${from} PREWHERE ${condition} AND ${where}
     ORDER BY _batch DESC, _row DESC LIMIT 1 SETTINGS max_execution_time = ${SECONDS_MAX}`,
  );
  return found ?? null;
}

/** The whole row, by the plan that decided it. */
export async function readTexts(
  { ask, database }: EventStore,
  plan: Plan,
  { log, batch, row }: FoundEvent,
): Promise<StoredTexts> {
  const { from, where } = eventsSource({ log, batch: Number(batch) }, database);
  const rows = await ask<Record<string, StoredTexts[number]>>(
    `SELECT ${selectTexts(plan)} FROM ${from} PREWHERE ${where} AND _row = ${row} LIMIT 1`,
  );
  if (rows[0] === undefined)
    throw new OperatingError('unknown_event', `the row is gone: log=${log} batch=${batch} row=${row}; ask again`);
  return plan.columns.map((_, i) => lookup(rows[0], `_${i}`) ?? null);
}

/** False where it took too long. */
async function whenStored({ storedEpoch }: EventStore, epoch: Position): Promise<boolean> {
  const until = performance.now() + VISIBLE_MS_MAX;
  while (isBefore(storedEpoch(), epoch)) {
    if (performance.now() > until) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}
