/** What user `default` may not do, tried on the real engine: every refused statement would otherwise work. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { useEmbeddedServer } from './embedded-server.ts';

const server = useEmbeddedServer();
const secretPath = (): string => join(server.folder, 'secret.txt');

beforeAll(async () => {
  writeFileSync(secretPath(), 'the-secret\n');
  await server.run('CREATE DATABASE hunt', { asEngine: true });
  await server.run('CREATE TABLE hunt.events (id UInt32) ENGINE = MergeTree ORDER BY id', { asEngine: true });
  await server.run('INSERT INTO hunt.events VALUES (1)', { asEngine: true });
  await server.run('CREATE DATABASE mine');
  await server.run('CREATE TABLE mine.rows (id UInt32, hunt String) ENGINE = MergeTree ORDER BY id');
});

const reads = (path: string): readonly string[] => [
  `SELECT file('${path}')`,
  `SELECT /* x */ file /* y */ ('${path}')`,
  `SELECT \`file\`('${path}')`,
  `SELECT "fil\\x65"('${path}')`,
  `SELECT “file”('${path}')`,
  `SELECT arrayMap(file, ['${path}'])`,
  `SELECT arrayMap((file), ['${path}'])`,
  `SELECT arrayMap(x -> file(x), ['${path}'])`,
  `SELECT * APPLY(file) FROM (SELECT '${path}')`,
  `SELECT * APPLY file FROM (SELECT '${path}')`,
  `WITH (x -> file(x)) AS g SELECT g('${path}')`,
  `SELECT '-- \\'' , file('${path}') -- '`,
  `SELECT '''', file('${path}'), ''''`,
  `SELECT 1 /* /* */ , file('${path}') /* */`,
  `SELECT 1 // '\n, file('${path}') // '`,
  `SELECT 1 # '\n, file('${path}') # '`,
  `SELECT $a$ ' $a$, file('${path}'), $a$ ' $a$`,
  `SELECT ‘ ' ’, file('${path}'), ‘ ' ’`,
  `SELECT * FROM file('${path}', LineAsString)`,
  `SELECT * FROM file('${path}', 'LineAsString')`,
  `SELECT (SELECT * FROM file('${path}', LineAsString))`,
  `DESCRIBE file('${path}', LineAsString)`,
  `DESCRIBE TABLE file('${path}', LineAsString)`,
  `EXPLAIN SELECT * FROM file('${path}', LineAsString)`,
  `FROM file('${path}', LineAsString) SELECT *`,
  `(SELECT * FROM file('${path}', LineAsString))`,
  `SELECT * FROM eval('SELECT file(\\'${path}\\')')`,
  `SELECT * FROM url('http://127.0.0.1:1/', LineAsString)`,
  `SELECT * FROM remote('127.0.0.1:1', system.one)`,
  `SELECT * FROM s3('http://127.0.0.1:1/a', 'CSV')`,
  `SELECT * FROM executable('id', TSV, 'a String')`,
  `SELECT * FROM sqlite('${path}', 't')`,
  `SELECT * FROM merge('hunt', 'events') WHERE 0 UNION ALL SELECT file('${path}')`,
  `SELECT 1 INTO OUTFILE '${path}.out'`,
  `SELECT 1 into/**/outfile '${path}.out' FORMAT TSV`,
  `SELECT 1; SELECT file('${path}')`,
  `SELECT 1; DROP TABLE hunt.events`,
  `SELECT 1 SETTINGS readonly = 0`,
  `SELECT * FROM (SELECT 1 SETTINGS readonly = 0)`,
  `SELECT * FROM (SELECT 1 SETTINGS max_memory_usage = 0)`,
  `SELECT * FROM (SELECT 1 FROM system.one SETTINGS additional_table_filters = {'system.one': 'dummy = 0'})`,
  `SELECT * FROM (SELECT 1 SETTINGS max_threads = 1, additional_result_filter = '1')`,
  `KILL QUERY WHERE 1`,
  `SET readonly = 0`,
  `SET max_threads = 1; SELECT 1`,
  `SYSTEM SHUTDOWN`,
  `USE hunt`,
];

