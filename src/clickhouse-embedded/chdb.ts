/**
 * The engine itself: chDB, opened once per process. Only the child process imports this file.
 *
 * Every query gets a connection of its own (0.1 ms to open). That is what keeps clients apart: database, parameters and
 * settings are given when the connection opens and end with it, and a connection opened with `readonly=1` cannot be
 * talked out of it, while a `SETTINGS` clause or a `SET` on a shared session could do neither.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { OperatingError } from '../errors.ts';
import { describeSystem, loadFailure } from '../system/platform.ts';
import { EngineFailure } from './engine-failure.ts';

/** The part of chDB's session that is used here; asynchronous calls only (see FACTS: a synchronous one outlives a kill). */
interface ChdbSession {
  connection: unknown;
  queryAsync(query: string, options: { format: string }): Promise<ChdbAnswer>;
  close(): void;
}

interface ChdbAnswer {
  readonly elapsed: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
  bytes(): Uint8Array;
  text(): string;
}

interface Chdb {
  readonly Session: new (path: string, options: { connectionArgs: readonly string[] }) => ChdbSession;
}

interface ChdbNative {
  CloseConnection(connection: unknown): void;
}

export type Settings = ReadonlyMap<string, string>;

export interface QueryResult {
  readonly elapsedSeconds: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
  bytes(): Uint8Array;
  text(): string;
}

export interface ChdbConnection {
  /** Runs one statement; rejects with EngineFailure. One at a time. */
  run(statement: string, format?: string): Promise<QueryResult>;
  /** Only when nothing runs on it. */
  close(): void;
}

export interface ChdbEngine {
  readonly version: string;
  readonly timezone: string;
  connect(settings: Settings): ChdbConnection;
  /** The last connection: afterwards the folder is free. */
  close(): void;
}

/** Loads the library and opens the folder. Errors are operating errors with a word about what to do. */
export async function openChdb(folder: string, configurationPath: string): Promise<ChdbEngine> {
  const { chdb, native } = loadChdb();
  const open = (args: readonly string[]): ChdbSession => new chdb.Session(folder, { connectionArgs: args });
  let keeper: ChdbSession;
  try {
    // This connection stays open as long as the engine: the server inside ends with the last one.
    keeper = open([`--config-file=${configurationPath}`]);
  } catch (cause) {
    const retryable = /lock/i.test(String(cause));
    throw new OperatingError(
      retryable ? 'embedded_folder_locked' : 'embedded_open_failed',
      `embedded ClickHouse could not open its folder: reason=${JSON.stringify(String(cause))}. ` +
        'Check that no other process uses the data directory, that it is writable and that the disk is not full.',
      { cause, retryable },
    );
  }
  const first = await keeper.queryAsync('SELECT version(), timezone()', { format: 'TSV' });
  const [version = '', timezone = 'UTC'] = first.text().trim().split('\t');
  return {
    version,
    timezone,
    connect: (settings) => connect(open, native, settings),
    close: () => release(native, keeper),
  };
}

function connect(
  open: (args: readonly string[]) => ChdbSession,
  native: ChdbNative,
  settings: Settings,
): ChdbConnection {
  const args: string[] = [];
  for (const [name, value] of settings) args.push(`--${name}=${value}`);
  let session: ChdbSession;
  try {
    session = open(args);
  } catch (cause) {
    // The library says only that it failed; names were checked before, so what is left is a value.
    const pairs = [...settings].map(([name, value]) => `${name}=${value}`).join(' ');
    throw new EngineFailure(36, 'BAD_ARGUMENTS', `The engine refuses the value of one of these settings: ${pairs}`, {
      cause,
    });
  }
  return {
    async run(statement, format = 'TabSeparated') {
      try {
        const answer = await session.queryAsync(statement, { format });
        return {
          elapsedSeconds: answer.elapsed,
          rowsRead: answer.rowsRead,
          bytesRead: answer.bytesRead,
          bytes: () => answer.bytes(),
          text: () => answer.text(),
        };
      } catch (cause) {
        throw EngineFailure.of(cause);
      }
    },
    close: () => release(native, session),
  };
}

/**
 * The library's own close() waits for every call running anywhere in the process, so that during one long query all the
 * short ones behind it would pile up as open connections. The connection itself may be closed as soon as it is idle.
 */
function release(native: ChdbNative, session: ChdbSession): void {
  const connection = session.connection;
  session.connection = null;
  if (connection !== null) native.CloseConnection(connection);
  session.close();
}

function loadChdb(): { chdb: Chdb; native: ChdbNative } {
  const require = createRequire(import.meta.url);
  try {
    const chdb = require('chdb') as Chdb;
    const loader = require(join(dirname(require.resolve('chdb/package.json')), 'dist', 'loader.js')) as {
      loadNative(): ChdbNative;
    };
    return { chdb, native: loader.loadNative() };
  } catch (cause) {
    throw new OperatingError(
      'embedded_unavailable',
      `embedded ClickHouse does not load, ${whyMissing(cause)}: ${describeSystem()}; use a ClickHouse server instead: --clickhouse URL`,
      { cause },
    );
  }
}

function whyMissing(cause: unknown): string {
  const isPackage = cause instanceof Error && /Cannot find module 'chdb'/.test(cause.message);
  return isPackage ? 'the package chdb is not installed (npm install --include=optional)' : loadFailure(cause);
}
