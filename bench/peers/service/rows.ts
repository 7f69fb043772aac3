/**
 * Rows on their way to ClickHouse: 50,000 or what a second brought, one insert at a time. Nothing is kept anywhere else: what
 * waits here is gone when the process ends, and what an insert refuses is lost.
 */

import { createClient } from '@clickhouse/client';

const ROWS_PER_INSERT = 50_000;
const INSERT_MS = 1000;
const LOOK_MS = 100;
/** Beyond so many rows answers wait: else the heap would grow without a bound. */
const WAITING_MAX = 250_000;

export class Rows {
  readonly #clickhouse;
  readonly #held: (() => void)[] = [];
  #waiting: object[] = [];
  #inserting = false;
  #lastInsertAt = performance.now();

  constructor(url: string) {
    this.#clickhouse = createClient({ url });
    setInterval(() => {
      if (performance.now() - this.#lastInsertAt >= INSERT_MS) void this.#insert();
    }, LOOK_MS);
  }

  add(row: object): void {
    this.#waiting.push(row);
    if (this.#waiting.length >= ROWS_PER_INSERT) void this.#insert();
  }

  /** Runs `answer` now, or when there is room again. */
  whenRoom(answer: () => void): void {
    if (this.#waiting.length < WAITING_MAX) answer();
    else this.#held.push(answer);
  }

  async #insert(): Promise<void> {
    if (this.#inserting || this.#waiting.length === 0) return;
    this.#inserting = true;
    const values = this.#waiting.slice(0, ROWS_PER_INSERT);
    this.#waiting = this.#waiting.slice(ROWS_PER_INSERT);
    this.#lastInsertAt = performance.now();
    try {
      await this.#clickhouse.insert({ table: 'events', values, format: 'JSONEachRow' });
    } catch (error) {
      console.error(`rows lost: rows=${values.length} reason=${(error as Error).message}`);
    }
    this.#inserting = false;
    while (this.#waiting.length < WAITING_MAX && this.#held.length > 0) this.#held.shift()!();
    if (this.#waiting.length >= ROWS_PER_INSERT) void this.#insert();
  }
}