describe('reads', () => {
  it('refuses what reaches outside the engine', async () => {
    for (const statement of reads(secretPath())) {
      const answer = await server.ask(statement);
      expect.soft(answer.text, statement).not.toContain('the-secret');
      const allowed = /readonly = 0/.test(statement) && answer.status === 200;
      if (!allowed) expect.soft(answer.status, `${statement} => ${answer.text}`).toBeGreaterThanOrEqual(400);
      expect.soft(answer.text, statement).not.toContain(server.folder);
    }
    expect(readdirSync(server.folder).filter((name) => name.endsWith('.out'))).toEqual([]);
    expect(await server.run('SELECT count() FROM hunt.events')).toBe('1\n');
  });

  it('refuses names given as parameters, and odd formats and settings', async () => {
    const path = secretPath();
    const named = await server.ask(`SELECT arrayMap({f:Identifier}, ['${path}'])`, { url: { param_f: 'file' } });
    expect(named.status).toBe(403);
    const format = await server.ask('SELECT 1', { url: { default_format: `TSV SETTINGS readonly=0` } });
    expect(format.text).toContain('UNKNOWN_FORMAT');
    const schema = {
      format_schema: `${path}:A`,
      additional_result_filter: '1',
      input_format_record_errors_file_path: path,
    };
    for (const [name, value] of Object.entries(schema)) {
      const answer = await server.ask('SELECT 1', { url: { [name]: value } });
      expect.soft(answer.status, `${name} ${answer.text}`).toBeGreaterThanOrEqual(400);
    }
    const injected = await server.ask('SELECT 1', { url: { 'param_x = 1; DROP TABLE mine.rows; --': '1' } });
    expect(injected.text).toContain('BAD_ARGUMENTS');
    const database = await server.ask('SELECT 1', { url: { database: 'x`; DROP TABLE mine.rows; --' } });
    expect(database.text).toContain('UNKNOWN_DATABASE');
    expect(await server.run('EXISTS TABLE mine.rows')).toBe('1\n');
  });

  it.each([
    ['SET max_threads = 1', /SET would have no effect on the next request.*SETTINGS of the query/],
    ['USE mine', /USE would have no effect.*database=NAME/],
    ['CREATE TEMPORARY TABLE t (a UInt8)', /CREATE TEMPORARY would have no effect.*database of your own/],
    ['DROP TEMPORARY TABLE t', /DROP TEMPORARY would have no effect/],
    ['BEGIN TRANSACTION', /BEGIN would have no effect.*no transactions/],
  ])('says why there is no session: %s', async (statement, why) => {
    const { status, text } = await server.ask('', { body: statement, url: { session_id: 'mine' } });
    expect([status, text]).toEqual([403, expect.stringMatching(why)]);
    expect(await server.run('SELECT 1', { url: { session_id: 'mine', session_timeout: '60' } })).toBe('1\n');
    const checked = await server.ask('SELECT 1', { url: { session_id: 'mine', session_check: '1' } });
    expect([checked.status, checked.text]).toEqual([500, expect.stringContaining('SESSION_NOT_FOUND')]);
    expect(await server.run('SELECT 1', { url: { session_id: 'mine', session_check: '0' } })).toBe('1\n');
  });

  it('lets ordinary reads through', async () => {
    const statements = [
      'SELECT t.id, hunt FROM mine.rows AS t',
      "SELECT 'INTO OUTFILE x; file(1)'",
      'SHOW TABLES FROM hunt',
      'SELECT * FROM (SELECT 1 AS x SETTINGS max_threads = 1) WHERE x = 1',
      'DESCRIBE hunt.events',
      'EXISTS TABLE hunt.events',
      'EXPLAIN SELECT 1',
      'WITH 1 AS x SELECT x',
      'SHOW CREATE TABLE hunt.events',
      '(SELECT 1) UNION ALL (SELECT 2)',
      'SELECT count() FROM hunt.events FORMAT JSON SETTINGS max_threads = 1, max_block_size = 100',
      'SELECT 1 SETTINGS max_threads = 1 FORMAT JSON;',
      '-- comment\nSELECT 1 -- FORMAT CSV',
      'SELECT number AS format FROM numbers(3) format TSV',
      "SELECT * FROM merge('hunt', '.*')",
    ];
    for (const statement of statements) {
      const answer = await server.ask(statement);
      expect.soft(answer.status, `${statement} => ${answer.text}`).toBe(200);
    }
  });
});

