/**
 * Starts that would leave a server open by mistake are refused with a word of what to do; where the keys may come from; and
 * the audit log, which a crash and a ClickHouse that hangs do not make forget.
 */

import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, startServer, temporaryFolder, until, type Server } from '../e2e/server.ts';
import { testTransport } from '../doors.ts';
import { ask } from './ask.ts';

const folder = temporaryFolder();
const file = (name: string): string => join(folder.path, name);

beforeAll(() => {
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(file('keys'), '# ours\nfirst-key\n\n  second-key  \n', { mode: 0o600 });
  writeFileSync(file('empty'), '# nothing yet\n');
  writeFileSync(file('spaces'), 'a key\n');
});

afterAll(() => folder.remove());

interface Started {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `hunt serve` until it ends, or is ready and then ended. */
async function serve(options: readonly string[], environment: Record<string, string> = {}): Promise<Started> {
  const main = join(root, 'dist', 'src', 'main.js');
  const data = file(`data-${Math.random().toString(36).slice(2)}`);
  const given = ['--data', data, '--json', '--transport', testTransport(), ...options];
  const child = spawn(process.execPath, [main, 'serve', ...given], {
    cwd: root,
    env: { ...process.env, ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.includes('\n')) child.kill('SIGTERM');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, stdout, stderr };
}

const HERE = ['--listen', '127.0.0.1:0', '--clickhouse-listen', '127.0.0.1:0'];

describe('starts', () => {
  test.each<[string, readonly string[], Record<string, string>, RegExp]>([
    ['all addresses', ['--listen', '0.0.0.0:0'], {}, /insecure_listen/],
    ['no host', ['--listen', ':0'], {}, /insecure_listen/],
    ['all addresses of IPv6', ['--listen', '[::]:0'], {}, /insecure_listen/],
    ['a name', ['--listen', 'game.example:0'], {}, /insecure_listen/],
    ['what looks like loopback', ['--listen', '127.0.0.1.example:0'], {}, /insecure_listen/],
    [
      'ClickHouse on all addresses',
      ['--listen', '127.0.0.1:0', '--clickhouse-listen', '0.0.0.0:0'],
      {},
      /insecure_listen/,
    ],
    ['an empty key', [...HERE, '--key', ''], {}, /empty key: --key/],
    ['nothing but commas', ['--listen', '0.0.0.0:0', '--key', ',,'], {}, /empty key: --key/],
    ['an empty variable', HERE, { HUNT_KEY: '' }, /empty key: HUNT_KEY/],
    ['a variable that ends in a comma', HERE, { HUNT_KEY: 'a-key,' }, /empty key: HUNT_KEY/],
    ['a key file that is not there', [...HERE, '--key-file', '/nowhere/keys'], {}, /cannot read the key file/],
    ['a key file without keys', [...HERE, '--key-file', file('empty')], {}, /empty key/],
    ['a key with a space', [...HERE, '--key-file', file('spaces')], {}, /not a key/],
    ['every page', [...HERE, '--allow-origin', '*'], {}, /\* is not taken/],
    ['a page’s address', [...HERE, '--allow-origin', 'https://game.example/play'], {}, /not an origin/],
    ['no origin', [...HERE, '--allow-origin', 'null'], {}, /not an origin/],
    ['every name', [...HERE, '--allow-host', '*'], {}, /not a name/],
    ['an address for a name', [...HERE, '--allow-host', 'https://game.example'], {}, /not a name/],
  ])('%s: refused', async (_, options, environment, words) => {
    const { code, stdout, stderr } = await serve(options, environment);
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/ {4}at /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test.each<[string, readonly string[], Record<string, string>]>([
    [
      'all addresses, said to be meant',
      ['--listen', '0.0.0.0:0', '--clickhouse-listen', '0.0.0.0:0', '--insecure'],
      {},
    ],
    ['all addresses with a key', ['--listen', '0.0.0.0:0', '--clickhouse-listen', '0.0.0.0:0'], { HUNT_KEY: 'a-key' }],
    ['loopback', HERE, {}],
  ])('%s: starts', async (_, options, environment) => {
    const { code, stderr } = await serve(options, environment);
    expect(code, stderr).toBe(0);
  });
});

test('keys from everywhere count, none is told, and a file that others can read is warned of', async () => {
  writeFileSync(file('open-keys'), 'third-key\n');
  chmodSync(file('open-keys'), 0o644);
  process.env['HUNT_KEY'] = 'fourth-key,fifth-key';
  process.env['HUNT_KEY_FILE'] = file('open-keys');
  const options = ['--key-file', file('keys'), '--key', 'sixth-key'];
  const server = await startServer({ data: file('everywhere'), options }).finally(() => {
    delete process.env['HUNT_KEY'];
    delete process.env['HUNT_KEY_FILE'];
  });
  try {
    const keys = ['first-key', 'second-key', 'third-key', 'fourth-key', 'fifth-key', 'sixth-key'];
    const status = async (key: string): Promise<number> =>
      (await ask(server.url, { path: '/v1/server', headers: { 'x-hunt-key': key } })).status;
    for (const key of keys) expect(await status(key), key).toBe(200);
    for (const key of ['# ours', 'fourth-key,fifth-key', 'first', '']) expect(await status(key), key).toBe(401);
    const told = await ask(server.url, { path: '/v1/server', headers: { 'x-hunt-key': 'first-key' } });
    const { clickhouse } = JSON.parse(told.text) as { clickhouse: { pid: number } };
    const child = ['environ', 'cmdline'].map((name) => readFileSync(`/proc/${clickhouse.pid}/${name}`, 'utf8')).join();
    for (const key of keys) expect(`${told.text}${child}${server.log()}`).not.toContain(key);
    expect(server.log()).toContain('can be read by other users');
    expect(server.log()).toContain('without a right key');
  } finally {
    await server.kill();
  }
}, 120_000);

test('changes made while ClickHouse hangs are in audit_log after a crash, each once', async () => {
  const data = file('audited');
  let server: Server = await startServer({ data });
  const json = { 'content-type': 'application/json' };
  const rule = (name: string): Promise<{ status: number }> =>
    ask(server.url, {
      method: 'POST',
      path: '/v1/pipelines/rules',
      headers: json,
      body: JSON.stringify({ rule: name, disabled: true, actor: 'ann', reason: 'hangs' }),
    });
  try {
    expect((await rule('before')).status).toBe(404);
    const rows = (): Promise<{ subject: string; outcome: string }[]> =>
      server.query('SELECT subject, outcome FROM audit_log ORDER BY time');
    await until(async () => (await rows()).length === 1, 'the entry of before');
    const { clickhouse } = await server.get<{ clickhouse: { pid: number } }>('/v1/server');
    process.kill(clickhouse.pid, 'SIGSTOP');
    for (const name of ['one', 'two']) expect((await rule(name)).status).toBe(404);
    expect((await rule('digger')).status).toBe(202);
    await server.kill();
    process.kill(clickhouse.pid, 'SIGKILL');
    server = await startServer({ data });
    await until(async () => (await rows()).length === 4, 'the entries of the hanging time');
    expect(await rows()).toEqual([
      { subject: 'before', outcome: 'refused' },
      { subject: 'one', outcome: 'refused' },
      { subject: 'two', outcome: 'refused' },
      { subject: 'digger', outcome: 'interrupted' },
    ]);
    await until(
      () => readFileSync(join(data, 'audit', 'entries.json'), 'utf8').includes('"entries":[]'),
      'all is stored',
    );
    await server.kill();
    server = await startServer({ data });
    expect((await rows()).length).toBe(4);
  } finally {
    await server.kill();
  }
}, 180_000);
