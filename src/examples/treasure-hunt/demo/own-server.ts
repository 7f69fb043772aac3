/**
 * An engine for the demo: in this process, on a temporary folder, at the usual ports where they are free. Its log goes to
 * a file in that folder; warnings and errors also to the terminal. Called by demo.ts.
 */

import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngine, type Engine } from '../../../engine/index.ts';
import { defaultPipeline } from '../../../config/default-pipeline.ts';
import type { Log } from '../../../system/log.ts';

export interface OwnServer {
  readonly engine: Engine;
  readonly folder: string;
  /** Ends the engine and deletes the folder. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const EVENTS_PORT = 8700;
const CLICKHOUSE_PORT = 8123;
/** Rows should be in ClickHouse while one looks. */
const BATCH_AGE_MS = 250;
const SPOOL_BYTES_MAX = 2 ** 30;

export async function startOwnServer(complain: (message: string) => void): Promise<OwnServer> {
  const folder = mkdtempSync(join(tmpdir(), 'hunt-demo-'));
  const file = createWriteStream(join(folder, 'server.log'));
  const log: Log = (level, message, fields) => {
    file.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
    if (level === 'warn' || level === 'error') complain(`${level}: ${message} ${JSON.stringify(fields ?? {})}`);
  };
  const clean = (): void => {
    file.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const engine = await startEngine({
      pipeline: defaultPipeline(),
      data: folder,
      listen: `${HOST}:${await freePort(EVENTS_PORT)}`,
      clickhouseListen: `${HOST}:${await freePort(CLICKHOUSE_PORT)}`,
      workers: Math.max(1, availableParallelism() - 1),
      ingresses: 1,
      keys: [],
      spoolBytesMax: SPOOL_BYTES_MAX,
      batchAgeMs: BATCH_AGE_MS,
      log,
    });
    const stop = async (): Promise<void> => {
      await engine.stop();
      clean();
    };
    return { engine, folder, stop };
  } catch (error) {
    clean();
    throw error;
  }
}

/** The wanted port where nobody listens on it, else 0: any free one. */
async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  const free = await new Promise<boolean>((done) => {
    server.once('error', () => done(false));
    server.listen({ host: HOST, port: wanted, exclusive: true }, () => done(true));
  });
  if (!free) return 0;
  await new Promise<void>((done) => server.close(() => done()));
  return wanted;
}
