/**
 * Starts the embedded ClickHouse: a child process with the engine, behind ClickHouse's own HTTP interface. Called by the
 * main thread, which also restarts it when `died` resolves without `stop()` having been called.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OPEN_ACCESS, type AccessSettings } from '../access/door.ts';
import { OperatingError } from '../errors.ts';
import { compiledUrl } from '../system/compiled-url.ts';
import { chooseTransport } from '../http/choose-transport.ts';
import type { TransportKind } from '../http/transport.ts';
import { allocatorSettings } from './allocator.ts';
import { foldersOf } from './folders.ts';
import {
  ENGINE_READERS,
  ENGINE_WRITERS,
  MEMORY_BYTES_DEFAULT,
  MEMORY_BYTES_MIN,
  MEMORY_MACHINE_SHARE,
  OWN_BYTES_MAX,
  POLL_MS,
  PREDECESSOR_KILL_MS,
  PUBLIC_WRITERS,
  READERS_DEFAULT,
  READERS_MAX,
  START_MS_MAX,
  STOP_MS_MAX,
  VIEW_PATIENCE_MS,
} from './child-bounds.ts';
import { endPredecessor, startTimeOf } from './predecessor.ts';
import type { ChildConfiguration, ChildLogLevel, ToChild, ToParent } from './protocol.ts';
import { prepareRequests } from './result-pipe.ts';
import { wallsSaid } from './walls/report.ts';

export interface EmbeddedOptions {
  readonly dataDirectory: string;
  /** `host:port`; port 0 takes any free one. */
  readonly listen: string;
  /** Default: the faster one that loads. */
  readonly transport?: TransportKind;
  /** Queries of ordinary clients that run at once. */
  readonly readers?: number;
  /** What the engine may allocate, caches included. */
  readonly memoryMaxBytes?: number;
  /** What clients may keep in databases of their own, all together, on disk. */
  readonly ownBytesMax?: number;
  /** How long an insert of the engine may take before views of clients at its table are taken off. */
  readonly viewPatienceMs?: number;
  /** Added to the process's nice value, so that ingest wins the processor. */
  readonly niceness?: number;
  /** Secret of the engine's own user; random when not given. Give one to keep clients across restarts. */
  readonly writerPassword?: string;
  /** Who may speak to it; default: whoever reaches its own address. The engine's own user is apart from its keys. */
  readonly access?: AccessSettings;
  /** Only the engine's own user changes these. */
  readonly protectedDatabases?: readonly string[];
  readonly log: (level: ChildLogLevel, message: string, fields?: object) => void;
}

export interface EmbeddedClickHouse {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly version: string;
  /** Credentials of the user that may write everywhere and send any setting. */
  readonly writer: { readonly username: string; readonly password: string };
  /** Everything received before `time`, ms UTC, is visible; queries are answered with it. */
  showWatermark(time: number): void;
  /** Lets running statements finish, within a bound. */
  stop(): Promise<void>;
  readonly died: Promise<{ code: number | null; signal: string | null }>;
}

/** 0: ingest must not run ahead of what is stored; what it gains by priority it loses in waiting batches (measured). */
const NICENESS_DEFAULT = 0;
const WRITER_USERNAME = 'engine';
/** Beside one thread for each running query: KILL, file reads, name look-ups. */
const SPARE_POOL_THREADS = 6;
/**
 * What the child sees of the server's environment. Of NODE_OPTIONS it keeps what is not behind its walls
 * (walls/node-options.ts).
 */
