/**
 * Puts off the embedded ClickHouse's merges while inserting takes all that the machine has: a row that is merged costs two
 * to three times what its insert did, and what is merged a minute later costs nobody anything. Main thread, driven by
 * warehouse.ts.
 *
 *   merging --(busy or behind)--> paused --(neither for a while, or too many parts)--> merging
 *
 * A server elsewhere is never told: it has other tables and other masters.
 */

import { EVENTS_TABLE } from '../contract/events-source.ts';
import type { Log } from '../system/log.ts';
import { messageOf } from './insert/clickhouse-errors.ts';
import type { Connection } from './insert/connection.ts';

export interface MergePauseOptions {
  readonly connection: Pick<Connection, 'execute' | 'rows' | 'table' | 'database'>;
  /** Seconds that inserts have taken so far. */
  readonly insertSeconds: () => number;
  /**
   * How much longer than a batch takes to gather the oldest row waits that SQL cannot see yet, ms; 0 where it is not late.
   */
  readonly behindMs: () => number;
  readonly log: Log;
}

const LOOK_MS = 1000;
/** Samples that a decision rests on. */
const LOOKS = 4;
/** Inserts take that share of the time: merging beside them would put them behind. */
const BUSY = 0.7;
const BEHIND_MS = 2500;
/** And below that there is room again, merges included. */
const CALM = 0.4;
const CALM_LOOKS = 10;
/**
 * Of one partition. Beyond that queries and inserts begin to feel them; inserts are slowed down at 6000
 * (tables/table-storage.ts).
 */
const PARTS_MAX = 2000;
const PARTS_ENOUGH = 500;
/** A child that was started again merges: it is told again. */
const REPEAT_MS = 10_000;

export class MergePause {
  paused = false;
  readonly #options: MergePauseOptions;
  readonly #seconds: number[] = [];
  #timer: NodeJS.Timeout | null = null;
  #calm = 0;
  #toldAt = 0;
  /** Too many parts: merges go on, however busy it is. */
  #overfull = false;
  #looking = false;

  constructor(options: MergePauseOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** One look a second at most: a slow answer must not pile them up. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.#decide(performance.now());
    } catch (error) {
      // It may be restarting; the next look tries again.
      this.#options.log('debug', 'merges could not be put off or begun', { error: messageOf(error) });
    } finally {
      this.#looking = false;
    }
  }

  async #decide(now: number): Promise<void> {
    const { insertSeconds, behindMs } = this.#options;
    const seconds = this.#seconds;
    seconds.push(insertSeconds());
    if (seconds.length > LOOKS + 1) seconds.shift();
    const busy = ((seconds.at(-1)! - seconds[0]!) * 1000) / (LOOK_MS * Math.max(1, seconds.length - 1));
    const behind = behindMs();
    this.#calm = busy < CALM && behind < BEHIND_MS ? this.#calm + 1 : 0;
    if (this.paused) {
      if (this.#calm >= CALM_LOOKS || (await this.#hasTooManyParts())) await this.#merge(true, { busy, behind });
      else if (now - this.#toldAt > REPEAT_MS) await this.#tell('STOP', now);
    } else if (seconds.length > LOOKS && (busy > BUSY || behind > BEHIND_MS)) {
      if (!this.#overfull || (await this.#parts()) < PARTS_ENOUGH) {
        this.#overfull = false;
        await this.#merge(false, { busy, behind });
      }
    }
  }

  async #hasTooManyParts(): Promise<boolean> {
    this.#overfull = (await this.#parts()) > PARTS_MAX;
    return this.#overfull;
  }

  async #merge(merging: boolean, { busy, behind }: { busy: number; behind: number }): Promise<void> {
    await this.#tell(merging ? 'START' : 'STOP', performance.now());
    this.paused = !merging;
    const fields = { insertShare: Number(busy.toFixed(2)), behindMs: Math.round(behind), overfull: this.#overfull };
    this.#options.log('info', merging ? 'merges begin' : 'merges are put off', fields);
  }

  async #tell(what: 'START' | 'STOP', now: number): Promise<void> {
    await this.#options.connection.execute(`SYSTEM ${what} MERGES ${this.#options.connection.table(EVENTS_TABLE)}`);
    this.#toldAt = now;
  }

  /** Active parts of the fullest partition. */
  async #parts(): Promise<number> {
    const { connection } = this.#options;
    const rows = await connection.rows<{ parts: string }>(
      `SELECT toString(max(parts)) AS parts FROM (SELECT count() AS parts FROM system.parts
       WHERE active AND database = {database:String} AND table = {table:String} GROUP BY partition)`,
      { database: connection.database, table: EVENTS_TABLE },
    );
    return Number(rows[0]?.parts ?? 0);
  }
}
