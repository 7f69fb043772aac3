/** A server of its own for a load bench, the load that all of them have, and the commands that somebody gives it meanwhile, each in a process of its own. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compiledUrl } from '../../src/system/compiled-url.ts';
import { startChild } from './children.ts';

const START_MS = 60_000;
const COMMAND_MS = 120_000;
const MAIN = new URL('../../src/main.js', compiledUrl(import.meta.url, './server.js')).pathname;

/** Options of `runLoad` but for the server, the rate, the frames and the time. */
export const LOAD = {
  protocol: 'ws',
  connections: 4,
  keys: { player: 200_000, hunt: 5000 },
  zipfExponent: 1,
  ack: 'durable',
  seed: 1,
  framesInFlightMax: Infinity,
  reconnectMs: 1000,
  progress: () => undefined,
  rssLog: () => undefined,
} as const;

export interface BenchServer {
  readonly url: string;
  kill(): Promise<void>;
}

/** `pipeline`: default, the one that comes with the package. */
export async function startServer(folder: string, pipeline?: string): Promise<BenchServer> {
  const options = ['--data', join(folder, 'data'), '--listen', '127.0.0.1:0', '--clickhouse-listen', '127.0.0.1:0'];
  const files = pipeline === undefined ? [] : [pipeline];
  const child = startChild('the server', process.execPath, [MAIN, 'serve', ...files, ...options, '--json']);
  const { url } = JSON.parse(await child.line(START_MS)) as { url: string };
  return { url, kill: () => child.kill() };
}

/** The JSON that `hunt …` prints; it must succeed. */
export async function command<T>(...words: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...words, '--json'], { timeout: COMMAND_MS });
  return JSON.parse(stdout) as T;
}
