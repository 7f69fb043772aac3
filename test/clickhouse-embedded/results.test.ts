/** Results: streaming with bounded memory, early and late failures, slow and leaving clients, limits. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { until, useEmbeddedServer } from './embedded-server.ts';

const server = useEmbeddedServer({ readers: 2 });
const running = async (): Promise<number> =>
  Number(await server.run('SELECT count() FROM system.processes', { asEngine: true })) - 1;

describe('formats', () => {
  it('sends one document, whatever the size and format', async () => {
    const query = 'SELECT number AS n, toString(number) AS s FROM numbers(200000) FORMAT';
    const json = JSON.parse(await server.run(`${query} JSON`)) as { rows: number; data: unknown[] };
    expect([json.rows, json.data.length]).toEqual([200_000, 200_000]);
    const csv = (await server.run(`${query} CSVWithNames`)).split('\n');
    expect([csv.length, csv.filter((line) => line.includes('n')).length]).toEqual([200_002, 1]);
    const parquet = new Uint8Array(await (await server.fetch(`${query} Parquet`)).arrayBuffer());
    await server.run('CREATE TABLE back (n UInt64, s String) ENGINE = Memory');
    await server.run('INSERT INTO back FORMAT Parquet', { body: parquet });
    expect(await server.run('SELECT count(), sum(n) FROM back')).toBe('200000\t19999900000\n');
    expect(await server.run('SELECT 1 WHERE 0')).toBe('');
    expect(await server.run('SELECT 1 FORMAT Null')).toBe('');
  });

  it('names format, time zone, query and summary in headers', async () => {
    const answer = await server.ask('SELECT number FROM numbers(10) FORMAT JSONEachRow', { url: { query_id: 'q-1' } });
    expect(answer.headers.get('x-clickhouse-query-id')).toBe('q-1');
    expect(answer.headers.get('x-clickhouse-format')).toBe('JSONEachRow');
    expect(answer.headers.get('x-clickhouse-timezone')).toBeTruthy();
    expect(answer.headers.get('x-clickhouse-server-display-name')).toBe('embedded');
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=UTF-8');
    expect(JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '{}')).toMatchObject({ read_rows: '10' });
  });

  it('compresses when asked to, and only then', async () => {
    const plain = await rawGet('/?query=SELECT+1', 'Accept-Encoding: gzip');
    expect(plain.toString('latin1')).not.toContain('Content-Encoding');
    const packed = await rawGet('/?query=SELECT+1&enable_http_compression=1', 'Accept-Encoding: gzip');
    const bodyStart = packed.indexOf('\r\n\r\n') + 4;
    expect(packed.subarray(0, bodyStart).toString('latin1')).toMatch(/content-encoding: gzip/i);
    expect(gunzipSync(packed.subarray(bodyStart)).toString()).toBe('1\n');
  });
});

describe('failures', () => {
  it.each([
    ['SELECT', 400, '62'],
    ['SELECT 1 +', 400, '62'],
    ['SELECT nothing', 404, '47'],
    ['SELECT * FROM nowhere.nothing', 404, '81'],
    ['SELECT nofunction(1)', 404, '46'],
    ["SELECT throwIf(1, 'no')", 500, '395'],
    ['SELECT 1 FORMAT Nonsense', 404, '73'],
    ['SELECT sum(number) FROM numbers(1e12) SETTINGS max_execution_time = 0.2', 408, '159'],
    ['SELECT groupArray(number) FROM numbers(1e9) SETTINGS max_memory_usage = 10000000', 500, '241'],
  ])('%s', async (query, status, code) => {
    const answer = await server.ask(query);
    expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([status, code]);
    expect(answer.text).toMatch(
      new RegExp(`^Code: ${code}\\. DB::Exception: [\\s\\S]* \\([A-Z_]+\\) \\(version [\\d.]+\\)\\n$`),
    );
    expect(answer.text).not.toContain('OUTFILE');
  });

  it('breaks off when a result fails halfway, or says so beforehand when asked to wait', async () => {
    const query = 'SELECT throwIf(number = 3000000) FROM numbers(5000000)';
    await expect(server.ask(query)).rejects.toThrow();
    const waited = await server.ask(query, { url: { wait_end_of_query: '1' } });
    expect([waited.status, waited.headers.get('x-clickhouse-exception-code')]).toEqual([500, '395']);
    expect(await server.run('SELECT count() FROM numbers(1000)', { url: { wait_end_of_query: '1' } })).toBe('1000\n');
  });
});

describe('clients', () => {
  it('lets a slow client wait without filling memory', async () => {
    const residentBefore = residentBytes();
    const response = await server.fetch('SELECT number, repeat(toString(number), 10) FROM numbers(5000000)');
    const reader = response.body?.getReader();
    if (reader === undefined) throw new Error('no body');
    await reader.read();
    // The engine stands still now: nothing is read from the pipe. Others are served meanwhile.
    for (let index = 0; index < 20; index++) expect(await server.run('SELECT 1')).toBe('1\n');
    expect(await running()).toBe(1);
    expect(residentBytes() - residentBefore).toBeLessThan(200e6);
    let bytes = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) bytes += part.value.byteLength;
    expect(bytes).toBeGreaterThan(300e6);
    await until(async () => (await running()) === 0);
  });

  it('cancels the query of a client that leaves', async () => {
    const abort = new AbortController();
    const query = server.ask('SELECT sum(cityHash64(number)) FROM numbers(100000000000)', { signal: abort.signal });
    await until(async () => (await running()) === 1);
    abort.abort();
    await expect(query).rejects.toThrow();
    await until(async () => (await running()) === 0, 5000);
    const streaming = new AbortController();
    const response = await server.fetch('SELECT number FROM numbers(100000000000)', { signal: streaming.signal });
    await response.body?.getReader().read();
    streaming.abort();
    await until(async () => (await running()) === 0, 5000);
  });

  it('runs queries side by side, queues a bounded number and answers the rest at once', async () => {
    const slow = Array.from({ length: 80 }, () => server.ask('SELECT sleepEachRow(0.01) FROM numbers(5) FORMAT Null'));
    // The engine's own lane is not behind them.
    expect(await server.run('SELECT 1', { asEngine: true })).toBe('1\n');
    const answers = await Promise.all(slow);
    const refused = answers.filter((answer) => answer.status === 503);
    // Some of the first may be done before the last ones come.
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(80 - 2 - 64);
    expect(refused[0]?.headers.get('x-clickhouse-exception-code')).toBe('202');
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(80 - refused.length);
  });

  it('keeps parameters, settings and databases of clients apart', async () => {
    await server.run('CREATE DATABASE one');
    const work = Array.from({ length: 60 }, async (_, index) => {
      const url =
        index % 2 === 0 ? { param_x: String(index), database: 'one', max_threads: '1' } : { param_x: String(index) };
      const text = await server.run("SELECT {x:UInt32}, currentDatabase(), getSetting('max_threads') = 1", { url });
      expect(text).toBe(index % 2 === 0 ? `${index}\tone\t1\n` : `${index}\tdefault\t0\n`);
    });
    await Promise.all(work);
    const missing = await server.ask('SELECT {x:UInt32}');
    expect(missing.headers.get('x-clickhouse-exception-code')).toBe('456');
  });
});

function residentBytes(): number {
  const status = readFileSync(`/proc/${server.clickhouse.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}

function rawGet(path: string, header: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.clickhouse.port, '127.0.0.1', () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${header}\r\nConnection: close\r\n\r\n`);
    });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.on('error', reject);
  });
}
