/**
 * The client's package: small, without the engine, good for Node, for the compiler, for both bundlers, and in Chromium
 * against a real server. One file, since `npm pack` compiles it in one folder.
 */

import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HuntClient as BrowserClient } from '../../client/src/browser.ts';
import { patient } from '../patience.ts';
import { root, startServer, temporaryFolder, type Server } from './server.ts';
import { startWireServer } from '../client/wire-server.ts';
import { BUNDLERS, packClient, type PackedClient } from '../client/packed-client.ts';

const run = promisify(execFile);
const BYTES_MAX = 100_000;
const FRAMES = 200;
const PAGE = `import { HuntClient } from '@treasure-hunt-engine/client';
globalThis.HuntClient = HuntClient;
`;

const folder = temporaryFolder();
let packed: PackedClient;

beforeAll(async () => {
  packed = await packClient(folder.path);
  writeFileSync(join(packed.project, 'page.js'), PAGE);
}, patient(120_000));
afterAll(() => folder.remove());

test('it has the client and messages of the core, and is below 100 kB', () => {
  console.log(`@treasure-hunt-engine/client: ${packed.bytes} bytes packed, ${packed.files.length} files`);
  expect(packed.bytes).toBeLessThan(BYTES_MAX);
  const allowed =
    /^(?:README\.md|LICENSE|package\.json|dist\/client\/src\/[a-z0-9-]+\.(?:js|d\.ts)|dist\/native-free-core\/(?:base|codec|layout|plan)\/[a-z0-9-]+\.(?:js|d\.ts)|dist\/native-free-core\/language\/aggregates\/aggregate-names\.(?:js|d\.ts))$/;
  expect(packed.files.filter((file) => !allowed.test(file))).toEqual([]);
  for (const file of ['LICENSE', 'README.md', 'dist/client/src/index.js', 'dist/client/src/browser.js'])
    expect(packed.files).toContain(file);
});

test('in Node it sends, from a project that has nothing but ws', async () => {
  const server = await startWireServer({});
  try {
    const program = `import { HuntClient, OperatingError } from '@treasure-hunt-engine/client';
const client = await HuntClient.connect({ url: '${server.url}', producer: 'packed', encoding: 'json' });
const answer = await client.send([{ text: 'a' }, { text: 'b' }]);
await client.close();
const lost = await HuntClient.connect({ url: 'http://127.0.0.1:1' }).catch((error) => error);
console.log(JSON.stringify([answer.status, answer.events, lost instanceof OperatingError, lost.code]));
`;
    writeFileSync(join(packed.project, 'send.js'), program);
    const { stdout } = await run(process.execPath, ['send.js'], { cwd: packed.project });
    expect(JSON.parse(stdout)).toEqual(['OK', 2, true, 'server_unreachable']);
  } finally {
    await server.close();
  }
});

test.each([
  ['nodenext', 'Node', ['--module', 'nodenext', '--types', 'node', '--lib', 'es2022']],
  ['a bundler', 'browsers', ['--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2022,dom']],
])('the compiler knows its types, by %s for %s', async (_by, what, options) => {
  const source = `import { HuntClient, type ClientAnswer } from '@treasure-hunt-engine/client';
const client: HuntClient = await HuntClient.connect({ url: 'http://127.0.0.1:8700', producer: 'p' });
const answer: ClientAnswer = await client.send([{ event_id: 'e' }]);
const action: string | null | undefined = answer.decisions[0]?.['trust'];
// @ts-expect-error a number is no event
void client.send([1]);
export { action };
`;
  const name = `types-${what.toLowerCase()}.ts`;
  writeFileSync(join(packed.project, name), source);
  const conditions = what === 'browsers' ? ['--customConditions', 'browser', '--types', ''] : [];
  const common = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--typeRoots',
    join(root, 'node_modules', '@types'),
  ];
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const { stdout } = await run(tsc, [...common, ...options, ...conditions, name], { cwd: packed.project });
  expect(stdout).toBe('');
});

test.each(Object.keys(BUNDLERS) as (keyof typeof BUNDLERS)[])(
  '%s makes a script for browsers without anything of Node',
  async (name) => {
    const script = await BUNDLERS[name](packed.project, 'page.js');
    console.log(`a page with the client, by ${name}: ${script.length} characters`);
    expect(script).toContain('WebSocket');
    expect(script).not.toMatch(/["'`]node:|\brequire\(|\bBuffer\b|__vite-browser-external|from\s*["']ws["']/);
    expect(script.length).toBeLessThan(BYTES_MAX);
  },
);

const CHROMIUM = chromiumPath();
test.runIf(process.env['CI'] === 'true')('Chromium is there', () => expect(CHROMIUM).not.toBe(''));

/** In the page; what is evaluated there sees nothing of this file. */
declare const HuntClient: typeof BrowserClient;

