/**
 * Doing something again until it succeeds: pauses grow, each failure is logged, nothing is skipped. Main thread, by whatever
 * talks to ClickHouse.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { OperatingError } from '../../errors.ts';
import type { Log } from '../../system/log.ts';
import type { Connection } from './connection.ts';
import { isMissing, messageOf } from './clickhouse-errors.ts';

const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 5000;
/** Pauses are spread by a quarter to either side, so that several servers do not come back at the same moment. */
const SPREAD = 0.25;

export class Retry {
  /** Attempts that failed. */
  failures = 0;
  /** What is tried again now, and since when (performance.now()). */
  readonly #failing = new Map<symbol, { what: string; error: string; since: number }>();
  readonly #connection: Connection;
  readonly #createTables: () => Promise<void>;
  readonly #log: Log;

  constructor(connection: Connection, createTables: () => Promise<void>, log: Log) {
    this.#connection = connection;
    this.#createTables = createTables;
    this.#log = log;
  }

  /** What has failed the longest and is tried again; null: nothing. */
  failing(): { readonly what: string; readonly error: string; readonly sinceMs: number } | null {
    const [first] = [...this.#failing.values()].sort((a, b) => a.since - b.since);
    return first === undefined ? null : { ...first, sinceMs: performance.now() - first.since };
  }

  /** Rejects only where the connection was ended, or with what no repetition mends: an operating error that says so. */
  async untilDone<Result>(what: string, action: () => Promise<Result>): Promise<Result> {
    const attempt = Symbol(what);
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 2)) {
      try {
        const result = await action();
        this.#failing.delete(attempt);
        return result;
      } catch (error) {
        if (this.#connection.signal.aborted || (error instanceof OperatingError && !error.retryable)) {
          this.#failing.delete(attempt);
          throw error;
        }
        this.failures++;
        const since = this.#failing.get(attempt)?.since ?? performance.now();
        this.#failing.set(attempt, { what, error: messageOf(error), since });
        const waitMs = Math.round(pauseMs * (1 - SPREAD + 2 * SPREAD * Math.random()));
        this.#log('error', `could not ${what}; trying again`, { error: messageOf(error), waitMs });
        if (isMissing(error)) await this.#bringBack();
        await pause(waitMs, undefined, { signal: this.#connection.signal });
      }
    }
  }

  /** A table or column that somebody dropped. Whatever stands in the way of it is for the log: the caller tries again. */
  async #bringBack(): Promise<void> {
    try {
      await this.#createTables();
    } catch (error) {
      this.#log('error', 'a table is missing and could not be created', { error: messageOf(error) });
    }
  }
}
