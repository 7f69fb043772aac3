/**
 * The ClickHouse that the engine stores into: the embedded one, kept running, or another by URL. Called by engine/start.ts;
 * all others speak HTTP to the address that it gives.
 */

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClickHouseFigures } from '../contract/figures.ts';
import type { AccessSettings } from '../access/door.ts';
import { OperatingError } from '../errors.ts';
import type { TransportKind } from '../http/transport.ts';
import type { Log } from '../system/log.ts';
import { startEmbedded, type EmbeddedClickHouse } from '../clickhouse-embedded/index.ts';

export interface ClickHouseOptions {
  /** `http://user:password@host:8123/database`; without it the embedded engine is started. */
  readonly clickhouse?: string;
  readonly clickhouseListen: string;
  /** Folder of the embedded engine. */
  readonly data: string;
  /** Under the embedded engine's HTTP interface. */
  readonly transport: TransportKind;
  /** Of the embedded engine's port. */
  readonly access: AccessSettings;
  readonly log: Log;
}

export interface ClickHouse {
  /** Without credentials. */
  readonly url: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  readonly embedded: boolean;
  /** Folder on this machine that holds its parts, '' for a server elsewhere. */
  readonly folder: string;
  figures(): ClickHouseFigures;
  /**
   * Whoever asks the embedded engine is told how far SQL can see, ms UTC (StoredTotals.receivedAt); of a server elsewhere,
   * the view `watermark` says it.
   */
  showWatermark(time: number): void;
  stop(): Promise<void>;
}

const DATABASE = 'hunt';
const RESTART_PAUSE_MS_MIN = 100;
const RESTART_PAUSE_MS_MAX = 5000;

export async function openClickHouse(options: ClickHouseOptions): Promise<ClickHouse> {
  return options.clickhouse === undefined ? openEmbedded(options) : openExternal(options.clickhouse);
}

function openExternal(text: string): ClickHouse {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new OperatingError(
      'bad_clickhouse_url',
      `not a URL: clickhouse=${text}; write http://user:password@host:8123/database`,
      { cause },
    );
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new OperatingError(
      'bad_clickhouse_url',
      `ClickHouse is spoken to over HTTP: clickhouse=${text}; write http://user:password@host:8123/database`,
    );
  }
  const database = decodeURIComponent(url.pathname.slice(1)) || DATABASE;
  return {
    url: url.origin,
    database,
    username: decodeURIComponent(url.username) || 'default',
    password: decodeURIComponent(url.password),
    embedded: false,
    folder: '',
    figures: () => ({ url: url.origin, database, embedded: false }),
    showWatermark: () => undefined,
    stop: async () => undefined,
  };
}

async function openEmbedded(options: ClickHouseOptions): Promise<ClickHouse> {
  const { access, data, transport, log } = options;
  const writerPassword = randomBytes(24).toString('base64url');
  const fixed = { dataDirectory: data, transport, access, writerPassword, protectedDatabases: [DATABASE], log };
  const start = (listen: string): Promise<EmbeddedClickHouse> => startEmbedded({ ...fixed, listen });
  let engine = await start(options.clickhouseListen);
  // A restart keeps the address: clients hold on to it.
  const listen = `${engine.host}:${engine.port}`;
  let stopping = false;
  let restarts = 0;
  let watermark = 0;
  const keep = async (): Promise<void> => {
    for (;;) {
      const end = await engine.died;
      if (stopping) return;
      log('error', 'the embedded ClickHouse died and is started again; batches wait meanwhile', end);
      for (let wait = RESTART_PAUSE_MS_MIN; ; wait = Math.min(RESTART_PAUSE_MS_MAX, wait * 2)) {
        try {
          engine = await start(listen);
          restarts++;
          engine.showWatermark(watermark);
          // Told to stop while it started: nobody else knows of this one.
          if (stopping) await engine.stop();
          break;
        } catch (error) {
          log('error', 'the embedded ClickHouse does not start; trying again', { error: String(error), waitMs: wait });
          await pause(wait);
          if (stopping) return;
        }
      }
    }
  };
  const kept = keep();
  return {
    url: engine.url,
    database: DATABASE,
    username: engine.writer.username,
    password: writerPassword,
    embedded: true,
    folder: data,
    figures: () => ({
      url: engine.url,
      database: DATABASE,
      embedded: true,
      pid: engine.pid,
      version: engine.version,
      restarts,
    }),
    showWatermark(time) {
      watermark = time;
      engine.showWatermark(time);
    },
    async stop() {
      stopping = true;
      await engine.stop();
      await kept;
    },
  };
}
