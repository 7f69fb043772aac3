/**
 * CPU time and memory of the server and its ClickHouse, from /proc, once a second. Processes may be killed and started again
 * during a run: each is followed by its pid, and asked for again when it is gone. On another machine there is nothing to
 * see.
 */

import { readFileSync } from 'node:fs';
import type { HuntControl, Figures } from '../../client/index.ts';

export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

export type Role = 'server' | 'clickhouse';

export interface WatchedFigures {
  readonly cpu_seconds: Readonly<Record<Role, number>>;
  readonly rss_max_bytes: Readonly<Record<Role, number>>;
  /** Medians of each minute of the run. */
  readonly rss_by_minute: readonly Readonly<Record<Role, number>>[];
}

const SAMPLE_MS = 1000;
const MINUTE_SAMPLES = 60;
/** A last minute that is shorter tells little. */
const MINUTE_SAMPLES_MIN = 30;
/** User and system time are in ticks of 10 ms, memory in pages (proc(5), stat, fields 14, 15 and 24). */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;
const ROLES: readonly Role[] = ['server', 'clickhouse'];

/** null for a process that is not there. */
export function processFigures(pid: number): ProcessFigures | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, user, system, pages] = [fields[0], Number(fields[11]), Number(fields[12]), Number(fields[21])];
    return state === 'Z' ? null : { cpuSeconds: (user + system) / TICKS_PER_SECOND, rssBytes: pages * PAGE_BYTES };
  } catch {
    return null;
  }
}

interface Watched {
  pid: number | undefined;
  /** Of the present process: CPU time before the run, and so far. */
  cpuBefore: number;
  cpuNow: number;
  /** Of processes that have ended. */
  cpuEnded: number;
  readonly rss: number[];
}

export class ProcessWatch {
  readonly #control: HuntControl;
  readonly #watched: Record<Role, Watched>;
  readonly #timer: NodeJS.Timeout;
  readonly #onMinute: (line: string) => void;
  #asking = false;

  /** `onMinute`: told the medians of each minute. */
  constructor(control: HuntControl, server: Figures, onMinute: (line: string) => void) {
    this.#control = control;
    this.#onMinute = onMinute;
    this.#watched = { server: watch(server.pid), clickhouse: watch(server.clickhouse.pid) };
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** CPU time since the run began, and memory, as last sampled. */
  now(): Record<'cpuSeconds' | 'rssBytes', Record<Role, number>> {
    return {
      cpuSeconds: this.#of(({ cpuEnded, cpuNow, cpuBefore }) => cpuEnded + cpuNow - cpuBefore),
      rssBytes: this.#of(({ rss }) => rss.at(-1) ?? 0),
    };
  }

  stop(): WatchedFigures {
    clearInterval(this.#timer);
    this.#sample();
    const minutes = Math.floor(
      (this.#watched.server.rss.length + MINUTE_SAMPLES - MINUTE_SAMPLES_MIN) / MINUTE_SAMPLES,
    );
    return {
      cpu_seconds: this.#of(({ cpuEnded, cpuNow, cpuBefore }) => Number((cpuEnded + cpuNow - cpuBefore).toFixed(2))),
      rss_max_bytes: this.#of(({ rss }) => rss.reduce((most, bytes) => Math.max(most, bytes), 0)),
      rss_by_minute: Array.from({ length: minutes }, (_, minute) =>
        this.#of((watched) => medianOfMinute(watched.rss, minute)),
      ),
    };
  }

  #of(pick: (watched: Watched) => number): Record<Role, number> {
    return { server: pick(this.#watched.server), clickhouse: pick(this.#watched.clickhouse) };
  }

  #sample(): void {
    let missing = false;
    for (const role of ROLES) {
      const watched = this.#watched[role];
      const figures = watched.pid === undefined ? null : processFigures(watched.pid);
      if (figures !== null) {
        watched.cpuNow = figures.cpuSeconds;
        watched.rss.push(figures.rssBytes);
      } else if (watched.pid !== undefined) missing = true;
    }
    if (missing) void this.#askAgain();
    const { server, clickhouse } = this.#watched;
    if (server.rss.length % MINUTE_SAMPLES === 0 && server.rss.length > 0) {
      const minute = server.rss.length / MINUTE_SAMPLES - 1;
      const mib = (rss: readonly number[]): string => `${Math.round(medianOfMinute(rss, minute) / 2 ** 20)} MiB`;
      this.#onMinute(
        `minute ${minute + 1}: resident memory of the server ${mib(server.rss)}, of ClickHouse ${mib(clickhouse.rss)} (medians)`,
      );
    }
  }

  /** One of them is gone: the server, once it is back, says who took its place. */
  async #askAgain(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const server = await this.#control.server().catch(() => null);
    this.#asking = false;
    if (server === null) return;
    this.#replace(this.#watched.server, server.pid);
    this.#replace(this.#watched.clickhouse, server.clickhouse.pid);
  }

  #replace(watched: Watched, pid: number | undefined): void {
    if (pid === undefined || pid === watched.pid) return;
    watched.cpuEnded += watched.cpuNow - watched.cpuBefore;
    Object.assign(watched, { pid, cpuBefore: 0, cpuNow: 0 });
  }
}

function watch(pid: number | undefined): Watched {
  const figures = pid === undefined ? null : processFigures(pid);
  const cpu = figures?.cpuSeconds ?? 0;
  return { pid: figures === null ? undefined : pid, cpuBefore: cpu, cpuNow: cpu, cpuEnded: 0, rss: [] };
}

function medianOfMinute(rss: readonly number[], minute: number): number {
  const samples = rss.slice(minute * MINUTE_SAMPLES, (minute + 1) * MINUTE_SAMPLES).sort((a, b) => a - b);
  return samples[samples.length >> 1] ?? 0;
}
