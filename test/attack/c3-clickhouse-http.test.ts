/**
 * The same attacks on HTTP itself at the ClickHouse port: nothing that two readers could cut apart differently may
 * insert a row, and what is stored is what is answered.
 */

import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { patient } from '../patience.ts';
import { KEY_HEADERS, isKeyed, testTransport } from '../doors.ts';
import { useEmbeddedServer } from '../clickhouse-embedded/embedded-server.ts';
import { sendRaw, type RawAnswer } from './raw-http.ts';

const CRLF = '\r\n';
const ROW = '{"n":1}';
const LENGTH = `Content-Length: ${ROW.length}`;
const CHUNKED = `${ROW.length.toString(16)}${CRLF}${ROW}${CRLF}0${CRLF}${CRLF}`;
const TARGET = '/?query=INSERT%20INTO%20mine.t%20FORMAT%20JSONEachRow';

function insert(headers: readonly string[], body = '', first = `POST ${TARGET} HTTP/1.1`): string {
  const key = Object.entries(KEY_HEADERS).map(([name, value]) => `${name}: ${value}`);
  return [first, 'Host: localhost:PORT', ...key, ...headers, '', body].join(CRLF);
}

interface Attack {
  readonly name: string;
  readonly send: string;
  readonly statuses: readonly number[];
}

const refused = [400, 501, 505];
const ATTACKS: readonly Attack[] = [
  { name: 'length and chunks', send: insert([LENGTH, 'Transfer-Encoding: chunked'], CHUNKED), statuses: refused },
  { name: 'two lengths', send: insert(['Content-Length: 0', LENGTH], ROW), statuses: refused },
  { name: 'another transfer coding', send: insert(['Transfer-Encoding: gzip'], CHUNKED), statuses: refused },
  {
    name: 'a coding that only ends in chunked',
    send: insert(['Transfer-Encoding: xchunked'], CHUNKED),
    statuses: refused,
  },
  { name: 'a signed length', send: insert([`Content-Length: +${ROW.length}`], ROW), statuses: refused },
  { name: 'a space before the colon', send: insert([`Content-Length : ${ROW.length}`], ROW), statuses: refused },
  {
    name: 'a chunk of 2^68 bytes',
    send: insert(['Transfer-Encoding: chunked'], `fffffffffffffffff${CRLF}${ROW}`),
    statuses: [...refused, 413],
  },
  {
    name: 'two users',
    send: insert(['X-ClickHouse-User: a', 'X-ClickHouse-User: default', LENGTH], ROW),
    statuses: refused,
  },
  { name: 'an expectation that nobody knows', send: insert(['Expect: 200-ok', LENGTH], ROW), statuses: [417] },
  {
    name: 'a thousand headers',
    send: insert([...Array.from({ length: 1000 }, (_, i) => `X-${i}: y`), LENGTH], ROW),
    statuses: [400, 413, 431],
  },
  { name: 'a body cut short', send: insert(['Content-Length: 5000'], ROW), statuses: [] },
];

const transport = testTransport();

describe(`the ClickHouse port over ${transport}`, () => {
  const server = useEmbeddedServer();
  beforeAll(async () => {
    await server.run('CREATE DATABASE mine');
    await server.run('CREATE TABLE mine.t (n UInt64) ENGINE = MergeTree ORDER BY n');
  }, 60_000);

  const rows = async (): Promise<number> => Number(await server.run('SELECT count() FROM mine.t'));
  const send = (text: string): Promise<RawAnswer> => {
    const { port } = server.clickhouse;
    return sendRaw(port, [text.replaceAll('PORT', String(port))], { quietMs: 150, msMax: patient(1000) });
  };

  test.each(ATTACKS)('$name', async ({ send: text, statuses }) => {
    const before = await rows();
    const answer = await send(text);
    for (const status of answer.statuses) expect(statuses, answer.text).toContain(status);
    expect(await rows()).toBe(before);
    const passed = await send(insert([LENGTH], ROW));
    expect(passed.statuses, passed.text).toEqual([200]);
    expect(await rows()).toBe(before + 1);
  });

  test.runIf(isKeyed)('without the key nothing is inserted', async () => {
    const before = await rows();
    expect((await send(insert([LENGTH], ROW).replace(/authorization: .*\r\n/, ''))).statuses).toEqual([403]);
    expect(await rows()).toBe(before);
    expect((await send(insert([LENGTH], ROW))).statuses).toEqual([200]);
  });

  test('chunked, expected and compressed bodies pass', async () => {
    const before = await rows();
    expect((await send(insert(['Transfer-Encoding: chunked'], CHUNKED))).statuses).toEqual([200]);
    expect((await send(insert(['Expect: 100-continue', LENGTH], ROW))).statuses).toEqual([200]);
    const headers = { 'content-encoding': 'gzip' };
    await server.run('INSERT INTO mine.t FORMAT JSONEachRow', { body: gzipSync(ROW), headers });
    expect(await rows()).toBe(before + 3);
  });

  test('pipelined inserts in one piece: what is answered is what is stored', async () => {
    const before = await rows();
    const answer = await send(insert([LENGTH], ROW).repeat(3));
    expect(answer.statuses).toEqual(transport === 'node' ? [200, 200, 200] : []);
    expect((await rows()) - before).toBe(answer.statuses.length);
  });

  test('HTTP/1.0 is answered where the library speaks it, else refused with nothing stored', async () => {
    const before = await rows();
    const answer = await send(insert([LENGTH], ROW, `POST ${TARGET} HTTP/1.0`));
    expect(answer.statuses).toEqual([transport === 'node' ? 200 : 505]);
    expect((await rows()) - before).toBe(transport === 'node' ? 1 : 0);
  });
});
