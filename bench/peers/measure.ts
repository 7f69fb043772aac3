/** One phase of load upon a running system, from its first frame to its last row in ClickHouse: time, processor time, memory. */

import { setTimeout as pause } from 'node:timers/promises';
import { processFigures } from '../../src/cli/load/process-watch.ts';
import { queryRows, type QueryTarget } from '../../src/client/index.ts';
import { eventsSource } from '../../src/contract/events-source.ts';
import type { Phase, PhaseResult, RunningSystem } from './systems.ts';

export interface Measured extends PhaseResult {
  /** Rows and distinct ids of the phase. */
  readonly stored: number;
  readonly distinct: number;
  /** From the first frame to the last row. */
  readonly storedPerSecond: number;
  /** By process. */
  readonly cpuSecondsPerMillion: Readonly<Record<string, number>>;
  readonly rssMaxBytes: Readonly<Record<string, number>>;
}

const SAMPLE_MS = 200;
const POLL_MS = 100;
const QUERY_MS = 60_000;
const STORED_MS = 120_000;
export const EVENTS = eventsSource('all').from;

export async function measure(system: RunningSystem, phase: Phase): Promise<Measured> {
  const before = await rows(system.clickhouse);
  const cpuBefore = figuresOf(system.pids, ({ cpuSeconds }) => cpuSeconds);
  const rssMaxBytes: Record<string, number> = {};
  const look = (): void => {
    const now = figuresOf(system.pids, ({ rssBytes }) => rssBytes);
    for (const name of Object.keys(now)) rssMaxBytes[name] = Math.max(rssMaxBytes[name] ?? 0, now[name]!);
  };
  const timer = setInterval(look, SAMPLE_MS);
  const begunAt = performance.now();
  let storedAt = begunAt;
  try {
    // What it takes to be stored counts also where answers take no heed of it.
    const [result] = await Promise.all([
      system.load(phase),
      untilStored(system.clickhouse, before + phase.events).then(() => (storedAt = performance.now())),
    ]);
    look();
    const cpuAfter = figuresOf(system.pids, ({ cpuSeconds }) => cpuSeconds);
    const perMillion = (name: string): number => ((cpuAfter[name]! - cpuBefore[name]!) / phase.events) * 1e6;
    return {
      ...result,
      ...(await storedOf(system.clickhouse, phase)),
      storedPerSecond: phase.events / ((storedAt - begunAt) / 1000),
      cpuSecondsPerMillion: Object.fromEntries(Object.keys(system.pids).map((name) => [name, perMillion(name)])),
      rssMaxBytes,
    };
  } finally {
    clearInterval(timer);
  }
}

export function total(byProcess: Readonly<Record<string, number>>): number {
  return Object.values(byProcess).reduce((sum, value) => sum + value, 0);
}

type ProcessFigures = NonNullable<ReturnType<typeof processFigures>>;

function figuresOf(
  pids: Readonly<Record<string, number>>,
  pick: (figures: ProcessFigures) => number,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(pids).map(([name, pid]) => {
      const figures = processFigures(pid);
      if (figures === null) throw new Error(`a process has ended: ${name}`);
      return [name, pick(figures)];
    }),
  );
}

async function rows(clickhouse: QueryTarget): Promise<number> {
  const [row] = await queryRows<{ rows: number }>(clickhouse, `SELECT count() AS rows FROM ${EVENTS}`, QUERY_MS);
  return row!.rows;
}

async function untilStored(clickhouse: QueryTarget, expected: number): Promise<void> {
  const until = performance.now() + STORED_MS;
  for (let there = 0; (there = await rows(clickhouse)) < expected; await pause(POLL_MS))
    if (performance.now() > until) throw new Error(`not stored in ${STORED_MS} ms: ${there} of ${expected} rows`);
}

async function storedOf(clickhouse: QueryTarget, { run }: Phase): Promise<{ stored: number; distinct: number }> {
  const sql = `SELECT count() AS stored, uniqExact(event_id) AS distinct FROM ${EVENTS} WHERE startsWith(event_id, '${run}')`;
  const [row] = await queryRows<{ stored: number; distinct: number }>(clickhouse, sql, QUERY_MS);
  return row!;
}
