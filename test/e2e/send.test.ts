/**
 * `hunt send` against a real server: several files, every form of JSON, rows that are no events, what is refused in words,
 * what is sent again, and the pipeline that refuses fields it does not know.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hunt, startServer, temporaryFolder, until, type CommandResult, type Server } from './server.ts';

const PROTO = `syntax = "proto3";
package t.v1;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
message Ev {
  string id = 1; string k = 2; google.protobuf.Timestamp at = 3; string comment = 4; double amount = 5; string currency = 6;
  google.protobuf.Duration took = 7; google.protobuf.Int64Value score = 8; google.protobuf.StringValue note = 9; bool ok = 10; uint64 big = 11;
}
`;
const pipeline = (more: string): string => `format: 1
pipeline: c
events: { proto: m.proto, message: t.v1.Ev, id: id, time: at, accept: { max_age: 36500d, max_future: 1d }${more} }
entities: { k: { key: event.k, primary: true, max: 10k, ttl: 30d } }
features: { k: { n: { agg: count } } }
decisions: { dd: { actions: [y, n], rules: [{ id: r, when: 'k.n > 100', then: y }], default: n } }
`;

const folder = temporaryFolder();
let server: Server;
let strict: Server;
beforeAll(async () => {
  file('m.proto', PROTO);
  const options = ['--batch-age', '100'];
  [server, strict] = await Promise.all([
    startServer({ data: join(folder.path, 'a'), pipeline: file('p.yaml', pipeline('')), options }),
    startServer({
      data: join(folder.path, 'b'),
      pipeline: file('s.yaml', pipeline(', unknown_fields: reject')),
      options,
    }),
  ]);
});
afterAll(async () => {
  await Promise.all([server?.stop(), strict?.stop()]);
  folder.remove();
});

function file(name: string, content: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, content);
  return path;
}

interface Summary {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: Record<string, number>;
  readonly refusals: readonly string[];
  readonly warnings: Record<string, { count: number; text: string }>;
}

async function send(...args: string[]): Promise<CommandResult & { readonly summaries: Summary[] }> {
  const result = await hunt(['send', '--url', server.url, '--json', ...args]);
  const lines = result.stdout.trim().split('\n');
  return { ...result, summaries: lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Summary] : [])) };
}

const T = '"k":"a","at":"2026-11-01T00:00:00Z"';

test('well-known types as every official writer of protobuf’s JSON prints them', async () => {
  const { code, summaries } = await send(
    file(
      'known.ndjson',
      `{"id":"e1",${T},"took":"1.500s"}\n{"id":"e2",${T},"score":"5"}\n{"id":"e3",${T},"note":"x"}\n` +
        `{"id":"e4",${T},"took":{"seconds":"1","nanos":500000000},"score":{"value":"5"}}\n{"id":"e5",${T},"score":9007199254740993,"took":"-0.5s"}\n`,
    ),
    '--ack',
    'stored',
  );
  expect([code, summaries[0]]).toMatchObject([0, { accepted: 5, rejected: {} }]);
  const rows = await server.query(
    `SELECT id, toString(took_seconds) AS s, took_nanos AS n, toString(score_value) AS v, note_value AS t FROM events WHERE id LIKE 'e_' ORDER BY id`,
  );
  expect(rows).toEqual([
    { id: 'e1', s: '1', n: 500000000, v: null, t: null },
    { id: 'e2', s: null, n: null, v: '5', t: null },
    { id: 'e3', s: null, n: null, v: null, t: 'x' },
    { id: 'e4', s: '1', n: 500000000, v: '5', t: null },
    { id: 'e5', s: '0', n: -500000000, v: '9007199254740993', t: null },
  ]);
});

test('1970 is a time like any other; none is none', async () => {
  const { summaries } = await send(
    file(
      'zero.ndjson',
      '{"id":"z1","k":"a","at":"1970-01-01T00:00:00Z"}\n{"id":"z2","k":"a"}\n{"id":"z3","k":"a","at":"1970-01-01t01:00:00.000000001+01:00"}\n',
    ),
    '--ack',
    'stored',
  );
  expect(summaries[0]).toMatchObject({ accepted: 2, rejected: { no_time: 1 } });
  expect(summaries[0]?.refusals).toEqual(['no_time: at: expected a time, got none; row 2']);
  const rows = await server.query("SELECT id, toString(at) AS at FROM events WHERE id LIKE 'z%' ORDER BY id");
  expect(rows).toEqual(['z1', 'z3'].map((id) => ({ id, at: '1970-01-01 00:00:00.000' })));
});

describe('what is refused', () => {
  const csv = `id,k,at,comment,currency\nr1,a,2026-11-01T00:00:00Z,fine,EUR\nr2,a,2026-11-01T00:00:00Z,well, shifted,EUR\nr3,a,2026-11-01T00:00:00Z\n`;

  test('CSV rows of the wrong length: exit 1, line and row, kept in dead_letters', async () => {
    const path = file('rows.csv', csv);
    const first = await send(path, '--ack', 'stored');
    expect([first.code, first.summaries[0]]).toMatchObject([1, { accepted: 1, rejected: { wrong_type: 2 } }]);
    expect(first.summaries[0]?.refusals).toEqual([
      'wrong_type: line 3: expected 5 values, one for each column of the header, got 6; row 2',
      'wrong_type: line 4: expected 5 values, one for each column of the header, got 3; row 3',
    ]);
    await until(async () => (await letters('r2,a%')).length === 1, 'the letter is stored');
    const again = await send(path, '--allow-rejected');
    expect([again.code, again.summaries[0]]).toMatchObject([
      0,
      { accepted: 0, duplicates: 1, rejected: { wrong_type: 2 } },
    ]);
  });

  const letters = (like: string): Promise<object[]> =>
    server.query(`SELECT code FROM dead_letters WHERE bytes LIKE '"${like}'`);

  test('field, value and the file’s row, in --answers and for people', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => `{"id":"f${i}",${T}${i === 16 ? ',"ok":"yes"' : ''}}`);
    const answers = join(folder.path, 'answers.ndjson');
    const path = file('seventeen.ndjson', lines.join('\n'));
    const { code } = await send(path, '--answers', answers, '--events-per-frame', '3');
    expect(code).toBe(1);
    const line = JSON.parse(readFileSync(answers, 'utf8').split('\n')[16]!) as object;
    expect(line).toEqual({
      index: 16,
      decisions: null,
      rejection: { code: 'wrong_type', text: 'ok: expected bool, got "yes"; row 17', field: 'ok', value: '"yes"' },
    });
    const { stdout } = await hunt(['send', path, '--url', server.url, '--events-per-frame', '7']);
    expect(stdout).toContain('wrong_type: ok: expected bool, got "yes"; row 17');
  });
});

test('several files in their order, one summary each; one that is not there stops them all', async () => {
  const list = file('list.json', `[{"id":"g1",${T}},\n {"id":"g2",${T},"contry":"de"}]`);
  const frame = file('frame.json', `{"events": [{"id":"g3",${T},"big":18446744073709551615}]}`);
  const missing = await send(list, join(folder.path, 'nowhere.json'));
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('nothing was sent')]);
  const { code, summaries } = await send(list, frame);
  expect([code, summaries.map(({ accepted }) => accepted)]).toEqual([0, [2, 1]]);
  expect(summaries[0]?.warnings).toEqual({
    contry: { count: 1, text: expect.stringContaining('no such field: contry') },
  });
  const both = await send(list, frame, '--producer', 'x');
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('several files and one producer')]);
});

test('a pipeline that refuses unknown fields names them, in JSON and in columns', async () => {
  const refuse = async (path: string): Promise<CommandResult> => hunt(['send', path, '--url', strict.url]);
  const { code, stdout } = await refuse(file('strict.ndjson', `{"id":"h1",${T}}\n{"id":"h2",${T},"amout":1}\n`));
  expect(code).toBe(1);
  expect(stdout).toContain('unknown_field: no such field: amout; did you mean amount?; row 2');
  const csv = await refuse(file('strict.csv', 'id,k,at,colour\nh3,a,2026-11-01T00:00:00Z,red\n'));
  expect([csv.code, csv.stderr]).toEqual([1, expect.stringContaining('columns=colour')]);
  const response = await fetch(`${strict.url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: Uint8Array.from([0x12, 6, 0x0a, 1, 0x78, 0x98, 6, 1]),
  });
  expect(Buffer.from(await response.arrayBuffer()).toString('latin1')).toMatch(
    /unknown_field.*field 99: no such field/s,
  );
});
