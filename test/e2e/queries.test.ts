/** Named queries of two pipelines, on real servers: every shipped one, held against what was sent; and what is refused. */

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { QueryAnswer, QueryDescription } from '../../src/contract/named-queries.ts';
import { useEmbeddedServer } from '../clickhouse-embedded/embedded-server.ts';
import { patient } from '../patience.ts';
import { hunt, root, startServer, temporaryFolder, until, type Server } from './server.ts';

const folder = temporaryFolder();
const elsewhere = useEmbeddedServer();
let game: Server;
let shop: Server;

const OWN = `
queries:
  busiest:
    about: Customers by their events
    sql: SELECT customer_id, count() AS n FROM events WHERE country = {country:String} GROUP BY customer_id ORDER BY n DESC, customer_id LIMIT {limit:UInt32}
    defaults: { limit: 10 }
  many: { sql: 'SELECT number FROM numbers({n:UInt32})', rows_max: 100 }
  slow: { sql: 'SELECT sum(cityHash64(number)) FROM numbers({n:UInt64})', time_max: 1s }
  files: { sql: "SELECT * FROM file('/etc/passwd')" }
  nothing: { sql: SELECT nothing FROM nowhere }
  live_counts: { sql: SELECT count() AS all_of_them FROM events }
tests:`;

async function send(server: Server, events: readonly object[]): Promise<void> {
  const file = join(folder.path, 'events.ndjson');
  writeFileSync(file, events.map((event) => JSON.stringify(event)).join('\n'));
  const { code, stderr, stdout } = await hunt(['send', file, '--url', server.url]);
  expect(code, stdout + stderr).toBe(0);
  const counted = async (): Promise<boolean> =>
    (await server.query<{ n: number }>('SELECT toUInt32(count()) AS n FROM events'))[0]!.n === events.length;
  await until(counted, 'all are stored');
}

async function ask(
  server: Server,
  path: string,
): Promise<{ status: number; body: QueryAnswer & { error?: { code: string; message: string } } }> {
  const response = await fetch(`${server.url}/v1/queries/${path}`);
  return { status: response.status, body: (await response.json()) as QueryAnswer };
}

async function rows(server: Server, path: string): Promise<QueryAnswer['rows']> {
  const { status, body } = await ask(server, path);
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body.rowCount).toBe(body.rows.length);
  return body.rows;
}

/** Fields, decisions and features called as the queries call what they answer, and a key that may be empty. */
const ODD_PROTO = `syntax = "proto3";
package odd;
import "google/protobuf/timestamp.proto";
message Event {
  string id = 1;
  google.protobuf.Timestamp time = 2;
  uint64 key = 3;
  string events = 4;
  double rows = 5;
  oneof type { First first = 6; Last last = 7; }
}
message First { uint32 step = 1; }
message Last { uint32 d = 1; }
`;
const ODD = `format: 1
pipeline: odd
events: { proto: odd.proto, message: odd.Event, type: type, id: id, time: time, fields: { rows: { decimals: 2 } } }
entities:
  key: { key: event.key, primary: true, max: 1k, ttl: 1d }
  producer: { key: event.events, max: 1k, ttl: 1d }
features:
  key: { reached: { agg: count, window: 1m }, absent: { agg: sum, of: event.rows, window: 1m } }
decisions:
  d: { actions: [source, share], rules: [{ id: hits, when: event.key == 1, then: share }], default: source }
`;

