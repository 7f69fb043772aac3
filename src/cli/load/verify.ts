/**
 * What a load run proves at its end, from the tables: every answered event is there, and once. Also the probe that asks SQL
 * during the run how far it can see.
 */

import type { Histogram } from 'hdr-histogram-js';
import { setTimeout as pause } from 'node:timers/promises';
import { askClickHouse } from './server-figures.ts';
import type { LoadStream } from './stream.ts';

/** Each look costs ClickHouse some milliseconds on the same cores: often enough for quantiles, seldom enough not to be the load. */
const PROBE_MS = 250;
const DRAIN_MS = 120_000;
/** Distinct ids are counted in as many passes as keep each below about so many. */
const IDS_PER_PASS = 8_000_000;

export interface Probe {
  /** When the last event so far became visible, ms on the performance clock. */
  readonly lastVisibleAt: () => number;
  stop(): Promise<void>;
}

export function startProbe(
  clickhouse: string,
  database: string,
  run: string,
  streams: readonly LoadStream[],
  visible: Histogram,
): Probe {
  const seen = new Map(streams.map((stream) => [stream.producer, 0]));
  let lastBatch = 0;
  let lastVisibleAt = 0;
  let stopping = false;
  const look = async (): Promise<void> => {
    const rows = await askClickHouse<{ producer: string; seq: number; batch: number }>(
      clickhouse,
      `SELECT toString(_producer) AS producer, max(_frame_seq) AS seq, max(_batch) AS batch FROM ${database}.events
       WHERE _batch > ${lastBatch} AND startsWith(toString(_producer), '${run}') GROUP BY producer SETTINGS max_threads = 1`,
    );
    const now = performance.now();
    for (const { producer, seq, batch } of rows) {
      const stream = streams.find((one) => one.producer === producer);
      if (stream === undefined) continue;
      for (let s = (seen.get(producer) ?? 0) + 1; s <= seq; s++)
        visible.recordValue(Math.max(1, Math.round(now - stream.sentAt(s))));
      if (seq > (seen.get(producer) ?? 0)) lastVisibleAt = now;
      seen.set(producer, Math.max(seen.get(producer) ?? 0, seq));
      lastBatch = Math.max(lastBatch, batch);
    }
  };
  const done = (async () => {
    while (!stopping) {
      await look().catch(() => undefined);
      await pause(PROBE_MS);
    }
  })();
  return {
    lastVisibleAt: () => lastVisibleAt,
    async stop() {
      stopping = true;
      await done;
    },
  };
}

export interface Proof {
  readonly stored: number;
  readonly distinct: number;
  /** Frames that are there with another number of events than were sent, at most ten. */
  readonly oddFrames: readonly object[];
  readonly drainedAt: number;
}

/** Waits until all answered events are visible, then counts them. */
export async function prove(
  clickhouse: string,
  database: string,
  run: string,
  answered: number,
  eventsPerFrame: number,
): Promise<Proof> {
  const mine = `startsWith(toString(_producer), '${run}')`;
  const until = performance.now() + DRAIN_MS;
  let stored = 0;
  let drainedAt = performance.now();
  for (;;) {
    const rows = await askClickHouse<{ stored: number }>(
      clickhouse,
      `SELECT count() AS stored FROM ${database}.events WHERE ${mine}`,
    ).catch(() => []);
    if ((rows[0]?.stored ?? 0) > stored) drainedAt = performance.now();
    stored = rows[0]?.stored ?? stored;
    if (stored >= answered || performance.now() > until) break;
    await pause(50);
  }
  const passes = Math.max(1, Math.ceil(stored / IDS_PER_PASS));
  let distinct = 0;
  for (let pass = 0; pass < passes; pass++) {
    const rows = await askClickHouse<{ ids: number }>(
      clickhouse,
      `SELECT uniqExact(event_id) AS ids FROM ${database}.events WHERE ${mine} AND cityHash64(event_id) % ${passes} = ${pass} SETTINGS max_execution_time = 300`,
    );
    distinct += rows[0]!.ids;
  }
  const oddFrames = await askClickHouse<object>(
    clickhouse,
    `SELECT toString(_producer) AS producer, _frame_seq AS seq, count() AS events FROM ${database}.events WHERE ${mine}
     GROUP BY producer, seq HAVING events != ${eventsPerFrame} LIMIT 10`,
  );
  return { stored, distinct, oddFrames, drainedAt };
}
