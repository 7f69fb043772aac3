/** One embedded ClickHouse for a test file, on a folder of its own; and a plain HTTP call to it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { keyDigests } from '../../src/access/keys.ts';
import { KEY_HEADERS, TEST_KEYS, testTransport } from '../doors.ts';
import { startEmbedded, type EmbeddedClickHouse, type EmbeddedOptions } from '../../src/clickhouse-embedded/index.ts';
import { patient } from '../patience.ts';

export interface Call {
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly method?: string;
  readonly asEngine?: boolean;
  readonly headers?: Record<string, string>;
  readonly url?: Record<string, string>;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export interface EmbeddedServer {
  readonly clickhouse: EmbeddedClickHouse;
  readonly folder: string;
  fetch(query: string, call?: Call): Promise<Response>;
  /** The whole answer, whatever its status. */
  ask(query: string, call?: Call): Promise<Answer>;
  /** The answer's text; anything but 200 is an error. */
  run(query: string, call?: Call): Promise<string>;
}

export function useEmbeddedServer(options: Partial<EmbeddedOptions> = {}): EmbeddedServer {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-'));
  let clickhouse: EmbeddedClickHouse | undefined;
  beforeAll(async () => {
    clickhouse = await startEmbedded({
      dataDirectory: folder,
      listen: '127.0.0.1:0',
      transport: testTransport(),
      // Whatever the port: some tests put a proxy in between.
      access: { keyDigests: keyDigests(TEST_KEYS), allowHosts: ['127.0.0.1'], allowOrigins: [] },
      log: () => undefined,
      ...options,
    });
  });
  afterAll(async () => {
    await clickhouse?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const running = (): EmbeddedClickHouse => {
    if (clickhouse === undefined) throw new Error('the server has not started');
    return clickhouse;
  };
  const request = (query: string, call: Call = {}): Promise<Response> => {
    const url = new URL(running().url);
    if (query !== '') url.searchParams.set('query', query);
    for (const [name, value] of Object.entries(call.url ?? {})) url.searchParams.set(name, value);
    const { username, password } = running().writer;
    const engine = { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password };
    const credentials = call.asEngine === true ? engine : KEY_HEADERS;
    return fetch(url, {
      method: call.method ?? 'POST',
      headers: { ...credentials, ...call.headers } as Record<string, string>,
      ...(call.body === undefined ? {} : { body: call.body, duplex: 'half' }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    } as RequestInit);
  };
  const ask = async (query: string, call: Call = {}): Promise<Answer> => {
    const response = await request(query, call);
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  return {
    get clickhouse() {
      return running();
    },
    folder,
    fetch: request,
    ask,
    async run(query, call) {
      const answer = await ask(query, call);
      if (answer.status !== 200) throw new Error(`status=${answer.status} ${answer.text}`);
      return answer.text;
    },
  };
}

/** Polls until the condition holds; never longer than the bound. */
export async function until(condition: () => boolean | Promise<boolean>, boundMs = 10_000): Promise<void> {
  const deadline = performance.now() + patient(boundMs);
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`condition not met: waited_ms=${boundMs}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
