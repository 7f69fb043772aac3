/**
 * The engine's own connection to ClickHouse, over HTTP through @clickhouse/client. Batches reach the embedded ClickHouse as
 * files (body-file.ts), any other as bodies. Main thread.
 *
 * Measured with bodies in chunks of 512 KiB: 0.25 core-seconds per GB here, nearly all of it in the kernel; 64 KiB chunks:
 * 0.43.
 */

import { ClickHouseLogLevel, createClient, type ClickHouseClient, type ClickHouseSettings } from '@clickhouse/client';
import { finished } from 'node:stream/promises';
import { FOR_CLIENT_HEADER, HANDED_BODY_HEADER, newHandedBody } from '../../clickhouse-embedded/index.ts';
import { BlockStream, type BodyBlock } from './block-stream.ts';
import { removeBodyFile, writeBodyFile } from './body-file.ts';
import { DiskSync } from './disk-sync.ts';
import type { Log } from '../../system/log.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { ClientQuestion } from '../../contract/named-queries.ts';
import { OperatingError } from '../../errors.ts';
import { quoteName } from '../../contract/sql-text.ts';

/** Silence after which a request is given up: the insert of the largest batch with merges in its way takes far less. */
const REQUEST_MS = 120_000;
const SYNC_MS = 60_000;
/** One insert, look-ups beside it. */
const CONNECTIONS_MAX = 8;

export interface ConnectionOptions {
  readonly clickhouse: ClickHouse;
  readonly log: Log;
  readonly requestMsMax?: number;
}

export class Connection {
  readonly database: string;
  readonly embedded: boolean;
  readonly #clickhouse: ClickHouse;
  readonly #client: ClickHouseClient;
  readonly #log: Log;
  readonly #end = new AbortController();

  readonly #disk: DiskSync | null;

  constructor({ clickhouse, log, requestMsMax = REQUEST_MS }: ConnectionOptions) {
    this.#clickhouse = clickhouse;
    this.database = clickhouse.database;
    this.embedded = clickhouse.embedded;
    this.#log = log;
    this.#disk = clickhouse.embedded ? new DiskSync() : null;
    this.#client = createClient({
      url: clickhouse.url,
      username: clickhouse.username,
      password: clickhouse.password,
      application: 'treasure-hunt-engine',
      request_timeout: requestMsMax,
      max_open_connections: CONNECTIONS_MAX,
      compression: { request: false, response: false },
      // Every failure is in our own log, once.
      log: { level: ClickHouseLogLevel.OFF },
    });
  }

  /** Aborted by `end`. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** With the database, quoted. */
  table(name: string): string {
    return `${quoteName(this.database)}.${quoteName(name)}`;
  }

  async execute(sql: string, settings: ClickHouseSettings = {}): Promise<void> {
    this.signal.throwIfAborted();
    const clickhouse_settings: ClickHouseSettings = { ...settings, wait_end_of_query: 1 };
    await this.#client.command({ query: sql, clickhouse_settings, abort_signal: this.signal });
  }

  async rows<Row>(sql: string, parameters: Record<string, unknown> = {}): Promise<Row[]> {
    this.signal.throwIfAborted();
    const result = await this.#client.query({
      query: sql,
      format: 'JSONEachRow',
      query_params: parameters,
      abort_signal: this.signal,
    });
    return result.json<Row>();
  }

  /**
   * Somebody else's question, whose answer is handed on as it comes: with the rights of a client, which reads and does no
   * more. Rejects where it has more than `bytesMax`.
   */
  async readForClient(sql: string, { parameters, settings, format, bytesMax }: ClientQuestion): Promise<Uint8Array> {
    this.signal.throwIfAborted();
    const result = await this.#client.exec({
      query: sql,
      query_params: parameters,
      clickhouse_settings: {
        ...settings,
        ...(this.embedded ? {} : { readonly: '1' }),
        default_format: format,
        wait_end_of_query: 1,
      } as ClickHouseSettings,
      http_headers: { [FOR_CLIENT_HEADER]: '1', 'X-ClickHouse-Database': this.database },
      abort_signal: this.signal,
    });
    // To leave the loop closes the stream, and with it the request.
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of result.stream as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        throw new OperatingError(
          'query_too_large',
          `the answer is larger than it may be: bytes_max=${bytesMax}; ask for less`,
        );
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** A body that is there already; resolves as `insertBlocks` does. */
  insert(query: string, body: Iterable<Uint8Array>, settings: ClickHouseSettings): Promise<number> {
    return this.insertBlocks(query, [{ chunks: [...body], release: () => undefined }], settings);
  }

  /** Resolves once ClickHouse has all blocks. Returns the rows that it says it wrote, -1 where it says nothing. */
  async insertBlocks(query: string, blocks: Iterable<BodyBlock>, settings: ClickHouseSettings): Promise<number> {
    this.signal.throwIfAborted();
    return this.embedded ? this.#handOver(query, blocks, settings) : this.#stream(query, blocks, settings);
  }

  /** As a file that the request names: half as much CPU time as through the socket, which costs both processes a copy. */
  async #handOver(query: string, blocks: Iterable<BodyBlock>, settings: ClickHouseSettings): Promise<number> {
    const body = newHandedBody(this.#clickhouse.folder);
    await writeBodyFile(body.path, blocks, this.signal);
    try {
      const answer = await this.#client.command({
        query,
        clickhouse_settings: settings,
        http_headers: { [HANDED_BODY_HEADER]: body.name },
        abort_signal: this.signal,
      });
      return Number(answer.summary?.written_rows ?? -1);
    } finally {
      await removeBodyFile(body.path);
    }
  }

  /** One chunk at a time as the socket takes them. */
  async #stream(query: string, blocks: Iterable<BodyBlock>, settings: ClickHouseSettings): Promise<number> {
    const answer = await this.#client.exec({
      query,
      values: new BlockStream(blocks),
      clickhouse_settings: settings,
      abort_signal: this.signal,
    });
    answer.stream.resume();
    await finished(answer.stream);
    return Number(answer.summary?.written_rows ?? -1);
  }

  /**
   * True once all that ClickHouse has confirmed is on the disk. The embedded one's file system is synced from here, so that
   * merges are covered too; a server elsewhere syncs each insert before it answers (tables/table-storage.ts).
   */
  async reachDisk(): Promise<boolean> {
    if (!this.#clickhouse.embedded) return true;
    try {
      await this.#disk?.sync(this.#clickhouse.folder, SYNC_MS);
      return true;
    } catch (error) {
      const fields = { folder: this.#clickhouse.folder, error: String(error) };
      this.#log('error', 'the file system of ClickHouse could not be synced; the spool is kept until it can', fields);
      return false;
    }
  }

  /** Ends what runs; nothing more is sent. */
  end(): void {
    this.#end.abort(new Error('the warehouse has stopped'));
  }

  async close(): Promise<void> {
    this.#disk?.end();
    await this.#client.close();
  }
}
