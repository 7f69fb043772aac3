/**
 * Starting, stopping, dying: no engine outlives its parent, no confirmed insert is lost, no start is blocked by what came
 * before.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { testTransport } from '../doors.ts';
import { startEmbedded, type EmbeddedClickHouse } from '../../src/clickhouse-embedded/index.ts';
import { until } from './embedded-server.ts';
import { installationWithout } from './installation.ts';

interface Held {
  readonly parent: ChildProcess;
  readonly pid: number;
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

const folders: string[] = [];
const processes: ChildProcess[] = [];
const engines: EmbeddedClickHouse[] = [];
afterEach(async () => {
  for (const each of processes.splice(0)) each.kill('SIGKILL');
  for (const each of engines.splice(0)) await each.stop();
  for (const each of folders.splice(0)) rmSync(each, { recursive: true, force: true, maxRetries: 20 });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-life-'));
  folders.push(folder);
  return folder;
}

async function start(dataDirectory: string, listen = '127.0.0.1:0', niceness = 0): Promise<EmbeddedClickHouse> {
  const clickhouse = await startEmbedded({
    dataDirectory,
    listen,
    transport: testTransport(),
    niceness,
    log: () => undefined,
  });
  engines.push(clickhouse);
  return clickhouse;
}

async function hold(dataDirectory: string): Promise<Held> {
  const compiled = fileURLToPath(new URL('../../dist/src/clickhouse-embedded/index.js', import.meta.url));
  const parentScript = fileURLToPath(new URL('./parent.mjs', import.meta.url));
  const parent = spawn(process.execPath, [parentScript, compiled, dataDirectory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.push(parent);
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  return { parent, ...(JSON.parse(line.toString()) as Omit<Held, 'parent'>) };
}

async function post(url: string, body: string, username = 'default', password = ''): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/** Gone, or a zombie that nobody has collected yet. */
function isGone(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return true;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

it('stops politely, frees the folder and keeps the data', async () => {
  const folder = newFolder();
  const first = await start(folder);
  await post(first.url, 'CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a');
  await post(first.url, 'INSERT INTO kept VALUES (1)');
  const slow = post(first.url, 'SELECT sleep(0.5)');
  await until(
    async () =>
      (await post(first.url, "SELECT count() FROM system.processes WHERE query LIKE '%sleep(0.5%'")) === '2\n',
  );
  await first.stop();
  expect(await slow).toBe('0\n');
  await first.died;
  const second = await start(folder);
  expect(await post(second.url, 'SELECT count() FROM kept')).toBe('1\n');
  expect(second.writer.password).not.toBe(first.writer.password);
});

it('leaves when its parent is killed, in the middle of inserts, and loses nothing confirmed', async () => {
  const folder = newFolder();
  const held = await hold(folder);
  const write = (text: string): Promise<string> => post(held.url, text, held.username, held.password);
  await write('CREATE DATABASE hunt');
  await write(
    'CREATE TABLE hunt.t (a UInt32) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100',
  );
  let confirmed = 0;
  const inserting = (async () => {
    for (;;) {
      await write(`INSERT INTO hunt.t SELECT number FROM numbers(${confirmed * 1000}, 1000)`);
      confirmed += 1;
    }
  })().catch(() => undefined);
  const busy = post(held.url, 'SELECT sum(cityHash64(number)) FROM numbers(100000000000)').catch(() => undefined);
  await until(() => confirmed >= 10);
  held.parent.kill('SIGKILL');
  // At once, in the same folder: the start waits for the old engine by itself.
  const next = await start(folder);
  expect(isGone(held.pid)).toBe(true);
  await Promise.all([inserting, busy]);
  const blocks = Number(await post(next.url, 'SELECT count() / 1000 FROM hunt.t'));
  expect([confirmed, confirmed + 1]).toContain(blocks);
});

it('ends a lingering engine whose parent is gone', async () => {
  const folder = newFolder();
  const held = await hold(folder);
  // A stopped process cannot see its channel close, nor leave: it holds the lock until somebody kills it.
  process.kill(held.pid, 'SIGSTOP');
  held.parent.kill('SIGKILL');
  await until(() => isGone(held.parent.pid ?? 0));
  const next = await start(folder);
  expect(isGone(held.pid)).toBe(true);
  expect(await post(next.url, 'SELECT 1')).toBe('1\n');
});

it('does not touch a process that only has the same number', async () => {
  const folder = newFolder();
  const bystander = spawn('sleep', ['30']);
  processes.push(bystander);
  await until(() => bystander.pid !== undefined);
  const record = { engine: { pid: bystander.pid, startedAt: 'earlier' }, parent: { pid: 1, startedAt: 'earlier' } };
  writeFileSync(join(folder, 'process.json'), JSON.stringify(record));
  await start(folder);
  expect(isGone(bystander.pid ?? 0)).toBe(false);
});

it('refuses a folder that another server uses, and a port that is taken', async () => {
  const folder = newFolder();
  const held = await hold(folder);
  await expect(start(folder)).rejects.toMatchObject({ code: 'embedded_folder_in_use' });
  expect(await post(held.url, 'SELECT 1')).toBe('1\n');
  await expect(start(newFolder(), held.url.slice('http://'.length))).rejects.toMatchObject({
    code: 'embedded_listen_failed',
  });
  await expect(start(newFolder(), 'nonsense')).rejects.toMatchObject({ code: 'embedded_listen_invalid' });
});

it('tells when the child dies, cleans up after it and runs at the priority asked for', async () => {
  const folder = newFolder();
  const first = await start(folder, '127.0.0.1:0', 5);
  const stat = readFileSync(`/proc/${first.pid}/stat`, 'utf8');
  expect(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]).toBe('5');
  writeFileSync(join(folder, 'requests', 'body-left'), 'x');
  process.kill(first.pid, 'SIGKILL');
  expect(await first.died).toEqual({ code: null, signal: 'SIGKILL' });
  const second = await start(folder);
  expect(existsSync(join(folder, 'requests', 'body-left'))).toBe(false);
  expect(await post(second.url, 'SELECT 1')).toBe('1\n');
});

it('says what to do where the library cannot be loaded', async () => {
  const starter = installationWithout(newFolder(), ['chdb']);
  const { startEmbedded: startThere } = (await import(/* @vite-ignore */ pathToFileURL(starter).href)) as {
    startEmbedded: typeof startEmbedded;
  };
  const options = { dataDirectory: newFolder(), listen: '127.0.0.1:0', log: () => undefined };
  await expect(startThere(options)).rejects.toMatchObject({
    code: 'embedded_unavailable',
    message: expect.stringContaining('--clickhouse URL') as string,
  });
});
