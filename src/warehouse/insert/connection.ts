/**
 * The engine's own connection to ClickHouse, over HTTP through @clickhouse/client. Main thread.
 */

import { createClient, type ClickHouseClient, type ClickHouseSettings } from '@clickhouse/client';
import { execFile } from 'node:child_process';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { Log } from '../../ops/log.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { quoteName } from '../tables/index.ts';

/** An insert of the largest batch with merges in its way. */
const REQUEST_MS = 300_000;
const SYNC_MS = 60_000;

export class Connection {
  readonly database: string;
  readonly #clickhouse: ClickHouse;
  readonly #client: ClickHouseClient;
  readonly #log: Log;

  constructor(clickhouse: ClickHouse, log: Log) {
    this.#clickhouse = clickhouse;
    this.database = clickhouse.database;
    this.#log = log;
    this.#client = createClient({
      url: clickhouse.url,
      username: clickhouse.username,
      password: clickhouse.password,
      application: 'treasure-hunt-engine',
      request_timeout: REQUEST_MS,
      max_open_connections: 8,
      compression: { request: false, response: false },
    });
  }

  table(name: string): string {
    return `${quoteName(this.database)}.${quoteName(name)}`;
  }

  async execute(sql: string): Promise<void> {
    await this.#client.command({ query: sql, clickhouse_settings: { wait_end_of_query: 1 } });
  }

  async rows<Row>(sql: string, parameters: Record<string, unknown> = {}): Promise<Row[]> {
    const result = await this.#client.query({ query: sql, format: 'JSONEachRow', query_params: parameters });
    return result.json<Row>();
  }

  /** Streams a body in ClickHouse's Native format; resolves once ClickHouse has it. */
  async insert(query: string, body: Iterable<Uint8Array>, settings: ClickHouseSettings): Promise<void> {
    const values = Readable.from(body, { objectMode: false, highWaterMark: 4 << 20 });
    const { stream } = await this.#client.exec({ query, values, clickhouse_settings: settings });
    stream.resume();
    await new Promise((resolve, reject) => stream.once('end', resolve).once('error', reject));
  }

  /**
   * What ClickHouse has confirmed is on the disk when this returns. The embedded one's files are synced from here, which is
   * cheaper than a sync for each insert; a server elsewhere is told to sync with each insert (tables/storage.ts).
   */
  async reachDisk(): Promise<void> {
    if (!this.#clickhouse.embedded) return;
    try {
      await promisify(execFile)('sync', ['-f', this.#clickhouse.folder], { timeout: SYNC_MS });
    } catch (error) {
      this.#log('warn', 'the file system could not be synced; the spool is kept until it can', { error: String(error) });
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
