/** `hunt send` against a server that speaks the wire: framing, resuming, what changed meanwhile, answers in order. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { elementsOf } from '../../../src/cli/send/json-elements.ts';
import { sendFile, type SendOptions } from '../../../src/cli/send/send-file.ts';
import { isComplete, type SendSummary } from '../../../src/cli/send/summary.ts';
import { loadPipelineFile } from '../../../src/config/index.ts';
import { defaultPipeline } from '../../../src/config/default-pipeline.ts';
import { seeded } from '../../../src/cli/load/random.ts';
import { startWireServer, type WireServer, type WireServerOptions } from '../../client/wire-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'hunt-send-test-'));
let plan: Plan;
const servers: WireServer[] = [];
beforeAll(async () => {
  ({ plan } = await loadPipelineFile(defaultPipeline()));
  return () => rmSync(folder, { recursive: true });
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(options: WireServerOptions = {}, importMap: Record<string, string> = {}): Promise<WireServer> {
  const server = await startWireServer({ ...options, routes: { '/v1/pipeline': { plan, importMap } } });
  servers.push(server);
  return server;
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const notes: string[] = [];
function send(server: WireServer, path: string, options: Partial<SendOptions> = {}): Promise<SendSummary> {
  notes.length = 0;
  return sendFile({
    url: server.url,
    key: undefined,
    file: path,
    format: null,
    delimiter: ',',
    producer: undefined,
    eventsPerFrame: 10,
    ack: 'durable',
    reconnectMs: 5000,
    answers: undefined,
    note: (message) => void notes.push(message),
    progress: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
}

function lines(count: number, from = 0): string {
  return Array.from({ length: count }, (_, i) => `{"event_id":"e${from + i}"}\n`).join('');
}

test('a file, then the same file packed: the same producer, nothing taken twice', async () => {
  const server = await serve();
  const first = await send(server, file('a.ndjson', lines(95)));
  // The test server refuses the first event of each frame.
  expect(first).toMatchObject({
    rows: 95,
    frames: 10,
    accepted: 85,
    duplicates: 0,
    skipped: 0,
    unanswered: 0,
    rejected: { no_key: 10 },
  });
  expect([...server.taken.values()].flat()).toEqual(lines(95).trim().split('\n'));
  const again = await send(server, file('b.ndjson.gz', gzipSync(lines(95))));
  expect(again).toMatchObject({
    producer: first.producer,
    rows: 95,
    accepted: 0,
    // What was rejected then is rejected again, and no duplicate.
    duplicates: 85,
    unanswered: 0,
    rejected: { no_key: 10 },
  });
  expect(server.taken.size).toBe(10);
  expect(notes.join()).toMatch(/up to 10/);
  expect((await send(server, file('c.ndjson', lines(95)), { eventsPerFrame: 7 })).producer).not.toBe(first.producer);
});

test('resumes within what the server remembers; what is older was answered then', async () => {
  const path = file('long.ndjson', lines(3000));
  const taken = new Map(Array.from({ length: 2000 }, (_, i) => [i + 1, [`{"event_id":"e${i}"}`]] as const));
  const server = await serve({ taken: new Map(taken), framesInFlight: 256 });
  const summary = await send(server, path, { eventsPerFrame: 1 });
  expect(Math.min(...server.seen.map(({ seq }) => seq))).toBe(2000 - 1023);
  expect(summary).toMatchObject({
    rows: 3000,
    skipped: 976,
    duplicates: 0,
    frames: 2024,
    unanswered: 0,
    rejected: { no_key: 2024 },
  });
  expect(server.taken.size).toBe(3000);
});

test('through RETRY and lost connections, answers in the order of the rows', async () => {
  const seed = 8;
  const random = seeded(seed);
  const server = await serve({
    framesInFlight: 8,
    fate: () => {
      const dice = random();
      return dice < 0.02 ? 'end' : dice < 0.04 ? 'take-and-end' : dice < 0.15 ? 'retry' : 'ok';
    },
  });
  const answers = join(folder, 'answers.ndjson');
  const summary = await send(server, file('d.ndjson', lines(1234)), { answers });
  expect(isComplete(summary), JSON.stringify({ seed, ...summary })).toBe(true);
  expect(summary.accepted + summary.duplicates + 0).toBeGreaterThan(1000);
  expect([...server.taken].sort(([a], [b]) => a - b).flatMap(([, texts]) => texts)).toEqual(
    lines(1234).trim().split('\n'),
  );
  const read = readFileSync(answers, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { index: number; decisions: object | null; rejection?: object });
  expect(read.map(({ index }) => index)).toEqual(Array.from({ length: 1234 }, (_, i) => i));
  expect(read[0]).toEqual({
    index: 0,
    decisions: null,
    rejection: { code: 'no_key', text: 'the event has no key; row 1' },
  });
  expect(read[1]).toEqual({ index: 1, decisions: { assistance: 'hint', trust: 'challenge' } });
});

test('a file that has grown under a given name: the frame that changed is not passed off as sent', async () => {
  const server = await serve();
  await send(server, file('log.ndjson', lines(15)), { producer: 'log' });
  const grown = await send(server, file('log.ndjson', lines(25)), { producer: 'log' });
  expect(grown).toMatchObject({ rows: 25, duplicates: 9, unanswered: 10, accepted: 4 });
  expect(isComplete(grown)).toBe(false);
  expect(grown.problems[0]).toMatch(/rows 11-20: frame 2 had 5 events when it was sent before, now 10/);
});

test('what is no JSON, and what fits no frame', async () => {
  const server = await serve();
  const path = file(
    'odd.ndjson',
    `{"event_id":"a"}\n\nnot json\n[1]\n{"event_id":"${'x'.repeat(1 << 20)}"}\n{"event_id":"b"}`,
  );
  const summary = await send(server, path);
  expect([...server.taken.values()].flat()).toEqual(['{"event_id":"a"}', '"not json"', '"[1]"', '{"event_id":"b"}']);
  expect(summary).toMatchObject({ rows: 5, unanswered: 1 });
  expect(summary.problems[0]).toMatch(/row 4 fits no frame/);
});

test('large events make smaller frames, the same ones every time', async () => {
  const server = await serve();
  const big = Array.from({ length: 10 }, (_, i) => `{"event_id":"${i}${'y'.repeat(200_000)}"}\n`).join('');
  const first = await send(server, file('big.ndjson', big));
  expect(first).toMatchObject({ rows: 10, frames: 5, unanswered: 0 });
  expect(await send(server, file('big.ndjson', big))).toMatchObject({ duplicates: 5, rejected: { no_key: 5 } });
});

test('interrupted: says so, and the next run goes on', async () => {
  const interruption = new AbortController();
  const server = await serve({
    framesInFlight: 2,
    fate: ({ seq }) => {
      if (seq === 5) interruption.abort();
      return 'ok';
    },
  });
  const path = file('e.ndjson', lines(1000));
  const cut = await send(server, path, { signal: interruption.signal });
  expect(cut.problems.at(-1)).toMatch(/run the same command again/);
  expect(server.taken.size).toBeLessThan(100);
  const rest = await send(server, path);
  expect(rest).toMatchObject({ rows: 1000, unanswered: 0 });
  expect([...server.taken.values()].flat()).toEqual(lines(1000).trim().split('\n'));
});

test('a server that goes away for good: the summary says what is missing', async () => {
  const server = await serve({ fate: ({ seq }) => (seq > 2 ? 'hold' : 'ok') });
  const sending = send(server, file('f.ndjson', lines(100)), { reconnectMs: 100 });
  await expect.poll(() => server.seen.length).toBeGreaterThan(2);
  await server.close();
  const summary = await sending;
  expect(isComplete(summary)).toBe(false);
  expect(summary.problems[0]).toMatch(/hunt serve/);
});

describe('CSV', () => {
  const csv = [
    '\ufeffevent_id,player_id,when,spade depth,dig.tool,lat,colour',
    'a,17850.0,2010-12-01 08:26:00,0.5,SPADE,,red',
    'b,18446744073709551615,2010-12-01 08:26:01.250+02:00,,,48.1,',
    '"c, ""quoted""",x,soon,deep,HANDS,north,',
  ].join('\r\n');
  const importMap = { event_time: 'when', 'dig.depth': 'spade depth' };

  test('columns by the pipeline’s import and by their names, values by their fields’ types', async () => {
    const server = await serve({}, importMap);
    const summary = await send(server, file('g.csv', csv));
    expect([...server.taken.values()].flat().map((text) => JSON.parse(text) as object)).toEqual([
      { event_id: 'a', player_id: 17850, event_time: '2010-12-01T08:26:00Z', dig: { depth: 0.5, tool: 'SPADE' } },
      { event_id: 'b', player_id: '18446744073709551615', event_time: '2010-12-01T08:26:01.250+02:00', lat: 48.1 },
      {
        event_id: 'c, "quoted"',
        player_id: 'x',
        event_time: 'soon',
        dig: { depth: 'deep', tool: 'HANDS' },
        lat: 'north',
      },
    ]);
    expect(summary.rows).toBe(3);
    expect(notes.join('\n')).toMatch(/left out: colour/);
  });

  test('NDJSON is mapped too', async () => {
    const server = await serve({}, importMap);
    await send(server, file('h.ndjson', '{"event_id":"a","when":"2010-12-01 08:26:00","spade depth":2}\n'));
    expect([...server.taken.values()].flat()).toEqual([
      '{"event_id":"a","event_time":"2010-12-01T08:26:00Z","dig":{"depth":2}}',
    ]);
  });

  test('a file without any field, without end, without being there, not in UTF-8', async () => {
    const server = await serve();
    await expect(send(server, file('i.csv', 'a,b\n1,2\n'))).rejects.toMatchObject({ code: 'no_columns' });
    await expect(send(server, join(folder, 'nowhere.csv'))).rejects.toMatchObject({ code: 'file_unreadable' });
    await expect(send(server, folder)).rejects.toMatchObject({ code: 'file_unreadable' });
    await expect(send(server, file('j.ndjson', Buffer.from([0x7b, 0xe9, 0x7d])))).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringContaining('UTF-8') as string,
    });
    await expect(send(server, file('k.ndjson.gz', gzipSync(lines(1000)).subarray(0, 60)))).rejects.toMatchObject({
      code: 'file_unreadable',
    });
  });

  test('rows of the wrong length are no events: sent as they stand, told by line and row', async () => {
    const server = await serve({}, importMap);
    const ragged = 'event_id,player_id,lat\na,1,2\n"b\n",1,2,3\n\nc,1\nd,1,2\n';
    const answers = join(folder, 'ragged.ndjson');
    const summary = await send(server, file('ragged.csv', ragged), { eventsPerFrame: 1, answers });
    expect([...server.taken.values()].flat()).toEqual([
      '{"event_id":"a","player_id":1,"lat":2}',
      JSON.stringify('"b\n",1,2,3'),
      '"c,1"',
      '{"event_id":"d","player_id":1,"lat":2}',
    ]);
    expect(summary.refusals[1]).toBe(
      'no_key: line 3: expected 3 values, one for each column of the header, got 4; row 2',
    );
    expect(summary.refusals[2]).toMatch(/line 6: expected 3 values.* got 2; row 3$/);
    expect(readFileSync(answers, 'utf8').split('\n')[2]).toContain('line 6: expected 3 values');
  });

  test('columns of one name, of one field, unknown ones where the pipeline refuses them, and another delimiter', async () => {
    const server = await serve({}, importMap);
    const refused = (name: string, text: string): Promise<SendSummary> => send(server, file(name, text));
    await expect(refused('t.csv', 'event_id,lat,lat\n1,2,3\n')).rejects.toMatchObject({ code: 'columns_twice' });
    await expect(refused('u.csv', 'event_id,eventId\n1,2\n')).rejects.toMatchObject({
      code: 'columns_twice',
      message: expect.stringContaining('event_id: event_id, eventId') as string,
    });
    await expect(refused('v.csv', 'event_id;lat\n1;2\n')).rejects.toMatchObject({
      message: expect.stringContaining("--delimiter ';'") as string,
    });
    await expect(refused('w.csv', 'event_id,lat\n"a,1\nb,2\n')).rejects.toMatchObject({ code: 'csv_malformed' });
    const strict = await startWireServer({
      routes: { '/v1/pipeline': { plan: { ...plan, unknownFields: 'reject' }, importMap } },
    });
    servers.push(strict);
    await expect(send(strict, file('x.csv', 'event_id,colour\n1,2\n'))).rejects.toMatchObject({
      code: 'unknown_columns',
    });
  });

  test('an empty file', async () => {
    const server = await serve();
    expect(await send(server, file('empty.ndjson', ''))).toMatchObject({ rows: 0, frames: 0, unanswered: 0 });
  });
});

describe('JSON that is no NDJSON', () => {
  const events = ['{"event_id":"a","player_id":9007199254740993}', '{\n  "event_id": "b]}\\""\n}', '{"event_id":"c"}'];
  test.each([
    ['a list', 'list.json', `[${events.join(',\n')}]\n`],
    ['a list without a telling name', 'list.txt', ` [ ${events.join(' , ')} ] `],
    [
      'a frame',
      'frame.json',
      `{"seq": 1, "events": [${events.map((e) => e.replaceAll('\n', '')).join(',')}], "more": [1]}`,
    ],
    ['events over several lines', 'pretty.json', events.map((e) => e.replace('{', '{\n')).join('\n')],
  ])('%s', async (_, name, text) => {
    const server = await serve();
    const summary = await send(server, file(name, text));
    expect(summary).toMatchObject({ rows: 3, unanswered: 0 });
    const taken = [...server.taken.values()].flat();
    expect(String(server.raw.get(1)![0])).toContain('9007199254740993');
    expect(taken.map((one) => (JSON.parse(one) as { event_id: string }).event_id)).toEqual(['a', 'b]}"', 'c']);
  });

  test.each([
    ['ends within an event', '[{"event_id":"a"},{"event_id":'],
    ['ends within its list', '[{"event_id":"a"},'],
    ['goes on behind its list', '[{"event_id":"a"}] {"event_id":"b"}'],
  ])('%s', async (_, text) => {
    const server = await serve();
    await expect(send(server, file('cut.json', text))).rejects.toMatchObject({ code: 'json_malformed' });
  });

  test('cut anywhere by the reading, the same events', async () => {
    const text = `[${events.join(', ')}, 7, "x,y", [1,[2]]]`;
    const whole: string[] = [];
    for await (const one of elementsOf(chunksOf([text]), 'x')) whole.push(one);
    expect(whole).toEqual([...events, '7', '"x,y"', '[1,[2]]']);
    for (let size = 1; size < 9; size++) {
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g'))!;
      const cut: string[] = [];
      for await (const one of elementsOf(chunksOf(pieces), 'x')) cut.push(one);
      expect(cut).toEqual(whole);
    }
  });
});

async function* chunksOf(texts: readonly string[]): AsyncIterable<string> {
  yield* texts;
}

test('long numbers keep their digits through the import', async () => {
  const server = await serve({}, { player_id: 'customer' });
  await send(
    server,
    file('long.ndjson', '{"event_id":"x1234567890123456789","customer":18446744073709551615,"lat":1.5}\n'),
  );
  expect([...server.taken.values()].flat()).toEqual([
    '{"event_id":"x1234567890123456789","lat":1.5,"player_id":"18446744073709551615"}',
  ]);
});