beforeAll(async () => {
  game = await startServer({ data: join(folder.path, 'game') });
  const example = join(folder.path, 'shop-files');
  cpSync(join(root, 'docs', 'examples', 'shop'), example, { recursive: true });
  const file = join(example, 'pipeline.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('\ntests:', OWN));
  shop = await startServer({ data: join(folder.path, 'shop'), pipeline: file });
  const at = Date.now() - 60_000;
  const time = (i: number): string => new Date(at + i * 1000).toISOString();
  // Player 1 digs three times and finds; player 2 digs once; both are in hunt 7.
  await send(game, [
    ...[0, 1, 2].map((i) => ({
      event_id: `a${i}`,
      player_id: '1',
      hunt_id: '7',
      event_time: time(i),
      dig: { depth: 1, tool: 'SPADE' },
    })),
    { event_id: 'a3', player_id: '1', hunt_id: '7', event_time: time(3), find: { points: 5 } },
    { event_id: 'b0', player_id: '2', hunt_id: '7', event_time: time(4), dig: { depth: 2, tool: 'HANDS' } },
  ]);
  await send(shop, [
    ...[0, 1, 2].map((i) => ({
      Id: `p${i}`,
      Customer: '18446744073709551615',
      Time: time(i),
      Country: 'de',
      payment: { article: 4, amount: 10, card: 'c' },
    })),
    { Id: 'l', Customer: '5', Time: time(5), Country: "o'r", login: { success: true } },
  ]);
}, patient(120_000));
afterAll(async () => {
  for (const server of [game, shop]) await server?.kill();
  folder.remove();
});

describe('what is shipped', () => {
  test('counts, mixes and rules', async () => {
    const counts = await rows(game, 'live_counts');
    const byType = new Map<unknown, number>();
    for (const { type, events } of counts) byType.set(type, (byType.get(type) ?? 0) + Number(events));
    expect(Object.fromEntries(byType)).toEqual({ dig: 4, find: 1 });
    for (const { time } of counts) expect(Math.abs(Date.now() - Number(time))).toBeLessThan(patient(300_000));
    expect(await rows(game, 'decision_mix')).toEqual([
      { decision: 'assistance', action: 'continue', events: '4', share: 1 },
      { decision: 'trust', action: 'allow', events: '5', share: 1 },
    ]);
    const { plan } = await game.get<{ plan: { version: string } }>('/v1/pipeline');
    expect(await rows(game, 'rule_hits')).toEqual([
      { decision: 'assistance', rule: 'default', action: 'continue', version: plan.version, events: '4' },
      { decision: 'trust', rule: 'default', action: 'allow', version: plan.version, events: '5' },
    ]);
    expect(await rows(shop, 'decision_mix')).toMatchObject([{ decision: 'payment', action: 'pass', events: '3' }]);
  });

  test('entities: the top ones, and the history of one', async () => {
    expect(await rows(game, 'top_entities')).toMatchObject([
      { key: '1', events: '4' },
      { key: '2', events: '1' },
    ]);
    expect(await rows(game, 'top_entities?param.entity=hunt')).toMatchObject([{ key: '7', events: '5' }]);
    expect(await rows(shop, 'top_entities?param.limit=1')).toMatchObject([
      { key: '18446744073709551615', events: '3' },
    ]);
    expect(await rows(shop, 'top_entities?param.entity=pair')).toMatchObject([
      { key: '18446744073709551615,4', events: '3' },
    ]);
    const history = await rows(game, 'entity_history?param.key=1&param.limit=2');
    expect(history).toMatchObject([
      { event_id: 'a3', action: 'find', player_digs_5m: 3, player_finds_5m: 1 },
      { event_id: 'a2', action: 'dig', player_digs_5m: 3, assistance_rule: 'default' },
    ]);
    const pair = await rows(shop, 'entity_history?param.entity=pair&param.key=18446744073709551615,4');
    expect(pair.map((row) => row['event_id'])).toEqual(['p2', 'p1', 'p0']);
    expect(await rows(shop, 'entity_history?param.entity=card&param.key=c')).toHaveLength(3);
    expect(await rows(game, 'entity_history?param.key=3')).toEqual([]);
  });

  test('funnel, retention, percentiles', async () => {
    expect(await rows(game, 'funnel?param.first=dig&param.second=find')).toEqual([
      { step: 1, type: 'dig', entities: '2' },
      { step: 2, type: 'find', entities: '1' },
    ]);
    expect(await rows(game, 'funnel?param.first=dig&param.second=find&param.third=clue&param.within=60')).toHaveLength(
      3,
    );
    expect(await rows(game, 'retention')).toMatchObject([{ days_later: 0, entities: '2' }]);
    expect(await rows(game, 'percentiles?param.of=player.digs_5m')).toMatchObject([
      { rows: '5', absent: '0', lowest: 1, p50: 2, highest: 3 },
    ]);
    expect(await rows(shop, 'percentiles?param.of=model.risk')).toMatchObject([{ rows: '4' }]);
  });

  test('freshness and ledger', async () => {
    expect(await rows(game, 'freshness')).toMatchObject([
      { newest: expect.any(Number), behind_ms: expect.stringMatching(/^\d+$/) },
    ]);
    const [line, ...others] = await rows(game, 'ledger');
    expect(others).toEqual([]);
    expect(line).toMatchObject({ events: '5', dead_letters: '0' });
  });

  test(
    'every one of them is answered with what it has by itself',
    async () => {
      for (const server of [game, shop]) {
        const { queries } = (await (await fetch(`${server.url}/v1/queries`)).json()) as { queries: QueryDescription[] };
        const shipped = queries.filter(({ source }) => source === 'shipped');
        expect(shipped.length).toBeGreaterThanOrEqual(9);
        for (const { name, parameters } of shipped) {
          const needed = parameters.filter((one) => one.default === null);
          const given = needed.map((one) => `param.${one.name}=${encodeURIComponent(one.choices?.[0] ?? '1')}`);
          await rows(server, `${name}?${given.join('&')}`);
        }
      }
    },
    patient(60_000),
  );
});

test('names of the pipeline that the queries use, too, mean the pipeline’s columns', async () => {
  const file = join(folder.path, 'odd.yaml');
  writeFileSync(join(folder.path, 'odd.proto'), ODD_PROTO);
  writeFileSync(file, ODD);
  const odd = await startServer({ data: join(folder.path, 'odd'), pipeline: file });
  try {
    const time = new Date(Date.now() - 10_000).toISOString();
    await send(odd, [
      { id: 'a', time, key: '1', events: 'x', rows: 0.5, first: { step: 1 } },
      { id: 'b', time: new Date(Date.parse(time) + 5).toISOString(), key: '1', last: { d: 1 } },
      { id: 'c', time, key: '2', events: 'x', last: { d: 2 } },
      { id: 'd', time, key: '3', events: "o'k" },
    ]);
    expect((await rows(odd, 'live_counts')).reduce((sum, { events }) => sum + Number(events), 0)).toBe(4);
    expect(await rows(odd, 'decision_mix')).toMatchObject([
      { decision: 'd', action: 'share', events: '2' },
      { decision: 'd', action: 'source', events: '2' },
    ]);
    expect(await rows(odd, 'rule_hits')).toMatchObject([{ rule: 'default' }, { rule: 'hits' }]);
    expect(await rows(odd, 'top_entities')).toMatchObject([
      { key: '1', events: '2' },
      { key: '2', events: '1' },
      { key: '3', events: '1' },
    ]);
    // An event without a key belongs to nobody.
    expect(await rows(odd, 'top_entities?param.entity=producer')).toMatchObject([
      { key: 'x', events: '2' },
      { key: "o'k", events: '1' },
    ]);
    expect(await rows(odd, 'retention')).toMatchObject([{ entities: '3' }]);
    // Five milliseconds apart.
    expect(await rows(odd, 'funnel?param.first=first&param.second=last')).toMatchObject([
      { entities: '1' },
      { entities: '1' },
    ]);
    expect(await rows(odd, 'funnel?param.first=last&param.second=first')).toMatchObject([
      { entities: '2' },
      { entities: '0' },
    ]);
    expect(await rows(odd, 'entity_history?param.key=1')).toMatchObject([{ id: 'b' }, { id: 'a', key_absent: 0.5 }]);
    expect(await rows(odd, "entity_history?param.entity=producer&param.key=o'k")).toMatchObject([{ id: 'd' }]);
    expect(await rows(odd, 'entity_history?param.key=0')).toEqual([]);
    expect(await rows(odd, 'percentiles?param.of=key.reached')).toMatchObject([{ rows: '4', absent: '0', highest: 2 }]);
    expect(await rows(odd, 'ledger')).toMatchObject([{ events: '4' }]);
  } finally {
    await odd.kill();
  }
});

test('the query of the documentation answers', async () => {
  const piece = /```yaml\n(queries:[\s\S]*?)```/.exec(readFileSync(join(root, 'docs', 'queries.md'), 'utf8'))![1]!;
  const example = join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml');
  const file = join(folder.path, 'documented.yaml');
  const text = readFileSync(example, 'utf8');
  writeFileSync(file, `${text.slice(0, text.indexOf('\ntests:'))}\n${piece}`);
  const server = await startServer({ data: join(folder.path, 'documented'), pipeline: file });
  try {
    const event_time = new Date().toISOString();
    const buy = (i: number, amount: number): object => {
      return {
        event_id: `m${i}`,
        player_id: String(1 + (i % 2)),
        hunt_id: '1',
        event_time,
        purchase: { amount, item: 'map' },
      };
    };
    await send(server, [buy(0, 1), buy(1, 2.5), buy(2, 3)]);
    expect(await rows(server, 'big_spenders')).toEqual([
      { player_id: '1', spent: 4 },
      { player_id: '2', spent: 2.5 },
    ]);
  } finally {
    await server.kill();
  }
});

test('a ClickHouse elsewhere answers, too, and only reads', async () => {
  const { url, writer } = elsewhere.clickhouse;
  await elsewhere.run('CREATE DATABASE hunt', { asEngine: true });
  const file = join(folder.path, 'elsewhere.yaml');
  const text = readFileSync(join(root, 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'), 'utf8');
  const own = 'queries: { files: { sql: "SELECT * FROM file(\'/etc/passwd\')" } }';
  writeFileSync(file, `${text.slice(0, text.indexOf('\ntests:'))}\n${own}\n`);
  const address = url.replace('://', `://${writer.username}:${writer.password}@`);
  const options = ['--clickhouse', `${address}/hunt`];
  const server = await startServer({ data: join(folder.path, 'elsewhere'), pipeline: file, options });
  try {
    expect(await rows(server, 'decision_mix')).toEqual([]);
    expect(await rows(server, 'freshness')).toMatchObject([{ events_last_minute: '0' }]);
    expect(await ask(server, 'files')).toMatchObject({ status: 422, body: { error: { code: 'query_failed' } } });
  } finally {
    await server.kill();
  }
});

describe('of the pipeline', () => {
  test('it answers, stands before what is shipped, and a value is a value', async () => {
    expect(await rows(shop, 'busiest?param.country=de')).toEqual([{ customer_id: '18446744073709551615', n: '3' }]);
    expect(await rows(shop, `busiest?param.country=${encodeURIComponent("o'r")}`)).toEqual([
      { customer_id: '5', n: '1' },
    ]);
    for (const text of ["' OR 1=1 --", '\\', "de' UNION ALL SELECT 1, 2 --", '{limit:UInt32}', '\t\n'])
      expect(await rows(shop, `busiest?param.country=${encodeURIComponent(text)}`), text).toEqual([]);
    expect(await rows(shop, 'live_counts')).toEqual([{ all_of_them: '4' }]);
  });

  test.each([
    ['busiest', 400, 'bad_parameter', /busiest needs country/],
    ['busiest?param.country=de&param.limit=-1', 400, 'bad_parameter', /param\.limit is not a whole number from 0 to/],
    ['busiest?param.contry=de', 400, 'bad_parameter', /did you mean country/],
    ['busiest?param.country=de&param.country=at', 400, 'bad_parameter', /given twice/],
    ['busiest?country=de', 400, 'bad_parameter', /unknown parameter: country/],
    ['busiest?param.country=de&format=xml', 400, 'bad_parameter', /json, csv, arrow, parquet/],
    ['top_entities?param.entity=constructor', 400, 'bad_parameter', /one of customer, card, pair/],
    ['constructor', 404, 'unknown_query', /no query of this name/],
    ['bussiest', 404, 'unknown_query', /did you mean busiest/],
    ['many?param.n=101', 422, 'query_too_large', /rows/],
    ['slow?param.n=100000000000', 422, 'query_timeout', /longer than it may/],
    ['files', 422, 'query_failed', /file/],
    ['nothing', 422, 'query_failed', /nowhere/],
  ])('%s', async (path, status, code, message) => {
    const answer = await ask(shop, path);
    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect(answer.body.error!.message).toMatch(message);
  });

  test('a hundred rows are taken where a hundred may come', async () => {
    expect(await rows(shop, 'many?param.n=100')).toHaveLength(100);
  });
});

test('CSV, Arrow and Parquet', async () => {
  const get = (format: string): Promise<Response> => fetch(`${game.url}/v1/queries/decision_mix?format=${format}`);
  expect(await (await get('csv')).text()).toBe(
    '"decision","action","events","share"\n"assistance","continue",4,1\n"trust","allow",5,1\n',
  );
  const parquet = await get('parquet');
  expect(parquet.headers.get('content-type')).toBe('application/vnd.apache.parquet');
  const file = await parquet.arrayBuffer();
  expect(Buffer.from(file).subarray(0, 4).toString()).toBe('PAR1');
  expect(Buffer.from(await (await get('arrow')).arrayBuffer()).readInt32LE(0)).toBe(-1);
});

test('hunt query: lists, tables, JSON, a file, and what is wrong', async () => {
  const run = (...args: string[]) => hunt(['query', ...args, '--url', game.url]);
  const list = await run();
  expect(list.code, list.stderr).toBe(0);
  expect(list.stdout).toMatch(/^live_counts: /m);
  const table = await run('decision_mix', '--param', 'minutes=60');
  expect(table.stdout).toMatch(/decision +action +events +share\n +assistance +continue +4 +1\n/);
  const json = await run('top_entities', '--param', 'entity=hunt', '--param=limit=1', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ query: 'top_entities', rows: [{ key: '7' }] });
  const out = join(folder.path, 'mix.csv');
  expect((await run('decision_mix', '--format', 'csv', '--out', out)).code).toBe(0);
  expect(readFileSync(out, 'utf8').split('\n')[0]).toBe('"decision","action","events","share"');
  expect((await run('decision_mix', '--format', 'yaml')).code).toBe(2);
  expect((await run('decision_mix', '--param', 'minutes')).code).toBe(2);
  const wrong = await run('decision_mx');
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toMatch(/did you mean decision_mix/);
});
