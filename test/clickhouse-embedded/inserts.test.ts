/** Inserts: one body, one block, one part; tokens; large bodies; what remains when a client breaks off. */
import { connect } from 'node:net';
import { existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { BATCH_INSERT_SETTINGS, HANDED_BODY_HEADER, newHandedBody } from '../../src/clickhouse-embedded/index.ts';
import { until, useEmbeddedServer } from './embedded-server.ts';

const server = useEmbeddedServer();
const asEngine = true;
const batchSettings = Object.fromEntries(
  Object.entries(BATCH_INSERT_SETTINGS).map(([name, value]) => [name, String(value)]),
);
const bodies = (): string[] => readdirSync(join(server.folder, 'requests')).filter((name) => name.startsWith('body-'));
const parts = (table: string): Promise<string> =>
  server.run(`SELECT count(), sum(rows) FROM system.parts WHERE active AND database = 'hunt' AND table = '${table}'`);

/** A Native body of blocks of 65,536 rows, made by the engine itself. */
async function nativeBody(rows: number, columns: string): Promise<Uint8Array> {
  const answer = await server.fetch(
    `SELECT ${columns} FROM numbers(${rows}) SETTINGS max_block_size = 65536, max_threads = 1 FORMAT Native`,
  );
  return new Uint8Array(await answer.arrayBuffer());
}

beforeAll(async () => {
  await server.run('CREATE DATABASE hunt', { asEngine });
});

describe('batches', () => {
  it('makes one part of sixteen blocks and honours the token', async () => {
    await server.run(
      'CREATE TABLE hunt.batch (id UInt32, day Date, extra UInt8 DEFAULT 7) ENGINE = MergeTree PARTITION BY day ORDER BY id ' +
        'SETTINGS non_replicated_deduplication_window = 100',
      { asEngine },
    );
    await server.run('SYSTEM STOP MERGES hunt.batch', { asEngine });
    const body = await nativeBody(16 * 65_536 + 5000, "toUInt32(number) AS id, toDate('2024-01-01') AS day");
    const insert = (token: string): Promise<{ status: number; text: string; headers: Headers }> =>
      server.ask('INSERT INTO hunt.batch (id, day) FORMAT Native', {
        asEngine,
        body,
        url: { ...batchSettings, insert_deduplication_token: token },
      });
    const first = await insert('batch-1');
    expect(first.status, first.text).toBe(200);
    expect(JSON.parse(first.headers.get('x-clickhouse-summary') ?? '{}')).toMatchObject({ written_rows: '1053576' });
    expect(await parts('batch')).toBe('1\t1053576\n');
    await insert('batch-1');
    expect(await parts('batch')).toBe('1\t1053576\n');
    await insert('batch-2');
    expect(await parts('batch')).toBe('2\t2107152\n');
    expect(await server.run('SELECT min(extra), max(extra) FROM hunt.batch')).toBe('7\t7\n');
    await until(() => bodies().length === 0);
  });

  it('reads a body that its own user handed over as a file, and removes it', async () => {
    await server.run('CREATE TABLE hunt.handed (id UInt32) ENGINE = MergeTree ORDER BY id', { asEngine });
    const body = newHandedBody(server.folder);
    writeFileSync(body.path, await nativeBody(100_000, 'toUInt32(number) AS id'));
    const headers = { [HANDED_BODY_HEADER]: body.name };
    const query = 'INSERT INTO hunt.handed (id) FORMAT Native';
    const answer = await server.ask('', { asEngine, headers, body: query, url: batchSettings });
    expect(answer.status, answer.text).toBe(200);
    expect(JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '{}')).toMatchObject({ written_rows: '100000' });
    await until(() => !existsSync(body.path));
    const again = await server.ask('', { asEngine, headers, body: query, url: batchSettings });
    expect(again.status).toBe(500);
    expect(again.text).toContain('FILE_DOESNT_EXIST');
    expect(await parts('handed')).toBe('1\t100000\n');
  });

  it('takes no file by another name, no link, none beside a sent body, and none from clients', async () => {
    await server.run('CREATE TABLE hunt.names (id UInt32) ENGINE = MergeTree ORDER BY id', { asEngine });
    const native = await nativeBody(10, 'toUInt32(number) AS id');
    const body = newHandedBody(server.folder);
    writeFileSync(body.path, native);
    const link = newHandedBody(server.folder);
    symlinkSync(body.path, link.path);
    const query = 'INSERT INTO hunt.names (id) FORMAT Native';
    const hand = (name: string, more: object = {}): ReturnType<typeof server.ask> =>
      server.ask(query, { asEngine, headers: { [HANDED_BODY_HEADER]: name }, url: batchSettings, ...more });
    for (const name of [link.name, `../requests/${body.name}`, body.path, `${body.name}x`, 'engine.xml', 'handed-'])
      expect((await hand(name)).text, name).toContain('FILE_DOESNT_EXIST');
    expect((await hand(body.name, { body: native })).text).toContain('either handed over or sent');
    expect(await parts('names')).toBe('0\t0\n');
    // Of a client the header means nothing: its insert has no rows.
    writeFileSync(body.path, native);
    await server.run('CREATE DATABASE theirs');
    await server.run('CREATE TABLE theirs.names (id UInt32) ENGINE = MergeTree ORDER BY id');
    await server.ask('INSERT INTO theirs.names (id) FORMAT Native', { headers: { [HANDED_BODY_HEADER]: body.name } });
    expect(await server.run('SELECT count() FROM theirs.names')).toBe('0\n');
    expect(existsSync(body.path)).toBe(true);
  });

  it('takes several inserts and reads at once', async () => {
    await server.run('CREATE TABLE hunt.many (id UInt32) ENGINE = MergeTree ORDER BY id', { asEngine });
    const body = await nativeBody(10_000, 'toUInt32(number) AS id');
    const inserts = Array.from({ length: 12 }, () =>
      server.run('INSERT INTO hunt.many FORMAT Native', { asEngine, body, url: batchSettings }),
    );
    const reads = Array.from({ length: 12 }, () => server.run('SELECT count() % 10000 FROM hunt.many'));
    await Promise.all(inserts);
    for (const read of await Promise.all(reads)) expect(read).toBe('0\n');
    expect(await server.run('SELECT count() FROM hunt.many')).toBe('120000\n');
  });

  it('reports what the engine refuses, and inserts nothing of it', async () => {
    await server.run('CREATE TABLE hunt.strict (id UInt32) ENGINE = MergeTree ORDER BY id', { asEngine });
    const body = await nativeBody(100_000, 'toUInt32(number) AS id');
    const cut = await server.ask('INSERT INTO hunt.strict FORMAT Native', {
      asEngine,
      body: body.subarray(0, body.length - 1000),
      url: batchSettings,
    });
    expect(cut.status).toBeGreaterThanOrEqual(400);
    expect(cut.text).not.toContain(server.folder);
    const unknown = await server.ask('INSERT INTO hunt.strict (nope) FORMAT Native', {
      asEngine,
      body,
      url: batchSettings,
    });
    expect(unknown.headers.get('x-clickhouse-exception-code')).toBe('16');
    const missing = await server.ask('INSERT INTO hunt.missing FORMAT Native', { asEngine, body, url: batchSettings });
    expect([missing.status, missing.headers.get('x-clickhouse-exception-code')]).toEqual([404, '60']);
    expect(await server.run('SELECT count() FROM hunt.strict')).toBe('0\n');
    await until(() => bodies().length === 0);
  });
});