describe.skipIf(CHROMIUM === '')('in Chromium (skipped without it)', () => {
  const KEY = 'key+with/odd=letters&more';
  const data = join(folder.path, 'data');
  let pages: Pages;
  let stranger: Pages;
  let browser: Browser;
  let server: Server;
  const start = (listen?: string): Promise<Server> =>
    startServer({
      data,
      options: ['--key', KEY, '--allow-origin', pages.origin, '--batch-age', '100', '--workers', '1'],
      ...(listen === undefined ? {} : { listen }),
    });

  beforeAll(async () => {
    const script = { esbuild: '', vite: '' };
    for (const name of ['esbuild', 'vite'] as const) script[name] = await BUNDLERS[name](packed.project, 'page.js');
    [pages, stranger] = [await servePages(script), await servePages(script)];
    server = await start();
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-proxy-server'] });
  }, patient(120_000));
  afterAll(async () => {
    await browser?.close();
    await Promise.all([pages, stranger].map((one) => one?.close()));
    await server?.kill();
  });

  test.each(['esbuild', 'vite'] as const)('a page by %s sends and reads what was decided', async (name) => {
    const tab = await browser.newPage();
    await tab.goto(`${pages.origin}/${name}`);
    const said = await tab.evaluate(
      async ({ url, key, producer }) => {
        const client = await HuntClient.connect({ url, key, producer });
        const event = (i: number): object => ({
          event_id: `${producer}-${i}`,
          player_id: '7',
          event_time: new Date().toISOString(),
          dig: { depth: 0.1, tool: 'HANDS' },
        });
        const answers = [await client.send([event(1), event(2)]), await client.send([event(1), { player_id: 'x' }])];
        await client.close();
        return { answers, name: client.producer };
      },
      { url: server.url, key: KEY, producer: `page-${name}` },
    );
    expect(said.name).toBe(`page-${name}`);
    expect(said.answers[0]).toMatchObject({ status: 'OK', events: 2, rejections: [] });
    expect(said.answers[0]!.decisions[0]).toMatchObject({ trust: 'allow' });
    expect(said.answers[1]!.rejections.length).toBeGreaterThanOrEqual(1);
    await tab.close();
  });

  test('a server that is killed and comes back gets every event once', async () => {
    const tab = await browser.newPage();
    await tab.goto(`${pages.origin}/esbuild`);
    const sending = tab.evaluate(
      async ({ url, key, frames }) => {
        const client = await HuntClient.connect({ url, key, producer: 'page-killed' });
        const answers = [];
        for (let frame = 0; frame < frames; frame++) {
          await client.room();
          const events = Array.from({ length: 5 }, (_, i) => ({
            event_id: `killed-${frame}-${i}`,
            player_id: String(i + 1),
            event_time: new Date().toISOString(),
            dig: { depth: 1, tool: 'SPADE' },
          }));
          answers.push(client.send(events));
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        const statuses = (await Promise.all(answers)).map(({ status }) => status);
        await client.close();
        return { statuses, reconnects: client.reconnects };
      },
      { url: server.url, key: KEY, frames: FRAMES },
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    const listen = server.url.replace('http://', '');
    await server.kill();
    server = await start(listen);
    const { statuses, reconnects } = await sending;
    expect(statuses.filter((status) => status !== 'OK' && status !== 'DUPLICATE')).toEqual([]);
    expect(statuses.length).toBe(FRAMES);
    expect(reconnects).toBeGreaterThanOrEqual(1);
    await expect.poll(() => storedOf('page-killed'), { timeout: patient(20_000) }).toEqual([FRAMES * 5, FRAMES * 5]);
    await tab.close();
  });

  test.each([
    ['a page of elsewhere', () => stranger, KEY],
    ['a wrong key', () => pages, 'another'],
  ])('%s is refused, and is told what to check', async (_, from, key) => {
    const tab = await browser.newPage();
    await tab.goto(`${from().origin}/vite`);
    const said = await tab.evaluate(
      ({ url, secret }) =>
        HuntClient.connect({ url, key: secret }).then(
          () => 'connected',
          (error: Error) => error.message,
        ),
      { url: server.url, secret: key },
    );
    expect(said).toMatch(/cannot reach the server: .*the browser does not say why; check .*the key/);
    expect(said).toContain(`--allow-origin ${from().origin}`);
    await tab.close();
  });

  /** Rows, and different ids among them. */
  async function storedOf(producer: string): Promise<number[]> {
    const sql = `SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(event_id)) AS ids FROM events WHERE _producer = '${producer}'`;
    const response = await fetch(`${server.clickhouse}/?database=hunt&default_format=JSONEachRow`, {
      method: 'POST',
      body: sql,
      headers: { 'X-ClickHouse-Key': KEY },
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    const { rows, ids } = JSON.parse(text) as { rows: number; ids: number };
    return [rows, ids];
  }
});

interface Pages {
  readonly origin: string;
  close(): Promise<void>;
}

/** `/esbuild` and `/vite`, each with its script. */
async function servePages(scripts: Readonly<Record<'esbuild' | 'vite', string>>): Promise<Pages> {
  const pagesServer = createServer(({ url }, response) => {
    const name = url?.slice(1).replace('.js', '') === 'vite' ? 'vite' : 'esbuild';
    const isScript = url?.endsWith('.js') === true;
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? scripts[name] : `<!doctype html><script type="module" src="/${name}.js"></script>`);
  });
  await new Promise<void>((resolve) => pagesServer.listen(0, '127.0.0.1', resolve));
  const { port } = pagesServer.address() as { port: number };
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => void pagesServer.close(() => resolve())),
  };
}

function chromiumPath(): string {
  const places = (process.env['PATH'] ?? '').split(':').map((place) => join(place, 'chromium'));
  return places.find((place) => existsSync(place)) ?? '';
}
