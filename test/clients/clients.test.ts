/**
 * The drivers that people have, against the embedded ClickHouse: clickhouse-go over HTTP (Grafana's data source is built on
 * it), clickhouse-jdbc, clickhouse-connect; in their own ways to pack and to number, with and without a key. `npm run
 * test:clients`.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hunt, root, startServer, temporaryFolder, type Server } from '../e2e/server.ts';
import { describeClient, goClient, javaClient, linesOf, pythonClient } from './toolchains.ts';

const KEY = 'a-key-for-clients';
const EVENTS = 16;

interface Outcome {
  readonly name: string;
  readonly value?: string;
  readonly error?: string;
}

const folders = [temporaryFolder(), temporaryFolder()] as const;
let open: Server;
let keyed: Server;

async function start(data: string, key: string | null): Promise<Server> {
  const server = await startServer({ data, options: key === null ? [] : ['--key', key] });
  const file = join(root, 'src', 'examples', 'treasure-hunt', 'fixtures', 'stuck.ndjson');
  const sent = await hunt([
    'send',
    file,
    '--url',
    server.url,
    '--ack',
    'stored',
    ...(key === null ? [] : ['--key', key]),
  ]);
  expect(sent.code, sent.stderr).toBe(0);
  return server;
}

beforeAll(async () => {
  open = await start(folders[0].path, null);
  keyed = await start(folders[1].path, KEY);
});
afterAll(async () => {
  await Promise.all([open?.stop(), keyed?.stop()]);
  folders.forEach((folder) => folder.remove());
});

const host = (server: Server): string => new URL(server.clickhouse).host;

/** Everything works but the query that is refused, which is refused for its own reason. */
function check(outcomes: readonly Outcome[], expected: Readonly<Record<string, string>>): void {
  const byName = new Map(outcomes.map((outcome) => [outcome.name, outcome]));
  expect(outcomes.filter(({ name, error }) => error !== undefined && name !== 'refused')).toEqual([]);
  for (const [name, value] of Object.entries(expected)) expect(byName.get(name), name).toMatchObject({ value });
  expect(byName.get('refused')!.error).toContain('UNKNOWN_IDENTIFIER');
}

describeClient('clickhouse-go', ['go'], () => {
  let program = '';
  beforeAll(() => void (program = goClient()));
  const expected = {
    events: String(EVENTS),
    types: '150000',
    parameter: '5',
    'read back': '1000 1500',
    insert: '1000',
  };
  const ask = async (server: Server, compression: string, password: string): Promise<Outcome[]> =>
    (await linesOf(program, [host(server), compression, password])).map((line) => JSON.parse(line) as Outcome);

  test.each(['none', 'lz4', 'zstd', 'gzip'])('packed with %s', async (compression) => {
    check(await ask(open, compression, ''), expected);
  });
  test('with a key', async () => check(await ask(keyed, 'lz4', KEY), expected));
  test('with a wrong key nothing is answered', async () => {
    const outcomes = await ask(keyed, 'lz4', 'wrong');
    expect(outcomes.every(({ error }) => error !== undefined)).toBe(true);
    expect(outcomes[0]!.error).toContain('516');
  });
});

describeClient('clickhouse-jdbc', ['java', 'javac', 'mvn'], () => {
  let java: readonly string[] = [];
  beforeAll(() => void (java = javaClient()));
  const expected = {
    valid: 'true',
    tables: 'true',
    columns: 'true',
    events: String(EVENTS),
    types: '50000',
    prepared: "5 it's",
    insert: '100',
    'read back': "100 it's 99",
  };
  const ask = async (server: Server, ...properties: string[]): Promise<Outcome[]> =>
    (await linesOf('java', [...java, host(server), ...properties])).map((line) => {
      const [name, outcome, text] = line.split('\t');
      return outcome === 'ok' ? { name: name!, value: text! } : { name: name!, error: text! };
    });

  test.each([
    ['as it comes', []],
    ['compress=false', ['compress=false']],
    ['decompress=true', ['decompress=true']],
    ['HTTP compression', ['client.use_http_compression=true']],
  ])('%s', async (_, properties) => check(await ask(open, ...properties), expected));
  test('with a key', async () => check(await ask(keyed, 'user=default', `password=${KEY}`), expected));
  test('with a wrong key it says why', async () => {
    const outcomes = await ask(keyed, 'user=default', 'password=wrong');
    expect(outcomes.find(({ name }) => name === 'events')!.error).toContain('516');
  });
});

describeClient('clickhouse-connect', ['python3'], () => {
  let python = '';
  beforeAll(() => void (python = pythonClient()));
  const expected = {
    events: String(EVENTS),
    settings: '1',
    parameter: '5',
    stream: '100000',
    insert: '1000',
    'read back': '(1000, "it\'s")',
  };
  const ask = async (server: Server, compression: string, password: string): Promise<Outcome[]> => {
    const { hostname, port } = new URL(server.clickhouse);
    const client = join(root, 'test', 'clients', 'python', 'client.py');
    const lines = await linesOf(python, [client, hostname, port, compression, password]);
    return lines.map((line) => JSON.parse(line) as Outcome);
  };

  test.each(['true', 'lz4', 'zstd', 'gzip', 'false'])('compress=%s', async (compression) => {
    check(await ask(open, compression, ''), expected);
  });
  test('with a key', async () => check(await ask(keyed, 'true', KEY), expected));
});