describe('bodies', () => {
  it('takes any format and any compression', async () => {
    await server.run('CREATE TABLE forms (a UInt32, b String) ENGINE = Memory');
    const text = '1,"x"\n2,"y"\n';
    const send = (encoding: string, body: Uint8Array | string): Promise<string> =>
      server.run('INSERT INTO forms FORMAT CSV', { body, headers: { 'Content-Encoding': encoding } });
    await send('identity', text);
    await send('gzip', gzipSync(text));
    await send('deflate', deflateSync(text));
    await send('br', brotliCompressSync(text));
    await server.run('INSERT INTO forms (b, a) FORMAT JSONCompactEachRow', { body: '["z", 3]\n' });
    await server.run('INSERT INTO forms FORMAT TSVWithNames', { body: 'b\ta\nq\t4\n' });
    await server.run('INSERT INTO forms VALUES', { body: "(5, 'vw')" });
    await server.run("INSERT INTO forms VALUES (6, 'one'),", { body: "(7, 'two')" });
    await server.run('INSERT INTO forms SETTINGS input_format_csv_skip_first_lines = 1 FORMAT CSV', {
      body: 'head\n8,"s"\n',
    });
    await server.run('INSERT INTO {t:Identifier} FORMAT CSV', { body: '9,"p"\n', url: { param_t: 'forms' } });
    for (const format of ['RowBinary', 'Parquet', 'Arrow', 'JSON', 'Native']) {
      const data = new Uint8Array(
        await (await server.fetch(`SELECT toUInt32(10) AS a, 'f' AS b FORMAT ${format}`)).arrayBuffer(),
      );
      await server.run(`INSERT INTO forms FORMAT ${format}`, { body: data });
    }
    expect(await server.run('SELECT count(), sum(a) FROM forms')).toBe(
      `20\t${3 * 4 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 50}\n`,
    );
    const wrong = await server.ask('INSERT INTO forms FORMAT CSV', {
      body: 'not gzip',
      headers: { 'Content-Encoding': 'gzip' },
    });
    expect(wrong.status).toBeGreaterThanOrEqual(400);
    const unknown = await server.ask('INSERT INTO forms FORMAT CSV', {
      body: text,
      headers: { 'Content-Encoding': 'rot13' },
    });
    expect(unknown.status).toBe(501);
  });

  it('finds the data behind a statement that stands in the body', async () => {
    await server.run('CREATE TABLE inline (a UInt32) ENGINE = Memory');
    const rows = Array.from({ length: 200_000 }, (_, index) => index).join('\n');
    await server.run('', { body: `INSERT INTO inline FORMAT CSV\n${rows}\n` });
    expect(await server.run('SELECT count(), max(a) FROM inline')).toBe('200000\t199999\n');
  });

  it('bounds statements and bodies', async () => {
    const long = await server.ask('', { body: `SELECT '${'x'.repeat(5_000_000)}'` }).catch((cause: unknown) => cause);
    // The answer may come while the client still sends; then it sees a closed connection.
    if (!(long instanceof Error)) expect(long).toMatchObject({ status: 413 });
    const lengthOnly = await rawRequest(
      'POST /?query=INSERT+INTO+inline+FORMAT+CSV HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\n',
    );
    expect(lengthOnly).toMatch(/^HTTP\/1\.1 413 /);
    expect(await server.run('SELECT 1')).toBe('1\n');
    await until(() => bodies().length === 0);
  });

  it('inserts nothing when the client breaks off', async () => {
    await server.run('CREATE TABLE torn (a UInt32) ENGINE = Memory');
    const socket = connect(server.clickhouse.port, '127.0.0.1');
    socket.write(
      'POST /?query=INSERT+INTO+torn+FORMAT+CSV HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n1\n2\n3\n',
    );
    await until(() => bodies().length === 1);
    socket.destroy();
    await until(() => bodies().length === 0);
    expect(await server.run('SELECT count() FROM torn')).toBe('0\n');
  });

  it('takes a body of 300 MB without holding it', async () => {
    await server.run('CREATE TABLE large (a UInt64) ENGINE = Null');
    const chunk = new Uint8Array(1 << 20);
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent++ < 300) controller.enqueue(chunk);
        else controller.close();
      },
    });
    const answer = await server.ask('INSERT INTO large FORMAT RowBinary', { body });
    expect(answer.status, answer.text).toBe(200);
    expect(JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '{}')).toMatchObject({
      written_rows: String((300 << 20) / 8),
    });
    await until(() => bodies().length === 0);
  });
});

function rawRequest(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.clickhouse.port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
