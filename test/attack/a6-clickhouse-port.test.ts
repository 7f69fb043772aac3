/**
 * The ClickHouse port, as a stranger, a web page and a rebound name would ask it, with keys and without. The engine's own
 * user is apart: no key is its password, and its password is no key.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyDigests } from '../../src/access/keys.ts';
import { startEmbedded, type EmbeddedClickHouse } from '../../src/clickhouse-embedded/index.ts';
import { testTransport } from '../doors.ts';
import { ask, type Answered, type Ask } from './ask.ts';

const KEY = 'a-key-of-the-test';
const PAGE = 'https://grafana.example';
const folder = mkdtempSync(join(tmpdir(), 'port-'));
const logged: string[] = [];
let keyed: EmbeddedClickHouse;
let open: EmbeddedClickHouse;

beforeAll(async () => {
  const start = (name: string, keys: readonly string[]): Promise<EmbeddedClickHouse> =>
    startEmbedded({
      dataDirectory: join(folder, name),
      listen: '127.0.0.1:0',
      transport: testTransport(),
      access: { keyDigests: keyDigests(keys), allowHosts: ['clickhouse.example'], allowOrigins: [PAGE] },
      log: (_level, message) => logged.push(message),
    });
  [keyed, open] = await Promise.all([start('keyed', ['another-key', KEY]), start('open', [])]);
}, 60_000);

afterAll(async () => {
  await Promise.all([keyed?.stop(), open?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const QUESTION = '/?query=SELECT%20424242';
const basic = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const isAnswer = ({ status, text }: Answered): boolean => status === 200 && text === '424242\n';

describe('with keys', () => {
  const send = (request: Ask): Promise<Answered> => ask(keyed.url, request);

  test.each<[string, Ask]>([
    ['nothing', { path: QUESTION }],
    ['a wrong key', { path: QUESTION, headers: { 'x-clickhouse-key': 'wrong' } }],
    ['an empty key', { path: QUESTION, headers: { 'x-clickhouse-key': '' } }],
    ['the begin of a key', { path: QUESTION, headers: { 'x-clickhouse-key': KEY.slice(0, -1) } }],
    ['a key and more', { path: QUESTION, headers: { 'x-clickhouse-key': `${KEY}x` } }],
    ['what objects inherit', { path: QUESTION, headers: { 'x-clickhouse-key': 'constructor' } }],
    ['another user', { path: QUESTION, headers: basic('admin', KEY) }],
    ['the engine’s user with a key', { path: QUESTION, headers: basic('engine', KEY) }],
    ['the engine’s user without a password', { path: `${QUESTION}&user=engine` }],
    ['the user __proto__', { path: `${QUESTION}&user=__proto__&password=${KEY}` }],
    ['a wrong password in the query', { path: `${QUESTION}&password=wrong` }],
    ['a wrong Basic password', { path: QUESTION, headers: basic('default', 'wrong') }],
    ['a wrong bearer', { path: QUESTION, headers: { authorization: 'Bearer wrong' } }],
    [
      'a wrong header beside a right parameter',
      { path: `${QUESTION}&password=${KEY}`, headers: { 'x-clickhouse-key': 'no' } },
    ],
    ['a POST', { method: 'POST', path: '/', body: 'SELECT 424242' }],
    ['a PUT', { method: 'PUT', path: '/', body: 'SELECT 424242' }],
    ['an insert', { method: 'POST', path: '/?query=INSERT+INTO+mine.t+FORMAT+TSV', body: '1\n' }],
  ])('%s is not let in', async (_, request) => {
    const answer = await send(request);
    expect(answer.status, answer.text).toBe(403);
    expect(answer.headers['x-clickhouse-exception-code']).toBe('516');
    expect(answer.text).toContain('X-ClickHouse-Key');
    expect(answer.text).not.toContain(KEY);
  });

  test.each<[string, Ask]>([
    ['X-ClickHouse-Key', { path: QUESTION, headers: { 'x-clickhouse-key': KEY } }],
    ['with the user', { path: QUESTION, headers: { 'x-clickhouse-key': KEY, 'x-clickhouse-user': 'default' } }],
    ['Basic', { path: QUESTION, headers: basic('default', KEY) }],
    ['Basic without a user', { path: QUESTION, headers: basic('', 'another-key') }],
    ['a bearer', { path: QUESTION, headers: { authorization: `Bearer ${KEY}` } }],
    ['the query', { path: `${QUESTION}&user=default&password=${KEY}` }],
    ['a POST', { method: 'POST', path: '/', body: 'SELECT 424242', headers: { 'x-clickhouse-key': 'another-key' } }],
  ])('a key lets in: %s', async (_, request) => {
    expect(isAnswer(await send(request))).toBe(true);
  });

  test('the engine’s own user comes in by its own secret, which is no key', async () => {
    const { username, password } = keyed.writer;
    expect(isAnswer(await send({ path: QUESTION, headers: basic(username, password) }))).toBe(true);
    expect((await send({ path: QUESTION, headers: basic('default', password) })).status).toBe(403);
  });

  test('liveness needs no key, and guesses are told of in one line', async () => {
    for (const path of ['/ping', '/replicas_status', '/']) expect((await send({ path })).text).toBe('Ok.\n');
    expect(logged.filter((line) => line.includes('without a right key')).length).toBe(1);
  });
});

describe.each(['with keys', 'without keys'])('%s, whoever asks from elsewhere', (kind) => {
  const server = (): EmbeddedClickHouse => (kind === 'with keys' ? keyed : open);
  const key: Record<string, string> = kind === 'with keys' ? { 'x-clickhouse-key': KEY } : {};
  const send = (path: string, headers: Record<string, string>): Promise<Answered> =>
    ask(server().url, { path, headers: { ...key, ...headers } });
  const paths = [QUESTION, '/ping', '/', '/replicas_status', '/nothing'];

  test.each([
    'http://evil.example',
    'null',
    'http://localhost:3000',
    'https://grafana.example.evil.example',
    'http://grafana.example',
    'https://grafana.example:444',
    '*',
    'constructor',
  ])('the page %s', async (origin) => {
    for (const path of paths) {
      const answer = await send(path, { origin });
      expect(answer.status, path).toBe(403);
      expect(answer.text).toMatch(/web pages of elsewhere.*--allow-origin/);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect(isAnswer(await send(QUESTION, { origin: PAGE }))).toBe(true);
  });

  test('a page whose origin is not told', async () => {
    for (const site of ['cross-site', 'same-site'])
      expect((await send(QUESTION, { 'sec-fetch-site': site })).status).toBe(403);
    for (const site of ['none', 'same-origin'])
      expect(isAnswer(await send(QUESTION, { 'sec-fetch-site': site }))).toBe(true);
  });

  test.each(['evil.example', '127.0.0.1.evil.example', '127.0.0.1:1', '0.0.0.0', '[::]', '2130706433', 'x@127.0.0.1'])(
    'the name %s',
    async (host) => {
      for (const path of paths) {
        const answer = await send(path, { host });
        expect(answer.status, path).toBe(421);
        expect(answer.text).toMatch(/not called so.*--allow-host/);
      }
      for (const own of [`localhost:${server().port}`, 'clickhouse.example', 'clickhouse.example:8443'])
        expect(isAnswer(await send(QUESTION, { host: own })), own).toBe(true);
    },
  );

  test('a form of a foreign page cannot insert', async () => {
    const page = { origin: 'http://evil.example', 'content-type': 'text/plain' };
    const insert = (headers: Record<string, string>): Promise<Answered> =>
      ask(server().url, {
        method: 'POST',
        path: '/?query=INSERT+INTO+default.guests+FORMAT+TSV',
        headers: { ...key, ...headers },
        body: '1\n',
      });
    const create = 'CREATE TABLE IF NOT EXISTS default.guests (id UInt8) ENGINE = MergeTree ORDER BY id';
    const made = await ask(server().url, { method: 'POST', path: '/', headers: key, body: create });
    expect(made.status, made.text).toBe(200);
    expect((await insert(page)).status).toBe(403);
    expect((await insert({ 'content-type': 'text/plain' })).status).toBe(200);
    expect((await send('/?query=SELECT+count()+FROM+default.guests', {})).text).toBe('1\n');
  });
});

test('without keys everybody is let in, whatever password a client has been given', async () => {
  expect(isAnswer(await ask(open.url, { path: QUESTION }))).toBe(true);
  expect(isAnswer(await ask(open.url, { path: QUESTION, headers: { 'x-clickhouse-key': KEY } }))).toBe(true);
  expect((await ask(open.url, { path: QUESTION, headers: basic('engine', 'guess') })).status).toBe(403);
});
