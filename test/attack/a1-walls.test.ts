/**
 * The walls that need no parser: the engine's own user, whom nothing is refused by the guard, tries to leave the process.
 * Each attempt beside one inside that must work. Where the system has no such wall the server says so, and these tests are
 * skipped, saying it too.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installationWithout } from '../clickhouse-embedded/installation.ts';
import { useEmbeddedServer } from '../clickhouse-embedded/embedded-server.ts';
import { startServer, temporaryFolder } from '../e2e/server.ts';

const said: string[] = [];
const server = useEmbeddedServer({ log: (_, message) => void said.push(message) });
const BAIT = 'the-bait-word';
const outside = mkdtempSync(join(tmpdir(), 'attack-walls-'));
let listener: Server;
let heard = 0;
let address = '';

/** `all` where every wall stands. */
const wallsLine = (): string => said.find((line) => line.includes('embedded ClickHouse') && /wall/.test(line)) ?? '';
const stands = (wall: string): boolean => new RegExp(`walls around[^:]*:.*${wall} \\(`).test(wallsLine());

beforeAll(async () => {
  writeFileSync(join(outside, 'bait.txt'), `${BAIT}\n`);
  listener = createServer((socket) => {
    heard += 1;
    socket.destroy();
  });
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  address = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  // A program that may be run as far as the engine is concerned.
  const scripts = join(server.folder, 'engine', 'user_scripts');
  mkdirSync(scripts, { recursive: true });
  writeFileSync(join(scripts, 'run.sh'), `#!/bin/sh\necho ran > ${server.folder}/ran\necho 1\n`);
  chmodSync(join(scripts, 'run.sh'), 0o755);
  await server.run('CREATE TABLE walled (a String) ENGINE = MergeTree ORDER BY a', { asEngine: true });
}, 60_000);

afterAll(() => {
  listener.close();
  rmSync(outside, { recursive: true, force: true });
});

it('says at the start which walls stand', () => {
  expect(wallsLine()).not.toBe('');
  if (process.platform === 'linux' && process.env['CI'] === 'true') expect(wallsLine()).toContain('seccomp');
});

const attempts = (): readonly (readonly [wall: string, attempt: string, control: string])[] => {
  const parent = `/proc/${process.pid}`;
  return [
    ['files', `SELECT file('${outside}/bait.txt')`, `SELECT length(file('${server.folder}/engine.xml')) > 0`],
    [
      'files',
      `SELECT * FROM file('${outside}/bait.txt', LineAsString)`,
      `SELECT count() > 0 FROM file('${server.folder}/engine.xml', LineAsString)`,
    ],
    ['files', `SELECT * FROM file('/etc/passwd', LineAsString)`, "SELECT toTimeZone(now(), 'Europe/Vienna') > 0"],
    [
      'files',
      `SELECT * FROM file('/proc/self/root${outside}/bait.txt', LineAsString)`,
      `SELECT count() FROM file('/proc/self/status', LineAsString)`,
    ],
    ['files', `SELECT * FROM file('${parent}/cmdline', RawBLOB)`, "SELECT * FROM file('/proc/self/cmdline', RawBLOB)"],
    ['files', `SELECT * FROM file('${parent}/environ', RawBLOB)`, "SELECT * FROM file('/proc/self/environ', RawBLOB)"],
    ['files', `SELECT * FROM file('${parent}/mem', RawBLOB)`, 'SELECT count() FROM system.processes'],
    ['files', `SELECT * FROM file('${parent}/maps', LineAsString)`, 'SELECT 1'],
    [
      'files',
      `INSERT INTO FUNCTION file('${outside}/out.csv', CSV, 'a UInt8') SELECT 1`,
      `INSERT INTO FUNCTION file('${server.folder}/own.csv', CSV, 'a UInt8') SELECT 1`,
    ],
    ['files', `SELECT * FROM sqlite('${outside}/new.db', 't')`, 'SELECT 1'],
    [
      'files',
      `CREATE TABLE esc (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '${outside}/d/')`,
      'CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a',
    ],
    [
      'network',
      `SELECT * FROM url('http://${address}/', LineAsString) SETTINGS http_max_tries = 1`,
      'SELECT count() FROM system.clusters',
    ],
    [
      'network',
      `SELECT * FROM remote('${address}', system.one) SETTINGS connections_with_failover_max_tries = 1`,
      'SELECT * FROM system.one',
    ],
    [
      'network',
      `SELECT * FROM s3('http://${address}/bucket/key', 'CSV', 'a UInt8') SETTINGS s3_retry_attempts = 0, s3_max_single_read_retries = 1`,
      'SELECT 1',
    ],
    [
      'network',
      `SELECT * FROM mysql('${address}', 'd', 't', 'u', 'p') SETTINGS external_storage_connect_timeout_sec = 1`,
      'SELECT 1',
    ],
    [
      'network',
      `SELECT * FROM postgresql('${address}', 'd', 't', 'u', 'p') SETTINGS postgresql_connection_attempt_timeout = 1`,
      'SELECT 1',
    ],
    [
      'network',
      `SELECT hasColumnInTable('${address}', 'u', 'p', 'd', 't', 'c')`,
      "SELECT hasColumnInTable('system', 'one', 'dummy')",
    ],
    ['programs', "SELECT * FROM executable('run.sh', TSV, 'a String')", 'SELECT 1'],
  ];
};

