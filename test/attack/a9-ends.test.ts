/**
 * Ends of a server that name their reason: a thread that dies, a data folder that is none. One line on standard error, no
 * stack trace, exit code 1, within bounded time; each beside a neighbour that is taken.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDataFolder } from '../../src/system/data-folder.ts';
import { hunt, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';
import { digJson, post } from '../e2e/wire-client.ts';
import { ADDRESSES, expectOneLine } from './one-line.ts';

const HOOK = new URL('../faults/death-hook.mjs', import.meta.url).href;
const END_MS_MAX = 15_000;

const folder = temporaryFolder();
const at = (...names: string[]): string => join(folder.path, ...names);
const servers = new Set<Server>();
afterAll(async () => {
  for (const server of servers) await server.kill();
  folder.remove();
});

/** Everything on standard error is a line of the log, but the last one. */
function expectLastWord(stderr: string, says: RegExp): void {
  const lines = stderr.trim().split('\n');
  expect(lines.at(-1)).toMatch(says);
  expect(lines.slice(0, -1).filter((line) => !line.startsWith('{'))).toEqual([]);
  expect(stderr).not.toMatch(/^\s+at |Native stack trace|FATAL|terminate called/m);
}

describe('a part of the server dies', () => {
  const data = at('deaths');
  const order = at('death-order');
  let sent = 0;

  async function start(): Promise<Server> {
    rmSync(order, { force: true });
    const { NODE_OPTIONS: options = '' } = process.env;
    process.env['NODE_OPTIONS'] = `${options} --import=${HOOK}`;
    process.env['HUNT_DEATH_FILE'] = order;
    try {
      const server = await startServer({ data, options: ['--workers', '1', '--batch-age', '100'] });
      servers.add(server);
      return server;
    } finally {
      process.env['NODE_OPTIONS'] = options;
      delete process.env['HUNT_DEATH_FILE'];
    }
  }

  const postOne = (server: Server): Promise<{ bytes: Buffer }> =>
    post(server.url, JSON.stringify({ events: [digJson({ id: `d-${++sent}`, player: 3, at: Date.now() })] }), {
      type: 'application/json',
    });

  test.each([
    {
      who: 'spool',
      cause: 'EIO',
      says: /^hunt: the spool thread died: fdatasync failed: file=\S+ .*look at the disk.*start again \[spool_/,
    },
    { who: 'spool', cause: 'ENOSPC-sync', says: /^hunt: the spool thread died: fdatasync failed: file=\S+/ },
    { who: 'worker', cause: 'throw', says: /^hunt: a decision worker died: a worker dies of this; .*start again/ },
    { who: 'ingress', cause: 'throw', says: /^hunt: an ingress thread died: ingress dies of this; .*start again/ },
    { who: 'ingress', cause: 'reject', says: /^hunt: an ingress thread died: ingress dies of this; .*start again/ },
    { who: 'main', cause: 'throw', says: /^hunt: the main thread died: main dies of this; .*start again/ },
    { who: 'main', cause: 'reject', says: /^hunt: the main thread died: main dies of this; .*start again/ },
  ])(
    '$who of $cause: one last line, exit code 1, and the next start has all that was answered',
    async ({ who, cause, says }) => {
      const server = await start();
      // The control: it takes events, and has those of before.
      const answered = JSON.parse((await postOne(server)).bytes.toString()) as { rejections: unknown[] };
      expect(answered.rejections).toEqual([]);
      const kept = sent;
      const count = async (): Promise<number> =>
        Number((await server.query<{ n: number | string }>('SELECT count() AS n FROM events'))[0]!.n);
      await until(async () => (await count()) >= kept - skipped, 'what was answered is stored', END_MS_MAX);
      writeFileSync(order, `${who} ${cause}`);
      const begun = performance.now();
      // Not every cause comes without an event; whether this one is answered is open.
      const one = postOne(server).catch(() => undefined);
      const code = await Promise.race([server.exited, until(() => false, 'it ends', END_MS_MAX)]);
      await one;
      skipped++;
      expect(code).toBe(1);
      expect(performance.now() - begun).toBeLessThan(END_MS_MAX);
      servers.delete(server);
      expectLastWord(server.log(), says);
    },
    90_000,
  );
  /** Events that were under way when the server died: they may be there or not. */
  let skipped = 0;

  test('its ClickHouse: it is started again, and nothing ends', async () => {
    const server = await start();
    const { clickhouse } = await server.get<{ clickhouse: { pid: number } }>('/v1/server');
    process.kill(clickhouse.pid, 'SIGKILL');
    await postOne(server);
    await until(
      async () => {
        const found = await server
          .query<{ n: number | string }>(`SELECT count() AS n FROM events WHERE event_id = 'd-${sent}'`)
          .catch(() => []);
        return Number(found[0]?.n ?? 0) === 1;
      },
      'ClickHouse is back and has the event',
      30_000,
    );
    expect((await hunt(['audit', '--url', server.url])).code).toBe(0);
    expect(await server.stop()).toBe(0);
    servers.delete(server);
  }, 90_000);

  test('a second signal ends it at once, with 130 and without a word of Node', async () => {
    const server = await start();
    process.kill(server.pid, 'SIGTERM');
    await until(() => server.log().includes('stopping'), 'the first signal is heard');
    process.kill(server.pid, 'SIGTERM');
    // It may have been quicker than the second signal.
    expect([130, 0]).toContain(await server.exited);
    servers.delete(server);
    expect(server.log()).not.toMatch(/Native stack trace|terminate called/);
  }, 60_000);
});

describe('--data', () => {
  beforeAll(() => {
    for (const name of ['taken/spool', 'strange/src', 'strange/.git', 'lock/server.lock', 'ours/spool', 'ours/other'])
      mkdirSync(at(name), { recursive: true });
    writeFileSync(at('file'), 'a file');
    mkdirSync(at('spoiled'));
    writeFileSync(at('spoiled', 'spool'), 'a file');
    mkdirSync(at('beside'));
    writeFileSync(at('beside', 'game.yaml'), 'pipeline: x');
    mkdirSync(at('fresh', 'lost+found'), { recursive: true });
  });

  test.each([
    {
      name: 'in /proc, where a folder is never made and never refused',
      data: () => '/proc/foo',
      control: () => at('new'),
      says: /data=\/proc\/foo: .*ENOENT/,
    },
    {
      name: 'deep in /proc',
      data: () => '/proc/self/foo/bar',
      control: () => at('new', 'deep', 'deeper'),
      says: /cannot be made/,
    },
    { name: 'in /sys', data: () => '/sys/hunt', control: () => at('new-2'), says: /cannot be made error=E/ },
    {
      name: 'a file',
      data: () => at('file'),
      control: () => at('file-2'),
      says: /is no folder; choose another --data/,
    },
    { name: 'below a file', data: () => at('file', 'x'), control: () => at('new', 'x'), says: /ENOTDIR/ },
    { name: 'below a device', data: () => '/dev/null/x', control: () => at('null'), says: /ENOTDIR/ },
    { name: 'a device', data: () => '/dev/full', control: () => at('full'), says: /is no folder/ },
    {
      name: 'a name too long',
      data: () => at('a'.repeat(300)),
      control: () => at('a'.repeat(200)),
      says: /ENAMETOOLONG/,
    },
    {
      name: 'a path too long',
      data: () => at(...Array.from({ length: 3000 }, () => 'a')),
      control: () => at(...Array.from({ length: 30 }, () => 'a')),
      says: /ENAMETOOLONG/,
    },
    {
      name: 'the system’s own',
      data: () => '/etc',
      control: () => at('etc'),
      says: /no data folder and holds other things/,
    },
    {
      name: 'another program’s',
      data: () => at('strange'),
      control: () => at('ours'),
      says: /no data folder and holds other things/,
    },
    {
      name: 'one with a file in place of the spool',
      data: () => at('spoiled'),
      control: () => at('beside'),
      says: /spool in it is a file and not a folder/,
    },
    {
      name: 'one whose lock is a folder',
      data: () => at('lock'),
      control: () => at('fresh'),
      says: /lock of the data folder cannot be used: .*EISDIR/,
    },
  ])('$name', async ({ data, control, says }) => {
    expect(() => openDataFolder(control())).not.toThrow();
    const begun = performance.now();
    expectOneLine(await hunt(['serve', '--data', data(), ...ADDRESSES]), 1, says);
    expect(performance.now() - begun).toBeLessThan(END_MS_MAX);
  });

  test.skipIf(process.getuid?.() === 0)('one that this user may not write to', async () => {
    mkdirSync(at('read-only'));
    chmodSync(at('read-only'), 0o555);
    expectOneLine(await hunt(['serve', '--data', at('read-only'), ...ADDRESSES]), 1, /EACCES/);
    chmodSync(at('read-only'), 0o755);
    expect(() => openDataFolder(at('read-only'))).not.toThrow();
  });
});
