/**
 * `/readyz` of a server whose disk is full, and of one whose ClickHouse refuses inserts alone: the part that fails is named
 * with its reason, the others are not; all goes on by itself once there is room again, and what was answered is stored once.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { useEmbeddedServer } from '../clickhouse-embedded/embedded-server.ts';
import { hunt, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';
import { digJson, post } from '../e2e/wire-client.ts';
import { startFaultyProxy } from '../warehouse/insert/faulty-proxy.ts';

const HOOK = new URL('death-hook.mjs', import.meta.url).href;
const folder = temporaryFolder();
const order = join(folder.path, 'order');
const clickhouse = useEmbeddedServer();
let server: Server | undefined;
let sent = 0;

afterEach(async () => {
  await server?.kill();
  server = undefined;
});
afterAll(() => folder.remove());

interface Ready {
  readonly status: number;
  readonly parts: readonly string[];
  readonly text: string;
}

async function readyz({ url }: Server): Promise<Ready> {
  const response = await fetch(`${url}/readyz`);
  const text = await response.text();
  const { failing } = JSON.parse(text) as { failing: { part: string }[] };
  return { status: response.status, parts: failing.map(({ part }) => part), text };
}

async function untilReadyz(of: Server, status: number): Promise<Ready> {
  let last = await readyz(of);
  await until(async () => (last = await readyz(of)).status === status, `readyz answers ${status}`, 30_000);
  return last;
}

async function spareSegments({ url }: Server): Promise<number> {
  const { spool } = (await (await fetch(`${url}/v1/server`)).json()) as { spool: { spareSegments: number } | null };
  return spool?.spareSegments ?? 0;
}

/** The status of one frame of one event. */
async function send({ url }: Server): Promise<number> {
  const events = [digJson({ id: `r-${++sent}`, player: 1, at: Date.now() })];
  const { status } = await post(url, JSON.stringify({ events }), { type: 'application/json' });
  if (status !== 200) sent--;
  return status;
}

/** Every answered event is there once. */
async function expectStored(of: Server, count: () => Promise<string>): Promise<void> {
  await until(async () => (await count()) === `${sent}\t${sent}`, `${sent} events are stored, each once`, 30_000);
  const audit = await hunt(['audit', '--url', of.url]);
  expect(audit.code, audit.stdout + audit.stderr).toBe(0);
}

test('a full disk: answers fail and say why, frames are refused, and all goes on once there is room', async () => {
  sent = 0;
  const { NODE_OPTIONS: options = '' } = process.env;
  process.env['NODE_OPTIONS'] = `${options} --import=${HOOK}`;
  process.env['HUNT_DEATH_FILE'] = order;
  try {
    server = await startServer({ data: join(folder.path, 'full'), options: ['--batch-age', '50', '--workers', '1'] });
  } finally {
    process.env['NODE_OPTIONS'] = options;
    delete process.env['HUNT_DEATH_FILE'];
  }
  const running = server;
  expect(await send(running)).toBe(200);
  expect((await untilReadyz(running, 200)).parts).toEqual([]);
  // Preparing one would meet the full disk before the frame does.
  await until(async () => (await spareSegments(running)) > 0, 'the next segment is prepared', 30_000);

  writeFileSync(order, 'spool ENOSPC-write');
  // It is decided, and waits for the disk with its answer.
  const waiting = send(running);
  const full = await untilReadyz(running, 503);
  expect(full.parts).toEqual(['answers']);
  expect(full.text).toContain('the disk is full');
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
  expect(await running.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await until(async () => [429, 503].includes(await send(running)), 'new frames are refused');

  rmSync(order);
  await untilReadyz(running, 200);
  expect(await waiting).toBe(200);
  expect(await send(running)).toBe(200);
  await expectStored(running, async () => {
    const [found] = await running.query<{ n: string; ids: string }>(
      'SELECT count() AS n, uniqExact(event_id) AS ids FROM events',
    );
    return `${found!.n}\t${found!.ids}`;
  });
  expect(running.log()).toContain('"part":"answers"');
}, 120_000);

test('inserts alone fail: storing says why, queries and answers go on, and what waited is stored once', async () => {
  sent = 0;
  let refusesInserts = false;
  const target = new URL(clickhouse.clickhouse.url);
  const proxy = await startFaultyProxy({
    host: target.hostname,
    port: Number(target.port),
    chooseFault: (head) => (refusesInserts && /^POST \S*INSERT(\+|%20)INTO/.test(head) ? 'error-500' : 'none'),
    random: () => 0,
    delayMs: 0,
  });
  const { username, password } = clickhouse.clickhouse.writer;
  await clickhouse.run('CREATE DATABASE hunt', { asEngine: true });
  const url = proxy.url.replace('://', `://${username}:${password}@`);
  try {
    server = await startServer({
      data: join(folder.path, 'inserts'),
      options: ['--batch-age', '50', '--workers', '1', '--clickhouse', `${url}/hunt`],
    });
    const running = server;
    expect(await send(running)).toBe(200);
    expect((await untilReadyz(running, 200)).parts).toEqual([]);

    refusesInserts = true;
    expect(await send(running)).toBe(200);
    const failing = await untilReadyz(running, 503);
    expect(failing.parts).toEqual(['storing']);
    expect(failing.text).toMatch(/could not insert.*Memory limit/s);
    expect(failing.text).not.toContain(password);
    for (let i = 0; i < 5; i++) expect(await send(running)).toBe(200);
    expect((await readyz(running)).parts).toEqual(['storing']);
    expect(proxy.struck['error-500']).toBeGreaterThan(0);

    refusesInserts = false;
    await untilReadyz(running, 200);
    await expectStored(running, async () =>
      (await clickhouse.run('SELECT count(), uniqExact(event_id) FROM hunt.events', { asEngine: true })).trim(),
    );
    expect(running.log()).toContain('"part":"storing"');
  } finally {
    await server?.kill();
    server = undefined;
    await proxy.close();
  }
}, 120_000);
