/**
 * Real input that a registry carries, so that it runs in every clone: 20,000 flights of early 2001 through `hunt send`. What
 * is known of each airport and route is counted here again, in plain code, and compared with the answers, the entities and
 * SQL.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectVerified, hunt, root, startServer, temporaryFolder, until, type Server } from './server.ts';

/** Of vega-datasets, the sample that keeps dates and airports. */
const FLIGHTS = join(root, 'node_modules', 'vega-datasets', 'data', 'flights-20k.json');
const COUNT = 20_000;
const HOUR_MS = 3_600_000;
const HOURS_OF_A_DAY = 24;

interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

interface Airport {
  flights: number;
  delay: number;
  farthest: number;
  late: number;
}

const flights = JSON.parse(readFileSync(FLIGHTS, 'utf8')) as readonly Flight[];
const folder = temporaryFolder();
const file = join(folder.path, 'flights.ndjson');
const answersFile = join(folder.path, 'answers.ndjson');
let server: Server;

beforeAll(async () => {
  const lines = flights.map(({ date, ...rest }, i) =>
    JSON.stringify({ id: i + 1, departed: `${date.replaceAll('/', '-').replace(' ', 'T')}:00Z`, ...rest }),
  );
  writeFileSync(file, `${lines.join('\n')}\n`);
  server = await startServer({
    data: join(folder.path, 'data'),
    pipeline: join(root, 'test', 'e2e', 'flights', 'pipeline.yaml'),
    options: ['--batch-age', '200'],
  });
});
afterAll(async () => {
  await server?.stop();
  folder.remove();
});

function expectedAirports(): Map<string, Airport> {
  const airports = new Map<string, Airport>();
  for (const { origin, delay, distance } of flights) {
    const airport = airports.get(origin) ?? { flights: 0, delay: 0, farthest: 0, late: 0 };
    airport.flights++;
    airport.delay += delay;
    airport.farthest = Math.max(airport.farthest, distance);
    if (delay > 60) airport.late++;
    airports.set(origin, airport);
  }
  return airports;
}

test('20,000 flights end as 20,000 rows; sent again, none is added', async () => {
  const send = async (...options: string[]): Promise<Record<string, number>> => {
    const result = await hunt(['send', file, '--url', server.url, '--json', ...options]);
    expect(result.code, result.stdout + result.stderr).toBe(0);
    return JSON.parse(result.stdout) as Record<string, number>;
  };
  const rows = async (): Promise<number> =>
    (await server.query<{ n: number }>('SELECT toUInt32(count()) AS n FROM events'))[0].n;
  expect(flights).toHaveLength(COUNT);
  expect(await send('--answers', answersFile)).toMatchObject({ rows: COUNT, accepted: COUNT, unanswered: 0 });
  await until(async () => (await rows()) >= COUNT, 'all rows');
  expect(await send('--ack', 'stored')).toMatchObject({ accepted: 0, duplicates: COUNT });
  expect(await rows()).toBe(COUNT);
  const audit = await hunt(['audit', '--url', server.url]);
  expect(audit.code, audit.stdout + audit.stderr).toBe(0);
});

/** The windows of SEMANTICS §5 in plain code: a day of hours, ordered input, so that the clock is the flight's own time. */
function expectedAdvice(): string[] {
  const lateHours = new Map<string, number[]>();
  return flights.map(({ date, delay, origin }) => {
    const hour = Math.floor(Date.parse(`${date.replaceAll('/', '-').replace(' ', 'T')}:00Z`) / HOUR_MS);
    const hours = (lateHours.get(origin) ?? []).filter((late) => late >= hour - HOURS_OF_A_DAY);
    if (delay > 60) hours.push(hour);
    lateHours.set(origin, hours);
    return delay > 60 && hours.length > 2 ? 'rebook' : 'wait';
  });
}

test('the advice on every flight is what plain code gives', () => {
  const answers = readFileSync(answersFile, 'utf8').trim().split('\n');
  const advice = answers.map((line) => (JSON.parse(line) as { decisions: { advice: string } }).decisions.advice);
  expect(advice).toEqual(expectedAdvice());
  expect(advice.filter((one) => one === 'rebook').length).toBeGreaterThan(100);
});

test('each airport is known as plain code counts it', async () => {
  for (const [name, expected] of expectedAirports()) {
    const { features } = await server.get<{ features: Airport }>(`/v1/entities/airport/${name}`);
    expect(features, name).toMatchObject(expected);
  }
});

test('SQL has the last row of each airport with the same numbers', async () => {
  const last = (column: string): string => `argMax(airport_${column}, (airport_life, airport_seq)) AS ${column}`;
  const rows = await server.query<Airport & { origin: string }>(
    `SELECT origin, ${['flights', 'delay', 'farthest', 'late'].map(last).join(', ')} FROM events GROUP BY origin
     SETTINGS output_format_json_quote_64bit_integers = 0`,
  );
  const expected = expectedAirports();
  expect(rows).toHaveLength(expected.size);
  for (const { origin, ...airport } of rows) expect(airport, origin).toEqual(expected.get(origin));
});

test('every feature of every row is what ClickHouse computes', () => expectVerified(server.url, COUNT));