it('the trusted user cannot leave the process', async (context) => {
  for (const [wall, attempt, control] of attempts()) {
    if (!stands(wall)) {
      console.warn(`skipped, no wall for ${wall}: ${wallsLine()}`);
      continue;
    }
    const answer = await server.ask('', { body: attempt, asEngine: true });
    expect.soft(answer.status, `${attempt} => ${answer.text.slice(0, 300)}`).toBeGreaterThanOrEqual(400);
    expect.soft(answer.text, attempt).not.toContain(BAIT);
    const inside = await server.ask('', { body: control, asEngine: true });
    expect.soft(inside.status, `${control} => ${inside.text}`).toBe(200);
  }
  if (!stands('files')) context.skip();
  const found = await server.ask('', {
    body: `SELECT * FROM file('${outside}/*', LineAsString, 'l String')`,
    asEngine: true,
  });
  expect(found.text).not.toContain(BAIT);
  expect(existsSync(join(outside, 'out.csv')) || existsSync(join(outside, 'new.db'))).toBe(false);
  expect(existsSync(join(server.folder, 'ran'))).toBe(false);
  expect(heard).toBe(0);
});

it('stores, merges and renames behind the walls as before', async () => {
  const run = (body: string): Promise<string> => server.run('', { body, asEngine: true });
  for (let part = 0; part < 3; part++)
    await run(`INSERT INTO walled SELECT toString(number) FROM numbers(${part * 1000}, 1000)`);
  await run('OPTIMIZE TABLE walled FINAL');
  await run('ALTER TABLE walled ADD COLUMN b UInt8 DEFAULT 1');
  await run("ALTER TABLE walled DELETE WHERE a = '0' SETTINGS mutations_sync = 2");
  await run('RENAME TABLE walled TO walled2');
  expect(await run('SELECT count(), sum(b) FROM walled2')).toBe('2999\t2999\n');
  await run('DROP TABLE walled2 SYNC');
});

it('no key of the server is in a command line, nor in the environment of the child', async (context) => {
  if (process.platform !== 'linux') context.skip();
  const data = temporaryFolder();
  process.env['HUNT_TEST_SECRET'] = 'environment-secret';
  const running = await startServer({ data: data.path, options: ['--key', 'argument-secret'] });
  try {
    const child = readFileSync(`/proc/${running.pid}/task/${running.pid}/children`, 'utf8').trim().split(' ')[0] ?? '';
    expect(child).toMatch(/^\d+$/);
    for (const pid of [String(running.pid), child])
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), pid).not.toContain('argument-secret');
    expect(readFileSync(`/proc/${child}/environ`, 'utf8')).not.toContain('environment-secret');
    expect(readFileSync(`/proc/${child}/environ`, 'utf8')).toContain('PATH=');
  } finally {
    delete process.env['HUNT_TEST_SECRET'];
    await running.kill();
    data.remove();
  }
}, 60_000);

it('without koffi the server runs, and says in one line which walls it could not raise', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'attack-nowalls-'));
  const starter = installationWithout(folder, ['koffi']);
  const script = `const { startEmbedded } = await import(${JSON.stringify(starter)});
    const clickhouse = await startEmbedded({ dataDirectory: ${JSON.stringify(join(folder, 'data'))}, listen: '127.0.0.1:0', log: (level, message) => console.log(level, message) });
    console.log((await (await fetch(clickhouse.url + '/?query=SELECT+41%2B1')).text()).trim());
    await clickhouse.stop();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  const code = await new Promise((done) => child.once('close', done));
  rmSync(folder, { recursive: true, force: true });
  expect(code).toBe(0);
  expect(text).toContain('42');
  expect(text).toMatch(
    /warn the embedded ClickHouse runs without a wall of the system for: .*koffi is not installed.*security\.md/,
  );
}, 60_000);
