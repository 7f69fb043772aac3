/**
 * What a load run proves at its end, from the tables alone: every answered event is there, and once, under the id that was
 * sent. And the probe that asks SQL during the run how far it can see. No counter of the engine takes part.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { columnAt, type FieldPlan, type Plan } from '../../../native-free-core/plan/plan.ts';
import { queryRows, type QueryTarget } from '../../client/index.ts';
import { eventsSource, type PositionRange } from '../../contract/events-source.ts';
import { createIdCondition } from './frames/id-slots.ts';
import { columnsOf } from './frames/key-fields.ts';
import type { LoadStream } from './load-stream.ts';

/** The tables' columns that the proof goes by, quoted. */
export interface RunColumns {
  /** null: the pipeline has no event id. */
  readonly id: string | null;
  readonly producer: string;
  readonly seq: string;
  readonly index: string;
  /** Of the primary entity's key. */
  readonly key: readonly string[];
}

export interface Run {
  /** Characters that begin every id of the run; producers are `load-<tag>-<connection>`. */
  readonly tag: string;
  readonly eventsPerFrame: number;
  readonly connections: number;
  /** The field of the event id; null: the pipeline has none. */
  readonly idField: FieldPlan | null;
  readonly columns: RunColumns;
  readonly target: QueryTarget;
}

/**
 * Each look costs ClickHouse some milliseconds on the same cores: often enough for quantiles, seldom enough not to be the
 * load.
 */
export const PROBE_MS = 250;
/** Once nothing is sent any more, the end is to be seen exactly. */
const EVENTS = eventsSource('all').from;
const PROBE_LAST_MS = 20;
const QUERY_MS = 300_000;
const PROBE_QUERY_MS = 10_000;
/** A server that was killed is back within 20 s, a loaded machine given. */
const AWAY_MS = 60_000;
/** What a spool of some seconds holds is inserted faster than it came. */
const LATE_MS = 30_000;
const AGAIN_MS = 250;
/** Distinct ids are counted in as many passes as keep each below about so many. */
const IDS_PER_PASS = 8_000_000;
/** Frames are counted in ranges of so many. */
const FRAMES_PER_PASS = 4_000_000;
const EXAMPLES_MAX = 10;

export function producerName(tag: string, connection: string): string {
  return `load-${tag}-${connection}`;
}

export function runColumns(plan: Plan): RunColumns {
  const name = (index: number): string => `\`${columnAt(plan, index).name}\``;
  const { eventId, producer, frameSeq, frameIndex } = plan.system;
  const primary = plan.entities.find((entity) => entity.primary)!;
  return {
    id: eventId < 0 ? null : name(eventId),
    producer: name(producer),
    seq: name(frameSeq),
    index: name(frameIndex),
    key: [...new Set(primary.key.flatMap((part) => columnsOf(plan, part)))].map(name),
  };
}

export class VisibilityProbe {
  /** When the newest event so far became visible, ms on the performance clock. */
  lastVisibleAt = 0;
  /** Looks that ClickHouse did not answer. */
  failures = 0;
  readonly #run: Run;
  readonly #streams: readonly LoadStream[];
  readonly #visible: (ms: number) => void;
  readonly #seen = new Map<string, number>();
  readonly #running: Promise<void>;
  readonly #begin: PositionRange;
  #lastBatch = 0;
  #pauseMs = PROBE_MS;
  #stopping = false;

  /** `begin`: the rows that have come since the run began. `visible`: told for each frame how long it took. */
  constructor(run: Run, begin: PositionRange, streams: readonly LoadStream[], visible: (ms: number) => void) {
    this.#run = run;
    this.#streams = streams;
    this.#visible = visible;
    this.#begin = begin;
    this.#lastBatch = begin.afterBatch ?? 0;
    this.#running = this.#look();
  }

  /** Whether every frame of the streams has been seen. */
  get complete(): boolean {
    return this.#streams.every((stream) => (this.#seen.get(stream.producer) ?? 0) >= stream.lowest - 1);
  }

