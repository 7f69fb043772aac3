/**
 * A server of its own for a test: the compiled command line in a child process, on any free ports. Started, stopped, killed
 * and started again on the same folder; asked in SQL through its ClickHouse. Used by test/e2e and test/faults.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { patient } from '../patience.ts';
import { KEY_HEADERS, childEnvironment, testTransport } from '../doors.ts';

export const root = join(import.meta.dirname, '..', '..');
const main = join(root, 'dist', 'src', 'main.js');

/** Start, recovery and ClickHouse's own start together; a start takes 1-3 s on 2 cores that nobody else uses. */
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;
const LOG_BYTES_MAX = 1 << 20;

export interface ServerOptions {
  readonly data: string;
  /** Pipeline file; default: the one that comes with the package. */
  readonly pipeline?: string;
  /** More options of `hunt serve`. */
  readonly options?: readonly string[];
  /** `host:port`, to come back where clients look for it. */
  readonly listen?: string;
  readonly clickhouseListen?: string;
  /** Files that it may have open (`ulimit -n`); default: as this process. */
  readonly descriptors?: number;
  /** For starts and stops that take long: default a minute, and half of one. */
  readonly waitMsMax?: number;
}

export interface Server {
  readonly url: string;
  readonly clickhouse: string;
  readonly pid: number;
  readonly data: string;
  /** What it wrote to standard error, for the message of a failing test. */
  log(): string;
  /** Rows of a SELECT. */
  query<Row>(sql: string): Promise<Row[]>;
  get<Body>(path: string): Promise<Body>;
  /** As an operator would: SIGTERM; resolves with the exit code once it is gone. */
  stop(): Promise<number | null>;
  /** As a terminal or a service manager would: the signal goes to all of its processes at once. */
  stopGroup(signal: 'SIGINT' | 'SIGTERM'): Promise<number | null>;
  /** `kill -9`. */
  kill(): Promise<void>;
  readonly exited: Promise<number | null>;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder that `remove` deletes. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'hunt-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

export async function startServer(options: ServerOptions): Promise<Server> {
  const command = [process.execPath, main, 'serve', ...serveOptions(options)];
  const limited = ['bash', '-c', `ulimit -n ${options.descriptors}; exec "$@"`, 'bash', ...command];
  const [program, ...args] = options.descriptors === undefined ? command : limited;
  const child = spawn(program!, args, {
    cwd: root,
    env: childEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own.
    detached: true,
  });
  // A test run that is ended early must leave nothing behind.
  const killAtExit = (): unknown => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  child.once('exit', () => process.off('exit', killAtExit));
  let log = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-LOG_BYTES_MAX)));
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  const { waitMsMax } = options;
  const ready = await firstLine(child, exited, () => log, waitMsMax ?? READY_MS_MAX);
  const { url, clickhouse } = JSON.parse(ready) as { url: string; clickhouse: string };
  return {
    url,
    clickhouse,
    pid: child.pid!,
    data: options.data,
    exited,
    log: () => log,
    query: (sql) => query(clickhouse, sql),
    get: (path) => get(`${url}${path}`),
    async stop() {
      child.kill('SIGTERM');
      return bounded(exited, waitMsMax ?? STOP_MS_MAX, () => `the server did not stop\n${log}`);
    },
    async stopGroup(signal) {
      process.kill(-child.pid!, signal);
      return bounded(exited, STOP_MS_MAX, () => `the server did not stop\n${log}`);
    },
    async kill() {
      child.kill('SIGKILL');
      await bounded(exited, STOP_MS_MAX, () => 'the killed server did not go');
    },
  };
}

function serveOptions({ data, pipeline, options, listen, clickhouseListen }: ServerOptions): string[] {
  const addresses = ['--listen', listen ?? '127.0.0.1:0', '--clickhouse-listen', clickhouseListen ?? '127.0.0.1:0'];
  return [
    ...(pipeline === undefined ? [] : [pipeline]),
    '--data',
    data,
    ...addresses,
    ...(options?.includes('--transport') === true ? [] : ['--transport', testTransport()]),
    '--json',
    ...(options ?? []),
  ];
}

function firstLine(
  child: ChildProcess,
  exited: Promise<number | null>,
  log: () => string,
  readyMsMax: number,
): Promise<string> {
  const line = new Promise<string>((done) => {
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      if (text.includes('\n')) done(text.slice(0, text.indexOf('\n')));
    });
  });
  const gone = exited.then((code): never => {
    throw new Error(`the server ended before it was ready: code=${code}\n${log()}`);
  });
  return bounded(Promise.race([line, gone]), readyMsMax, () => `the server did not get ready\n${log()}`).catch(
    (error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    },
  );
}

async function bounded<T>(promise: Promise<T>, ms: number, message: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const waitMs = patient(ms);
    timer = setTimeout(() => reject(new Error(`${message()}: waited_ms=${waitMs}`)), waitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function query<Row>(clickhouse: string, sql: string): Promise<Row[]> {
  const response = await fetch(`${clickhouse}/?database=hunt`, {
    method: 'POST',
    headers: KEY_HEADERS,
    body: `${sql} FORMAT JSONEachRow`,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${text}\nquery: ${sql}`);
  return text === ''
    ? []
    : text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Row);
}

async function get<Body>(url: string): Promise<Body> {
  const response = await fetch(url, { headers: KEY_HEADERS });
  const text = await response.text();
  if (!response.ok) throw new Error(`GET ${url}: status=${response.status} ${text}`);
  return JSON.parse(text) as Body;
}

/** Runs a command of `hunt` to its end. */
export async function hunt(
  args: readonly string[],
  options: { readonly input?: string | Buffer } = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: root,
    env: childEnvironment(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, stdout, stderr };
}

/** Polls until the condition holds; never longer than the bound. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, msMax = 15_000): Promise<void> {
  const deadline = performance.now() + patient(msMax);
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${msMax} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** As a client that is told to wait would ask: on a busy machine a share of time is used up by less. The body is read. */
export async function askPatiently(url: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  const deadline = performance.now() + patient(30_000);
  for (;;) {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(patient(30_000)) });
    const text = await response.text();
    if (response.status !== 429 || performance.now() > deadline) return { status: response.status, text };
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Recomputes every feature of every stored row in SQL: none may differ. */
export async function expectVerified(url: string, rows: number): Promise<void> {
  const { code, stdout, stderr } = await hunt(['verify', '--url', url, '--no-skew', '--json']);
  interface Feature {
    readonly feature: string;
    readonly rows: number;
    readonly different: number;
  }
  const { features } = JSON.parse(stdout) as { readonly features: readonly Feature[] };
  console.log(features.map((f) => `${f.feature} rows=${f.rows} different=${f.different}`).join('\n'));
  if (features.length < 10) throw new Error(`too few features: ${features.length}`);
  const wrong = features.filter((f) => f.different !== 0 || (f.rows !== rows && f.rows === 0));
  if (wrong.length > 0 || code !== 0) throw new Error(`${JSON.stringify(wrong)} code=${code} ${stderr}`);
}
