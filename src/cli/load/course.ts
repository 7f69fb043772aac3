/**
 * The course of a run, step by step (a minute each): what the server and its ClickHouse had and spent in each, for the
 * question whether a rate could go on for ever. Driven by run-load.ts; judged by level.ts.
 */

import { build, type Histogram } from 'hdr-histogram-js';
import type { HuntControl } from '../../client/index.ts';
import { queryRows, type QueryTarget } from '../../client/index.ts';
import { EVENTS_TABLE } from '../../contract/events-source.ts';
import type { ProcessWatch, Role } from './process-watch.ts';

/** What a look found. CPU seconds and counts are since the server's start or the run's; null: could not be asked. */
export interface CourseLook {
  readonly atMs: number;
  readonly cpuSeconds: Readonly<Record<Role, number>>;
  readonly rssBytes: Readonly<Record<Role, number>>;
  readonly spoolBytes: number | null;
  readonly table: { readonly parts: number; readonly rows: number; readonly mergedRows: number } | null;
}

/** One step of a run. Memory as its median, spool and parts as their highest. */
export interface CourseStep {
  readonly seconds: number;
  readonly stored: number | null;
  readonly merged_rows: number | null;
  readonly cpu_seconds: Readonly<Record<Role, number>>;
  readonly rss_bytes: Readonly<Record<Role, number>>;
  readonly spool_bytes: number | null;
  readonly parts: number | null;
  /** null: nothing became visible. */
  readonly visible_p99_ms: number | null;
}

export const STEP_MS = 60_000;
/** Often enough to see the highest number of parts between two merges. */
const LOOKS_PER_STEP = 12;
const LOOK_MS_MAX = 5000;
const VISIBLE_MS_MAX = 3_600_000;
/** ClickHouse's own, which have nothing to do with stored ones. */
const SERVER_COUNTERS = 'system.events';

export class CourseWatch {
  readonly #control: HuntControl;
  readonly #target: QueryTarget;
  readonly #watch: ProcessWatch;
  readonly #stepMs: number;
  readonly #steps: CourseStep[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #begunAt = performance.now();
  readonly #visible: Histogram = build({ highestTrackableValue: VISIBLE_MS_MAX, numberOfSignificantValueDigits: 3 });
  #looks: CourseLook[] = [];
  #looking = false;
  #stopped = false;

  constructor(control: HuntControl, target: QueryTarget, watch: ProcessWatch, stepMs: number) {
    this.#control = control;
    this.#target = target;
    this.#watch = watch;
    this.#stepMs = stepMs;
    this.#timer = setInterval(() => void this.#look(), Math.min(LOOK_MS_MAX, stepMs / LOOKS_PER_STEP));
    void this.#look();
  }

  visible(ms: number): void {
    this.#visible.recordValue(ms);
  }

  /** Whole steps only. */
  stop(): readonly CourseStep[] {
    clearInterval(this.#timer);
    this.#stopped = true;
    return this.#steps;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const [server, table] = await Promise.all([
      this.#control.server().catch(() => null),
      this.#askTable().catch(() => null),
    ]);
    this.#looking = false;
    if (this.#stopped) return;
    const spoolBytes = server === null ? null : (server.spool?.liveBytes ?? 0);
    this.#looks.push({ ...this.#watch.now(), atMs: performance.now(), spoolBytes, table });
    if (performance.now() - this.#begunAt >= (this.#steps.length + 1) * this.#stepMs) this.#endStep();
  }

  async #askTable(): Promise<CourseLook['table']> {
    const sql = `SELECT count() AS parts, sum(rows) AS rows, (SELECT sum(value) FROM ${SERVER_COUNTERS} WHERE event = 'MergedRows') AS mergedRows
      FROM system.parts WHERE active AND database = currentDatabase() AND table = '${EVENTS_TABLE}' SETTINGS max_threads = 1`;
    const [row] = await queryRows<NonNullable<CourseLook['table']>>(this.#target, sql, LOOK_MS_MAX);
    return row!;
  }

  #endStep(): void {
    const p99 = this.#visible.totalCount === 0 ? null : this.#visible.getValueAtPercentile(99);
    this.#steps.push(stepOf(this.#looks, p99));
    this.#visible.reset();
    this.#looks = this.#looks.slice(-1);
  }
}

/** `looks`: at least two; the first is the last of the step before. */
export function stepOf(looks: readonly CourseLook[], visibleP99Ms: number | null): CourseStep {
  const [first, last] = [looks[0]!, looks.at(-1)!];
  const within = looks.slice(1);
  const tables = within.flatMap(({ table }) => table ?? []);
  const highest = (values: readonly number[]): number | null => (values.length === 0 ? null : Math.max(...values));
  const grown = (pick: (table: NonNullable<CourseLook['table']>) => number): number | null =>
    first.table === null || last.table === null ? null : pick(last.table) - pick(first.table);
  const both = (of: (role: Role) => number): Record<Role, number> => ({
    server: of('server'),
    clickhouse: of('clickhouse'),
  });
  return {
    seconds: Number(((last.atMs - first.atMs) / 1000).toFixed(3)),
    stored: grown(({ rows }) => rows),
    merged_rows: grown(({ mergedRows }) => mergedRows),
    cpu_seconds: both((role) => Number((last.cpuSeconds[role] - first.cpuSeconds[role]).toFixed(2))),
    rss_bytes: both((role) => median(within.map(({ rssBytes }) => rssBytes[role]))),
    spool_bytes: highest(within.flatMap(({ spoolBytes }) => spoolBytes ?? [])),
    parts: highest(tables.map(({ parts }) => parts)),
    visible_p99_ms: visibleP99Ms,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