describe('writes', () => {
  const refused = (path: string): readonly string[] => [
    'INSERT INTO hunt.events VALUES (2)',
    'INSERT INTO `hunt`.events VALUES (2)',
    'INSERT INTO hunt . events SELECT 2',
    'INSERT INTO TABLE "hunt"."events" (id) FORMAT CSV\n2\n',
    'INSERT INTO /* mine. */ hunt.events (id) SELECT id FROM mine.rows',
    'INSERT INTO HUNT.events VALUES (2)',
    'CREATE TABLE hunt.mine (a UInt8) ENGINE = Memory',
    'CREATE VIEW hunt.v AS SELECT 1',
    'CREATE MATERIALIZED VIEW mine.v TO hunt.events AS SELECT id FROM mine.rows',
    'CREATE MATERIALIZED VIEW mine.v ENGINE = Memory AS SELECT sleep(1) FROM hunt.events',
    'CREATE DATABASE hunt',
    'DROP TABLE hunt.events',
    'DROP DATABASE hunt',
    'DROP DATABASE IF EXISTS `hunt`',
    'TRUNCATE TABLE hunt.events',
    'TRUNCATE DATABASE hunt',
    'TRUNCATE ALL TABLES FROM hunt',
    'ALTER TABLE hunt.events DELETE WHERE 1',
    'ALTER TABLE mine.rows MOVE PARTITION tuple() TO TABLE hunt.events',
    'ALTER TABLE hunt.events ADD COLUMN x UInt8',
    'DELETE FROM hunt.events WHERE 1',
    'RENAME TABLE hunt.events TO mine.events',
    'EXCHANGE TABLES mine.rows AND hunt.events',
    'OPTIMIZE TABLE hunt.events FINAL',
    'DETACH TABLE hunt.events',
    'ATTACH TABLE hunt.x',
    'CREATE FUNCTION f AS (x) -> x',
    'CREATE USER u',
    'CREATE NAMED COLLECTION c AS a = 1',
    'CREATE DICTIONARY mine.d (id UInt64) PRIMARY KEY id SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(0)',
    `CREATE TABLE mine.f (a String) ENGINE = File(LineAsString, '${path}')`,
    `CREATE TABLE mine.f (a String) ENGINE File(LineAsString, '${path}')`,
    "CREATE TABLE mine.f (a UInt32) ENGINE = Buffer('hunt', 'events', 1, 1, 1, 1, 1, 1, 1)",
    "CREATE TABLE mine.f (a UInt32) ENGINE = Distributed('c', 'hunt', 'events')",
    "CREATE TABLE mine.f (a UInt32) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '/tmp/x/')",
    `CREATE VIEW mine.v AS SELECT file('${path}')`,
    `CREATE TABLE mine.f AS file('${path}', LineAsString)`,
    `INSERT INTO mine.rows (hunt) SELECT * FROM file('${path}', LineAsString)`,
    `INSERT INTO mine.rows (hunt) FROM INFILE '${path}' FORMAT LineAsString`,
    `INSERT INTO FUNCTION file('${path}.out', CSV, 'a UInt8') VALUES (1)`,
    `INSERT INTO TABLE FUNCTION file('${path}.out', CSV, 'a UInt8') SELECT 1`,
    "BACKUP TABLE mine.rows TO File('x')",
    'ALTER TABLE mine.rows FREEZE',
    'CREATE TABLE mine.z (a UInt8) ENGINE = Memory PARALLEL WITH DROP TABLE hunt.events',
    'CREATE TABLE mine.z (a UInt8) ENGINE = Memory; DROP TABLE hunt.events',
  ];

  it('refuses everything in or around protected databases, and the outside', async () => {
    for (const statement of refused(secretPath())) {
      const answer = await server.ask('', { body: statement });
      expect.soft(answer.status, `${statement} => ${answer.status} ${answer.text}`).toBeGreaterThanOrEqual(400);
      expect.soft(answer.headers.get('x-clickhouse-exception-code'), statement).toMatch(/^(497|62|81|164)$/);
    }
    expect(await server.run('SELECT count() FROM hunt.events')).toBe('1\n');
    expect(await server.run('SHOW TABLES FROM mine')).toBe('rows\n');
    expect(readdirSync(server.folder).filter((name) => name.endsWith('.out'))).toEqual([]);
  });

  it('refuses protected names through the database setting and parameters', async () => {
    const inHunt = { url: { database: 'hunt' } };
    for (const statement of [
      'INSERT INTO events VALUES (2)',
      'DROP TABLE events',
      'CREATE TABLE x (a UInt8) ENGINE = Memory',
    ]) {
      expect((await server.ask(statement, inHunt)).status, statement).toBe(403);
    }
    const byHeader = await server.ask('DROP TABLE events', { headers: { 'X-ClickHouse-Database': 'hunt' } });
    expect(byHeader.status).toBe(403);
    for (const statement of ['INSERT INTO {d:Identifier}.events VALUES (2)', 'DROP TABLE {d:Identifier}.events']) {
      expect((await server.ask(statement, { url: { param_d: 'hunt' } })).status, statement).toBe(403);
    }
    expect((await server.ask('INSERT INTO mine.rows VALUES (1)', { method: 'GET' })).status).toBe(403);
    expect(await server.run('SELECT count() FROM hunt.events')).toBe('1\n');
  });

  it('lets clients keep tables of their own', async () => {
    const statements = [
      'CREATE TABLE mine.copy (id UInt32, hunt String) ENGINE = ReplacingMergeTree ORDER BY id',
      'INSERT INTO mine.copy (id) SELECT id FROM hunt.events',
      "INSERT INTO mine.copy (id, hunt) VALUES (2, 'x;y')",
      'ALTER TABLE mine.copy ADD COLUMN more UInt8 DEFAULT 3',
      'CREATE MATERIALIZED VIEW mine.total ENGINE = SummingMergeTree ORDER BY id AS SELECT id, count() AS n FROM mine.copy GROUP BY id',
      'INSERT INTO mine.copy (id) VALUES (3)',
      'DELETE FROM mine.copy WHERE id = 2',
      'OPTIMIZE TABLE mine.copy FINAL',
      'RENAME TABLE mine.copy TO mine.copied',
      'TRUNCATE TABLE mine.copied',
      'DROP TABLE mine.total',
      'DROP TABLE mine.copied',
      'CREATE DATABASE other',
      'DROP DATABASE other',
    ];
    for (const statement of statements) {
      const answer = await server.ask('', { body: statement });
      expect.soft(answer.status, `${statement} => ${answer.text}`).toBe(200);
    }
  });
});