  /** Waits until all answered frames are visible, for a bounded time. */
  async settle(timeoutMs: number, given: () => boolean): Promise<void> {
    this.#pauseMs = PROBE_LAST_MS;
    const until = performance.now() + timeoutMs;
    while (!this.complete && performance.now() < until && !given()) await pause(PROBE_LAST_MS);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #look(): Promise<void> {
    const { target, columns } = this.#run;
    while (!this.#stopping) {
      const { from, where } = eventsSource({ ...this.#begin, afterBatch: this.#lastBatch });
      const sql = `SELECT toString(${columns.producer}) AS producer, max(${columns.seq}) AS seq, max(_batch) AS batch FROM ${from}
        WHERE ${where} AND ${mine(this.#run)} GROUP BY producer SETTINGS max_threads = 1`;
      try {
        const rows = await queryRows<{ producer: string; seq: number; batch: number }>(target, sql, PROBE_QUERY_MS);
        this.#see(rows, performance.now());
      } catch {
        // It may be restarting: that is part of what is measured.
        this.failures++;
      }
      await pause(this.#pauseMs);
    }
  }

  #see(rows: readonly { producer: string; seq: number; batch: number }[], now: number): void {
    for (const { producer, seq, batch } of rows) {
      this.#lastBatch = Math.max(this.#lastBatch, batch);
      if (seq <= (this.#seen.get(producer) ?? 0)) continue;
      this.#seen.set(producer, seq);
      this.lastVisibleAt = now;
      const stream = this.#streams.find((one) => one.producer === producer);
      stream?.sentTimes.takeThrough(seq, (sentAt) => this.#visible(Math.max(1, Math.round(now - sentAt))));
    }
  }
}

/** The newest batch, so that the probe need not read what was there before. */
/** The rows of batches later than those that are there. */
export async function newRows(run: Run): Promise<PositionRange> {
  const sql = 'SELECT log, batch FROM watermark';
  const [newest] = await patientRows<{ log: number; batch: number }>(run.target, sql);
  return { log: newest!.log, afterBatch: newest!.batch };
}

export interface Proof {
  /** Rows of this run. */
  readonly stored: number;
  /** Distinct ids among them. */
  readonly distinct: number;
  /** Answered events that are not there; frames that were never answered may be there or not. */
  readonly lost: number;
  /** Rows whose id is not the one that was sent at their place. */
  readonly strangers: number;
  /** Different keys of the primary entity. */
  readonly keysSeen: number;
  /**
   * Examples of answered frames whose number of stored events is not the number sent, frames that are not stored at all
   * included.
   */
  readonly oddFrames: readonly object[];
}

/**
 * Counts until nothing is missing any more, for a bounded time: after a restart the last batches may still be on their way.
 */
export async function prove(run: Run, streams: readonly LoadStream[], lateMs = LATE_MS): Promise<Proof> {
  const until = performance.now() + lateMs;
  for (;;) {
    const counted = await count(run, streams);
    // More ids than rows: rows came between two of the questions.
    const torn = counted.distinct > counted.stored;
    if ((counted.lost === 0 && !torn) || performance.now() > until) {
      return { ...counted, oddFrames: await oddFrames(run, streams) };
    }
    await pause(AGAIN_MS);
  }
}

async function count(run: Run, streams: readonly LoadStream[]): Promise<Omit<Proof, 'oddFrames'>> {
  const { target, columns } = run;
  const { producer, seq, index } = columns;
  const ask = async <Row>(sql: string): Promise<Row> => (await patientRows<Row>(target, sql))[0]!;
  const { stored, keys } = await ask<{ stored: number; keys: number }>(
    `SELECT count() AS stored, uniqExact(${columns.key.join(', ')}) AS keys FROM ${EVENTS} WHERE ${mine(run)}`,
  );
  // Without an id, an event is known by its place alone.
  const id = columns.id ?? `(${producer}, ${seq}, ${index})`;
  const strange = idCondition(run, streams);
  const passes = Math.max(1, Math.ceil(stored / IDS_PER_PASS));
  let distinct = 0;
  let strangers = 0;
  for (let pass = 0; pass < passes; pass++) {
    const row = await ask<{ ids: number; strangers: number }>(
      `SELECT uniqExact(${id}) AS ids, countIf(NOT (${strange})) AS strangers FROM ${EVENTS} WHERE ${mine(run)} AND cityHash64(${id}) % ${passes} = ${pass}`,
    );
    distinct += row.ids;
    strangers += row.strangers;
  }
  let unansweredStored = 0;
  for (const stream of streams) {
    const open = stream.unansweredSeqs();
    if (open.length === 0) continue;
    unansweredStored += (
      await ask<{ ids: number }>(
        `SELECT uniqExact(${id}) AS ids FROM ${EVENTS} WHERE ${producer} = '${stream.producer}' AND ${seq} IN (${open.join(',')})`,
      )
    ).ids;
  }
  const lost = Math.max(0, answeredEvents(run, streams) - (distinct - unansweredStored));
  return { stored, distinct, lost, strangers, keysSeen: keys };
}

function mine({ tag, columns }: Run): string {
  return `startsWith(${columns.producer}, 'load-${tag}-')`;
}

/** Holds where a row's id is what was sent at its place. */
function idCondition(
  { tag, eventsPerFrame, connections, columns, idField }: Run,
  streams: readonly LoadStream[],
): string {
  if (columns.id === null || idField === null) return 'true';
  const text = `splitByChar('-', toString(${columns.producer}))[3]`;
  const names = streams.map(({ producer }) => producer.split('-')[2]!);
  const numbers = names.map((name) => Number.parseInt(name, 36));
  return createIdCondition(idField, columns.id, {
    run: tag,
    seq: columns.seq,
    index: columns.index,
    connectionText: text,
    connection: `transform(${text}, ['${names.join(`','`)}'], [${numbers.join(',')}], 0)`,
    connections,
    eventsPerFrame,
  });
}

/** Events whose frame was answered OK or DUPLICATE, less those that were refused alone. */
export function answeredEvents(
  { eventsPerFrame }: Pick<Run, 'eventsPerFrame'>,
  streams: readonly LoadStream[],
): number {
  return streams.reduce((total, { answered, rejectedEvents }) => total + answered * eventsPerFrame - rejectedEvents, 0);
}

/**
 * The statements are right: what they fail of is a server that is away, or its ClickHouse. It is asked again, for a bounded
 * time.
 */
async function patientRows<Row>(target: QueryTarget, sql: string): Promise<Row[]> {
  const until = performance.now() + AWAY_MS;
  for (;;) {
    try {
      return await queryRows<Row>(target, sql, QUERY_MS);
    } catch (error) {
      if (performance.now() > until) throw error;
      await pause(AGAIN_MS);
    }
  }
}

async function oddFrames({ target, columns, eventsPerFrame }: Run, streams: readonly LoadStream[]): Promise<object[]> {
  const { producer, seq, index } = columns;
  const odd: object[] = [];
  for (const stream of streams) {
    for (let from = 1; from < stream.nextSeq && odd.length < EXAMPLES_MAX; from += FRAMES_PER_PASS) {
      const to = Math.min(stream.nextSeq, from + FRAMES_PER_PASS);
      const there = `SELECT ${seq} AS seq, count() AS events, uniqExact(${index}) AS distinct FROM ${EVENTS} WHERE ${producer} = '${stream.producer}' AND ${seq} >= ${from} AND ${seq} < ${to} GROUP BY seq`;
      const open = [0, ...stream.unansweredSeqs()].join(',');
      const rows = await patientRows<{ seq: number; events: number; distinct: number }>(
        target,
        `SELECT numbers.seq AS seq, there.events AS events, there.distinct AS distinct FROM (SELECT number AS seq FROM numbers(${from}, ${to - from})) AS numbers
         LEFT JOIN (${there}) AS there ON numbers.seq = there.seq
         WHERE (events != ${eventsPerFrame} OR distinct != ${eventsPerFrame}) AND seq NOT IN (${open}) ORDER BY seq LIMIT ${EXAMPLES_MAX}`,
      );
      odd.push(...rows.map((row) => ({ producer: stream.producer, ...row })));
    }
  }
  return odd.slice(0, EXAMPLES_MAX);
}
