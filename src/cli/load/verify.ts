/**
 * What a load run proves at its end, from the tables alone: every answered event is there, and once, under the id that was sent.
 * And the probe that asks SQL during the run how far it can see. No counter of the engine takes part.
 */

import type { Histogram } from 'hdr-histogram-js';
import { setTimeout as pause } from 'node:timers/promises';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { queryRows, type QueryTarget } from '../../client/index.ts';
import { eventsSource } from '../../contract/events-source.ts';
import { OperatingError } from '../../errors.ts';
import { EVENTS_PER_SEQ } from './patch-frame.ts';
import type { LoadStream } from './stream.ts';

/** The tables' columns that the proof goes by. */
export interface RunColumns {
  readonly id: string;
  readonly producer: string;
  readonly seq: string;
  readonly index: string;
  readonly player: string;
}

export interface Run {
  /** Characters that begin every id of the run; producers are `load-<tag>-<connection>`. */
  readonly tag: string;
  readonly eventsPerFrame: number;
  readonly columns: RunColumns;
  readonly target: QueryTarget;
}

/** Each look costs ClickHouse some milliseconds on the same cores: often enough for quantiles, seldom enough not to be the load. */
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
const ID_DIGITS = 10;

export function producerName(tag: string, connection: string): string {
  return `load-${tag}-${connection}`;
}

export function runColumns(plan: Plan): RunColumns {
  const name = (index: number): string => {
    const column = plan.columns[index];
    if (column === undefined)
      throw new OperatingError(
        'other_game',
        `the load is the example game's, and the server runs another pipeline: pipeline=${plan.pipeline}; start hunt serve without a pipeline file`,
      );
    return `\`${column.name}\``;
  };
  if (plan.message.name.replace(/^\./, '') !== 'game.v1.GameEvent') name(-1);
  const { eventId, producer, frameSeq, frameIndex } = plan.system;
  const player = plan.message.fields.find((field) => field.name === 'player_id')?.column ?? -1;
  return {
    id: name(eventId),
    producer: name(producer),
    seq: name(frameSeq),
    index: name(frameIndex),
    player: name(player),
  };
}

export class VisibilityProbe {
  /** When the newest event so far became visible, ms on the performance clock. */
  lastVisibleAt = 0;
  /** Looks that ClickHouse did not answer. */
  failures = 0;
  readonly #run: Run;
  readonly #streams: readonly LoadStream[];
  readonly #visible: Histogram;
  readonly #seen = new Map<string, number>();
  readonly #running: Promise<void>;
  #lastBatch: number;
  #pauseMs = PROBE_MS;
  #stopping = false;

  /** `afterBatch`: the newest batch when the run began. */
  constructor(run: Run, afterBatch: number, streams: readonly LoadStream[], visible: Histogram) {
    this.#run = run;
    this.#streams = streams;
    this.#visible = visible;
    this.#lastBatch = afterBatch;
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
    const { target, tag, columns } = this.#run;
    while (!this.#stopping) {
      const { from, where } = eventsSource({ afterBatch: this.#lastBatch });
      const sql = `SELECT toString(${columns.producer}) AS producer, max(${columns.seq}) AS seq, max(_batch) AS batch FROM ${from}
        WHERE ${where} AND startsWith(${columns.producer}, 'load-${tag}-') GROUP BY producer SETTINGS max_threads = 1`;
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
      stream?.sentTimes.takeThrough(seq, (sentAt) => this.#visible.recordValue(Math.max(1, Math.round(now - sentAt))));
    }
  }
}

/** The newest batch, so that the probe need not read what was there before. */
export async function newestBatch(run: Run): Promise<number> {
  const rows = await patientRows<{ batch: number }>(run.target, 'SELECT max(batch) AS batch FROM batches');
  return rows[0]?.batch ?? 0;
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
  readonly playersSeen: number;
  /** Answered frames that are there with another number of events than were sent, and numbers of those that are not there, as examples. */
  readonly oddFrames: readonly object[];
}

/** Counts until nothing is missing any more, for a bounded time: after a restart the last batches may still be on their way. */
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
  const { target, tag, columns } = run;
  const { id, producer, seq, index, player } = columns;
  const ask = async <Row>(sql: string): Promise<Row> => (await patientRows<Row>(target, sql))[0]!;
  const mine = `startsWith(${producer}, 'load-${tag}-')`;
  const { stored, players } = await ask<{ stored: number; players: number }>(
    `SELECT count() AS stored, uniqExact(${player}) AS players FROM ${EVENTS} WHERE ${mine}`,
  );
  const number = `leftPad(lower(hex(${seq} * ${EVENTS_PER_SEQ} + ${index})), ${ID_DIGITS}, '0')`;
  const expected = `concat('${tag}', splitByChar('-', toString(${producer}))[3], ${number})`;
  const passes = Math.max(1, Math.ceil(stored / IDS_PER_PASS));
  let distinct = 0;
  let strangers = 0;
  for (let pass = 0; pass < passes; pass++) {
    const row = await ask<{ ids: number; strangers: number }>(
      `SELECT uniqExact(${id}) AS ids, countIf(${id} != ${expected}) AS strangers FROM ${EVENTS} WHERE ${mine} AND cityHash64(${id}) % ${passes} = ${pass}`,
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
  return { stored, distinct, lost, strangers, playersSeen: players };
}

/** Events whose frame was answered OK or DUPLICATE, less those that were refused alone. */
export function answeredEvents(
  { eventsPerFrame }: Pick<Run, 'eventsPerFrame'>,
  streams: readonly LoadStream[],
): number {
  return streams.reduce((total, { answered, rejectedEvents }) => total + answered * eventsPerFrame - rejectedEvents, 0);
}

/** The statements are right: what they fail of is a server that is away, or its ClickHouse. It is asked again, for a bounded time. */
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