const ENVIRONMENT = new Set(['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'LD_LIBRARY_PATH', 'NODE_OPTIONS']);

/** Throws OperatingError: embedded_unavailable, embedded_folder_in_use, embedded_listen_failed and others. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedClickHouse> {
  const configuration = configurationOf(options);
  mkdirSync(configuration.dataDirectory, { recursive: true });
  await endPredecessor(foldersOf(configuration.dataDirectory).processRecord, (pid) =>
    options.log('warn', 'an earlier embedded ClickHouse still held the folder and was ended', { pid }),
  );
  // The lock of a process that has just been killed may outlive it for a moment.
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    try {
      return await startChild(configuration, options.log);
    } catch (cause) {
      const isLocked = cause instanceof OperatingError && cause.code === 'embedded_folder_locked';
      if (!isLocked || waitedMs >= PREDECESSOR_KILL_MS) throw cause;
      await pause(POLL_MS);
    }
  }
}

async function startChild(configuration: ChildConfiguration, log: EmbeddedOptions['log']): Promise<EmbeddedClickHouse> {
  const poolThreads = configuration.readers + ENGINE_READERS + ENGINE_WRITERS + PUBLIC_WRITERS + SPARE_POOL_THREADS;
  prepareRequests(foldersOf(configuration.dataDirectory).requests, configuration.readers + ENGINE_READERS);
  const child = fork(compiled('./walls/launcher.js'), [compiled('./child.js'), configuration.dataDirectory], {
    execArgv: [],
    // Each running query occupies one thread of libuv's pool; its default of 4 would be the real limit.
    env: {
      ...harmlessEnvironment(),
      UV_THREADPOOL_SIZE: String(poolThreads),
      JE_MALLOC_CONF: allocatorSettings(availableParallelism(), process.env['JE_MALLOC_CONF']),
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'json',
  });
  child.stderr?.on('data', (chunk: Buffer) =>
    log('warn', 'embedded ClickHouse wrote to stderr', { text: chunk.toString('utf8').slice(0, 4096) }),
  );
  const died = new Promise<{ code: number | null; signal: string | null }>((settle) => {
    child.once('exit', (code, signal) => settle({ code, signal }));
  });
  const ready = await untilReady(child, configuration, died, log);
  let stopped: Promise<void> | undefined;
  return {
    url: `http://${configuration.host.includes(':') ? `[${configuration.host}]` : configuration.host}:${ready.port}`,
    host: configuration.host,
    port: ready.port,
    pid: child.pid ?? 0,
    version: ready.version,
    writer: { username: configuration.writerUsername, password: configuration.writerPassword },
    showWatermark: (time) => tell(child, { type: 'watermark', time }),
    stop: () => (stopped ??= stopChild(child, died)),
    died,
  };
}

function untilReady(
  child: ChildProcess,
  configuration: ChildConfiguration,
  died: EmbeddedClickHouse['died'],
  log: EmbeddedOptions['log'],
): Promise<{ port: number; version: string }> {
  return new Promise((settle, reject) => {
    const fail = (code: OperatingError['code'], message: string, retryable: boolean): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new OperatingError(code, message, { retryable }));
    };
    const timer = setTimeout(
      () =>
        fail(
          'embedded_start_timeout',
          `embedded ClickHouse not ready: waited_ms=${START_MS_MAX}. See the log for what it was doing.`,
          true,
        ),
      START_MS_MAX,
    );
    child.on('message', (message: ToParent) => {
      if (message.type === 'hello') {
        log(message.walls.every((wall) => wall.stands) ? 'info' : 'warn', wallsSaid(message.walls));
        tell(child, { type: 'start', configuration });
      } else if (message.type === 'log') log(message.level, message.message, message.fields);
      else if (message.type === 'failed') fail(message.code, message.message, message.retryable);
      else {
        clearTimeout(timer);
        settle({ port: message.port, version: message.version });
      }
    });
    child.once('error', (cause) =>
      fail(
        'embedded_fork_failed',
        `embedded ClickHouse could not be started: ${cause.message}. Check memory and process limits.`,
        true,
      ),
    );
    void died.then(({ code, signal }) =>
      fail(
        'embedded_died',
        `embedded ClickHouse ended while starting: code=${code} signal=${signal}. See the log for its last words.`,
        true,
      ),
    );
  });
}

async function stopChild(child: ChildProcess, died: EmbeddedClickHouse['died']): Promise<void> {
  tell(child, { type: 'stop' });
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await died;
  clearTimeout(timer);
}

/** A child that is just dying hears nothing any more. */
function tell(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message, () => undefined);
}

function configurationOf(options: EmbeddedOptions): ChildConfiguration {
  const colon = options.listen.lastIndexOf(':');
  const port = Number(options.listen.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new OperatingError(
      'embedded_listen_invalid',
      `listen address not understood: listen=${JSON.stringify(options.listen)}. Write it as host:port, for example 127.0.0.1:8123.`,
    );
  }
  const memoryDefault = Math.min(MEMORY_BYTES_DEFAULT, Math.floor(totalmem() * MEMORY_MACHINE_SHARE));
  return {
    dataDirectory: resolve(options.dataDirectory),
    host: options.listen.slice(0, colon).replace(/^\[|\]$/g, ''),
    port,
    transport: options.transport ?? chooseTransport('auto').kind,
    readers: Math.max(1, Math.min(READERS_MAX, options.readers ?? READERS_DEFAULT)),
    memoryMaxBytes: Math.max(MEMORY_BYTES_MIN, options.memoryMaxBytes ?? memoryDefault),
    ownBytesMax: options.ownBytesMax ?? OWN_BYTES_MAX,
    viewPatienceMs: options.viewPatienceMs ?? VIEW_PATIENCE_MS,
    niceness: options.niceness ?? NICENESS_DEFAULT,
    protectedDatabases: options.protectedDatabases ?? ['hunt'],
    access: options.access ?? OPEN_ACCESS,
    writerUsername: WRITER_USERNAME,
    writerPassword: options.writerPassword ?? randomBytes(24).toString('base64url'),
    parentStartedAt: startTimeOf(process.pid) ?? '',
  };
}

/** Keys and passwords may stand in the server's environment; the engine could be made to read its own. */
function harmlessEnvironment(): NodeJS.ProcessEnv {
  const named = Object.entries(process.env).filter(([name]) => ENVIRONMENT.has(name) || name.startsWith('LC_'));
  return Object.fromEntries(named);
}

function compiled(file: string): string {
  return fileURLToPath(compiledUrl(import.meta.url, file));
}
