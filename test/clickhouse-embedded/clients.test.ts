/** Clients of others against the embedded ClickHouse: @clickhouse/client, the npm package clickhouse, curl. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useEmbeddedServer } from './embedded-server.ts';

const server = useEmbeddedServer();

describe('@clickhouse/client', () => {
  let client: ClickHouseClient;
  let compressing: ClickHouseClient;
  let engine: ClickHouseClient;
  beforeAll(async () => {
    const { url, writer } = server.clickhouse;
    const log = { level: ClickHouseLogLevel.OFF };
    client = createClient({ url, log });
    compressing = createClient({ url, compression: { request: true, response: true } });
    engine = createClient({ url, ...writer });
    await client.command({ query: 'CREATE DATABASE mine' });
    await client.command({ query: 'CREATE TABLE mine.rows (id UInt32, name String) ENGINE = MergeTree ORDER BY id' });
  });
  afterAll(async () => {
    await Promise.all([client.close(), compressing.close(), engine.close()]);
  });

  it('pings', async () => {
    expect(await client.ping()).toMatchObject({ success: true });
    expect(await client.ping({ select: true })).toMatchObject({ success: true });
  });

  it('selects in several formats', async () => {
    const json = await client.query({ query: 'SELECT 1 AS one, toUInt64(2) AS two', format: 'JSON' });
    expect((await json.json()).data).toEqual([{ one: 1, two: 2 }]);
    const rows = await client.query({ query: 'SELECT number AS n FROM numbers(3)', format: 'JSONEachRow' });
    expect(await rows.json()).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    const csv = await client.query({ query: "SELECT 1 AS a, 'x' AS b", format: 'CSVWithNames' });
    expect(await csv.text()).toBe('"a","b"\n1,"x"\n');
  });

  it('passes parameters, with everything that needs escaping', async () => {
    const text = 'it\'s a "tab"\tand\nnewline \\ back';
    const result = await client.query({
      query:
        'SELECT {text:String} AS text, {list:Array(UInt8)} AS list, {none:Nullable(String)} AS none, {when:DateTime} AS moment',
      query_params: { text, list: [1, 2], none: null, when: new Date('2024-01-02T03:04:05Z') },
      format: 'JSONEachRow',
    });
    expect(await result.json()).toEqual([{ text, list: [1, 2], none: null, moment: '2024-01-02 03:04:05' }]);
    const table = await client.query({
      query: 'SELECT count() AS n FROM {database:Identifier}.{table:Identifier}',
      query_params: { database: 'mine', table: 'rows' },
      format: 'JSONEachRow',
    });
    expect(await table.json()).toHaveLength(1);
  });

  it('passes settings', async () => {
    const query =
      "SELECT getSetting('max_threads') AS threads, getSetting('max_execution_time') AS seconds, 18446744073709551615 AS big";
    const result = await client.query({
      query,
      format: 'JSONEachRow',
      clickhouse_settings: { max_threads: 1, max_execution_time: 7, output_format_json_quote_64bit_integers: 0 },
    });
    const text = await result.text();
    expect(text).toContain('"big":18446744073709551615');
    expect(JSON.parse(text)).toMatchObject({ threads: 1, seconds: 7 });
    await expect(client.query({ query, clickhouse_settings: { max_threads: 'many' as never } })).rejects.toThrow(
      /many/,
    );
  });

  it('inserts rows, streams and compressed bodies', async () => {
    await client.insert({ table: 'mine.rows', values: [{ id: 1, name: 'a' }], format: 'JSONEachRow' });
    await compressing.insert({ table: 'mine.rows', values: [{ id: 2, name: 'b' }], format: 'JSONEachRow' });
    const stream = Readable.from(Array.from({ length: 1000 }, (_, index) => ({ id: 10 + index, name: `n${index}` })));
    const summary = await client.insert({ table: 'mine.rows', values: stream, format: 'JSONEachRow' });
    expect(summary.summary?.written_rows).toBe('1000');
    await client.insert({
      table: 'mine.rows',
      values: Readable.from(['5,"x"\n', '6,"y"\n'], { objectMode: false }),
      format: 'CSV',
    });
    const result = await compressing.query({
      query: 'SELECT count() AS n, sum(id) AS s FROM mine.rows',
      format: 'JSONEachRow',
    });
    expect(await result.json()).toEqual([{ n: 1004, s: 1 + 2 + 5 + 6 + 1000 * 10 + 499_500 }]);
  });

  it('streams a large result, compressed and not', async () => {
    for (const each of [client, compressing]) {
      const result = await each.query({
        query: 'SELECT number, repeat(toString(number), 5) FROM numbers(300000)',
        format: 'JSONCompactEachRow',
      });
      let rows = 0;
      for await (const chunk of result.stream()) rows += chunk.length;
      expect(rows).toBe(300_000);
    }
  });

  it('runs commands and exec, and reports errors with their code', async () => {
    await client.command({ query: 'CREATE TABLE mine.gone (a UInt8) ENGINE = Memory' });
    await client.command({ query: 'DROP TABLE mine.gone' });
    const { stream, query_id } = await client.exec({ query: "SELECT 'exec' FORMAT TSV", query_id: 'my-own-id' });
    expect(query_id).toBe('my-own-id');
    expect(await readAll(stream)).toBe('exec\n');
    await expect(client.query({ query: 'SELECT * FROM mine.gone' })).rejects.toMatchObject({
      code: '60',
      type: 'UNKNOWN_TABLE',
    });
    await expect(client.query({ query: 'SELEKT' })).rejects.toMatchObject({ code: '62' });
  });

  it('writes as the engine with a Native body', async () => {
    await engine.command({ query: 'CREATE DATABASE IF NOT EXISTS hunt' });
    await engine.command({
      query: 'CREATE TABLE hunt.batch (id UInt32, extra UInt8 DEFAULT 7) ENGINE = MergeTree ORDER BY id',
    });
    const native = await server.fetch('SELECT toUInt32(number) AS id FROM numbers(100) FORMAT Native');
    const body = Buffer.from(await native.arrayBuffer());
    const { stream, summary } = await engine.exec({
      query: 'INSERT INTO hunt.batch (id) FORMAT Native',
      values: Readable.from([body]),
    });
    expect(await readAll(stream)).toBe('');
    expect(summary?.written_rows).toBe('100');
    expect(await server.run('SELECT count(), sum(id), sum(extra) FROM hunt.batch')).toBe('100\t4950\t700\n');
  });

  it('refuses a wrong password', async () => {
    const wrong = createClient({
      url: server.clickhouse.url,
      username: 'engine',
      password: 'guess',
      log: { level: ClickHouseLogLevel.OFF },
    });
    await expect(wrong.query({ query: 'SELECT 1' })).rejects.toMatchObject({ code: '516' });
    await wrong.close();
  });
});

describe('npm package clickhouse', () => {
  interface OldClient {
    query(text: string, parameters?: object): { toPromise(): Promise<unknown>; stream(): AsyncIterable<object> };
    insert(text: string, values: readonly object[]): { toPromise(): Promise<unknown> };
  }
  const load = (options: object): OldClient => {
    const require = createRequire(import.meta.url);
    const { ClickHouse } = require('clickhouse') as { ClickHouse: new (options: object) => OldClient };
    return new ClickHouse({
      url: '127.0.0.1',
      port: server.clickhouse.port,
      format: 'json',
      raw: false,
      debug: false,
      ...options,
    });
  };
  // The package writes DDL as `query;`, inserts as TabSeparated with the query in the URL, and forms when told to use POST.
  it.each([
    ['plain', {}],
    ['gzip', { isUseGzip: true, config: { enable_http_compression: 1 } }],
    ['post forms', { usePost: true }],
    ['session for each query', { isSessionPerQuery: true, config: { session_timeout: 60 } }],
  ])('%s', async (name, options) => {
    const client = load(options);
    const table = `old_${name.replaceAll(' ', '_')}`;
    await client.query(`CREATE TABLE ${table} (id UInt32, name String) ENGINE = MergeTree ORDER BY id`).toPromise();
    if (name !== 'post forms') {
      await client
        .insert(`INSERT INTO ${table} (id, name)`, [
          { id: 1, name: 'a' },
          { id: 2, name: "b'c" },
        ])
        .toPromise();
    } else {
      await client.query(`INSERT INTO ${table} VALUES (1, 'a'), (2, 'b')`).toPromise();
    }
    if (name !== 'gzip') {
      expect(await client.query(`SELECT id FROM ${table} ORDER BY id`).toPromise()).toEqual([{ id: 1 }, { id: 2 }]);
    }
    const streamed: object[] = [];
    for await (const row of client.query(`SELECT id FROM ${table} ORDER BY id`).stream()) streamed.push(row);
    expect(streamed).toEqual([{ id: 1 }, { id: 2 }]);
    if (name === 'plain') {
      expect(await client.query('SELECT {x:UInt32} AS x', { params: { x: 7 } }).toPromise()).toEqual([{ x: 7 }]);
    }
    await expect(client.query('SELECT nothing').toPromise()).rejects.toThrow();
  });
});

describe('curl', () => {
  const curl = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('curl', ['-sS', '--max-time', '10', ...args], { encoding: 'utf8' });
    return stdout;
  };
  it('pings, selects, inserts and sees errors', async () => {
    const { url } = server.clickhouse;
    expect(await curl(`${url}/ping`)).toBe('Ok.\n');
    expect(await curl(url)).toBe('Ok.\n');
    expect(await curl(`${url}/?query=SELECT%201`)).toBe('1\n');
    expect(await curl(url, '-d', 'SELECT 1 FORMAT CSV')).toBe('1\n');
    expect(await curl(`${url}/?query=SELECT`, '-d', '1+1')).toBe('2\n');
    expect(await curl(url, '-d', 'CREATE TABLE curled (a UInt8, b String) ENGINE = Memory')).toBe('');
    expect(await curl(`${url}/?query=INSERT%20INTO%20curled%20FORMAT%20CSV`, '--data-binary', '1,"x;y"\n2,"z"\n')).toBe(
      '',
    );
    expect(await curl(url, '--data-binary', "INSERT INTO curled VALUES (3, 'a;b'), (4, 'it''s')")).toBe('');
    expect(await curl(url, '-d', 'SELECT count(), max(b) FROM curled')).toBe('4\tz\n');
    expect(await curl('-u', 'default:', url, '-d', 'SELECT currentUser()')).toBe('default\n');
    expect(await curl('-H', 'X-ClickHouse-Format: JSONCompactEachRow', url, '-d', 'SELECT 1, 2')).toBe('[1, 2]\n');
    expect(await curl(`${url}/?default_format=CSVWithNames&param_p=hi`, '-d', 'SELECT {p:String} AS p')).toBe(
      '"p"\n"hi"\n',
    );
    expect(
      await curl('--compressed', `${url}/?enable_http_compression=1`, '-d', 'SELECT sum(number) FROM numbers(10)'),
    ).toBe('45\n');
    expect(await curl('-w', '%{http_code}', url, '-d', 'SELECT 1 +')).toMatch(
      /^Code: 62\. DB::Exception: .*\(SYNTAX_ERROR\).*\n400$/s,
    );
    expect(await curl('-w', '%{http_code}', '-o', '/dev/null', `${url}/nowhere`)).toBe('404');
    expect(await curl('-F', 'query=SELECT {f:String}', '-F', 'param_f=form', url)).toBe('form\n');
  });

  it('compresses requests', async () => {
    await server.run('CREATE TABLE zipped (a UInt8) ENGINE = Memory');
    await server.run('INSERT INTO zipped FORMAT CSV', {
      body: gzipSync('1\n2\n'),
      headers: { 'Content-Encoding': 'gzip' },
    });
    await server.run('', {
      body: gzipSync('INSERT INTO zipped FORMAT CSV\n3\n'),
      headers: { 'Content-Encoding': 'gzip' },
    });
    expect(
      await server.run('', { body: gzipSync('SELECT sum(a) FROM zipped'), headers: { 'Content-Encoding': 'gzip' } }),
    ).toBe('6\n');
  });
});

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
