/**
 * What is refused says why, by every way in which it can be read: the answer in JSON and in protobuf, the answer given
 * again, `hunt send --answers`, the table dead_letters; and what is not known is named in the answer and counted in the
 * ledger.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAnswerProto } from '../../native-free-core/codec/messages.ts';
import { root, startServer, temporaryFolder, until, type Server } from './server.ts';

const PROTO = `syntax = "proto3";
package t.v1;
import "google/protobuf/timestamp.proto";
message Ev { string id = 1; string k = 2; google.protobuf.Timestamp at = 3; Login login = 4; string country = 5; double amount = 6; }
message Login { bool success = 1; }
`;
const PIPELINE = `format: 1
pipeline: c
events:
  proto: m.proto
  message: t.v1.Ev
  id: id
  time: at
  accept: { max_age: 3650d, max_future: 1d }
entities: { k: { key: event.k, primary: true, max: 10k, ttl: 30d } }
features: { k: { n: { agg: count } } }
decisions: { dd: { actions: [y, n], rules: [{ id: r, when: 'k.n > 100', then: y }], default: n } }
`;

const folder = temporaryFolder();
const at = new Date().toISOString();
let server: Server;
let message: protobuf.Type;
beforeAll(async () => {
  writeFileSync(join(folder.path, 'p.yaml'), PIPELINE);
  writeFileSync(join(folder.path, 'm.proto'), PROTO);
  message = protobuf.parse(PROTO, { keepCase: true }).root.lookupType('t.v1.Ev');
  protobuf.common.get('google/protobuf/timestamp.proto');
  message.root.addJSON(protobuf.common.get('google/protobuf/timestamp.proto')!.nested!);
  const pipeline = join(folder.path, 'p.yaml');
  server = await startServer({ data: join(folder.path, 'data'), pipeline, options: ['--batch-age', '100'] });
});
afterAll(async () => {
  await server?.stop();
  folder.remove();
});

interface Answer {
  readonly status: string;
  readonly events: number;
  readonly rejections: readonly { index: number; code: string; text: string; field?: string; value?: string }[];
  readonly warnings?: readonly { code: string; field: string; count: number; text: string }[];
}

async function send(body: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${server.url}/v1/events`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  return (await response.json()) as Answer;
}

async function sendProto(
  frame: Uint8Array,
  producer: string,
  seq: number,
): Promise<ReturnType<typeof readAnswerProto>> {
  const headers = { 'content-type': 'application/x-protobuf', 'x-hunt-producer': producer, 'x-hunt-seq': String(seq) };
  const response = await fetch(`${server.url}/v1/events`, { method: 'POST', body: frame, headers });
  return readAnswerProto(new Uint8Array(await response.arrayBuffer()));
}

function frameOf(events: readonly Uint8Array[]): Uint8Array {
  const w = protobuf.Writer.create();
  for (const event of events) w.uint32(0x12).bytes(event);
  return w.finish();
}

const seconds = Math.floor(Date.now() / 1000);
const good = (id: string, more: object = {}): Uint8Array =>
  message.encode(message.fromObject({ id, k: 'a', at: { seconds }, ...more })).finish();

test('JSON: field, value and row, in the answer and in dead_letters', async () => {
  const events = [
    { id: 'j0', k: 'a', at },
    { id: 'j1', k: 'a', at, login: { success: 'yes' } },
    { id: 'j2', k: 'a' },
    { id: 'j3', k: '', at },
    { id: 'j4', k: 'a', at: '1971-01-01T00:00:00Z' },
    { id: 'j5', k: 'a', at: '2199-01-01T00:00:00Z' },
    { id: 'j6', k: 'x'.repeat(70_000), at },
  ];
  const { rejections } = await send(JSON.stringify(events));
  expect(rejections.map(({ index, code, field, value }) => [index, code, field, value?.slice(0, 30)])).toEqual([
    [1, 'wrong_type', 'login.success', '"yes"'],
    [2, 'no_time', 'at', 'none'],
    [3, 'no_key', 'k', undefined],
    [4, 'time_too_old', 'at', '1971-01-01T00:00:00.000Z'],
    [5, 'time_too_new', 'at', '2199-01-01T00:00:00.000Z'],
    [6, 'string_too_long', 'k', `"${'x'.repeat(29)}`],
  ]);
  expect(rejections[0]?.text).toBe('login.success: expected bool, got "yes"; row 2');
  expect(rejections[3]?.text).toMatch(
    /^at: expected a time from .*accept\.max_age.*, got 1971-01-01T00:00:00\.000Z; row 5$/,
  );
  await until(async () => (await letters(`bytes LIKE '%"j6"%'`)).length === 1, 'the letters are stored');
  expect(await letters(`bytes LIKE '%"j1"%'`)).toEqual([
    { frame_index: 1, code: 'wrong_type', field: 'login.success', value: '"yes"', reason: rejections[0]?.text },
  ]);
});

function letters(where: string): Promise<object[]> {
  return server.query(`SELECT frame_index, code, field, value, reason FROM dead_letters WHERE ${where}`);
}

describe('protobuf', () => {
  test('the same, and the answer given again says it again', async () => {
    const bad = good('p1');
    const cut = bad.slice(0, -1);
    const text = Uint8Array.from([...good('p2'), 0x12, 2, 0xff, 0x41]);
    const frame = frameOf([good('p0'), cut, text]);
    const first = await sendProto(frame, 'proto-producer', 1);
    expect(first?.rejections).toEqual([
      {
        index: 1,
        code: 'malformed',
        text: expect.stringMatching(/^at: .*, at byte \d+ of the event; row 2$/),
        field: 'at',
      },
      {
        index: 2,
        code: 'invalid_utf8',
        text: 'k: expected text in UTF-8, got "\ufffdA"; row 3',
        field: 'k',
        value: '"\ufffdA"',
      },
    ]);
    const again = await sendProto(frame, 'proto-producer', 1);
    expect([again?.status, again?.rejections]).toEqual([2, first?.rejections]);
  });

  test('fields that nobody knows are named by number', async () => {
    const strange = Uint8Array.from([...good('u0'), 0x98, 6, 1, 0x22, 3, 0x10, 1, 0x08]);
    const other = Uint8Array.from([...good('u1'), 0x98, 6, 1, 0x30, 1]);
    const answer = await sendProto(frameOf([strange, other]), 'unknown-producer', 1);
    expect(answer?.rejections.map(({ index, field }) => [index, field])).toEqual([[0, 'login.success']]);
    expect(answer?.warnings.map(({ field, count }) => [field, count])).toEqual([
      ['field 99', 2],
      ['login.field 2', 1],
      ['amount (as a varint, where the message has double)', 1],
    ]);
  });
});

test('JSON keys that nobody knows are named in the answer and counted in the ledger', async () => {
  const before = (await server.get<{ unknownFields: number }>('/v1/ledger')).unknownFields;
  const answer = await send(
    JSON.stringify({ events: [{ id: 'w1', k: 'a', at, contry: 'de', login: { sucess: true } }] }),
  );
  expect([answer.status, answer.rejections]).toEqual(['OK', []]);
  expect(answer.warnings).toEqual([
    { code: 'unknown_field', field: 'contry', count: 1, text: 'no such field: contry; did you mean country?' },
    {
      code: 'unknown_field',
      field: 'login.sucess',
      count: 1,
      text: 'no such field: login.sucess; did you mean login.success?',
    },
  ]);
  await until(
    async () => (await server.get<{ unknownFields: number }>('/v1/ledger')).unknownFields >= before + 2,
    'counted',
  );
});

test('a frame that is none says where', async () => {
  const cases: [string, string, RegExp][] = [
    ['{"evnts":[]}', 'evnts', /did you mean events\?/],
    ['{"events":[{"id":"x"}', '', /not JSON: expected a comma or \] at byte 21, got the end/],
  ];
  for (const [body, field, text] of cases) {
    const answer = await send(body);
    expect([answer.status, answer.rejections[0]?.code]).toEqual(['REJECTED', 'frame_malformed']);
    expect(answer.rejections[0]?.field ?? '').toBe(field);
    expect(answer.rejections[0]?.text).toMatch(text);
  }
});

test('the contract of the wire has what answers carry', () => {
  const wire = readFileSync(join(root, 'proto', 'hunt', 'v1', 'wire.proto'), 'utf8');
  const { Answer, Rejection } = protobuf.parse(wire).root.lookup('hunt.v1') as unknown as Record<string, protobuf.Type>;
  expect([Answer!.fields['warnings']?.id, Rejection!.fields['field']?.id, Rejection!.fields['value']?.id]).toEqual([
    7, 4, 5,
  ]);
});
