/**
 * Databases of one's own: made from the engine's tables, with and without `database=hunt`, bounded, and never in the way of
 * storing.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { until, useEmbeddedServer } from './embedded-server.ts';

const said: { message: string; fields: Record<string, unknown> }[] = [];
const MIB = 1024 * 1024;
const server = useEmbeddedServer({
  ownBytesMax: 8 * MIB,
  memoryMaxBytes: 1024 * MIB,
  viewPatienceMs: 400,
  log: (_, message, fields) => void said.push({ message, fields: (fields ?? {}) as Record<string, unknown> }),
});
let stored = 0;

beforeAll(async () => {
  const ddl = [
    'CREATE DATABASE hunt',
    `CREATE TABLE hunt.events (id UInt64, k String, k_n UInt64) ENGINE = MergeTree ORDER BY id
     SETTINGS non_replicated_deduplication_window = 100`,
  ];
  for (const statement of ddl) await server.run(statement, { asEngine: true });
  await store();
}, 60_000);

/** As the engine does: every batch must be in, whatever hangs at the table. */
async function store(rows = 10): Promise<void> {
  const first = stored;
  const lines = Array.from({ length: rows }, (_, index) => `${first + index}\tk\t1\n`).join('');
  const call = { body: lines, asEngine: true, url: { insert_deduplication_token: `batch-${first}` } };
  for (let tries = 0; ; tries++) {
    const answer = await server.ask('INSERT INTO hunt.events FORMAT TSV', call);
    if (answer.status === 200) break;
    if (tries > 2) throw new Error(answer.text);
  }
  stored += rows;
  expect(await server.run('SELECT count(), uniqExact(id) FROM hunt.events')).toBe(`${stored}\t${stored}\n`);
}

describe.each([
  ['with no database named', undefined],
  ['with database=hunt', 'hunt'],
])('%s', (_, database) => {
  const url = database === undefined ? {} : { database };
  const name = database === undefined ? 'own' : 'own_hunt';
  const post = (body: string): Promise<string> => server.run('', { body, url });

  it('makes tables and views from the engine and works with them', async () => {
    for (const statement of [
      'CREATE DATABASE X',
      'CREATE VIEW X.v AS SELECT k FROM hunt.events',
      'CREATE TABLE X.c ENGINE = MergeTree ORDER BY k AS SELECT k FROM hunt.events',
      'CREATE TABLE X.e AS hunt.events ENGINE = MergeTree ORDER BY k',
      'CREATE TABLE X.f AS hunt.events',
      'CREATE TABLE X.a (a UInt64) ENGINE = MergeTree ORDER BY a',
      'CREATE TABLE X.b (k_n UInt64) ENGINE = MergeTree ORDER BY k_n',
      'INSERT INTO X.b SELECT k_n FROM hunt.events',
      'INSERT INTO X.a VALUES (1), (2)',
      'ALTER TABLE X.b ADD COLUMN more String',
      'CREATE TABLE X.j ENGINE = Memory AS SELECT e.k AS k, count() AS n FROM hunt.events AS e JOIN hunt.events AS f USING (id) GROUP BY e.k',
      'CREATE MATERIALIZED VIEW X.m ENGINE = SummingMergeTree ORDER BY k AS SELECT k, count() AS n FROM hunt.events GROUP BY k',
      'CREATE MATERIALIZED VIEW X.r REFRESH EVERY 1 HOUR ENGINE = Memory AS SELECT k, count() AS n FROM hunt.events GROUP BY k',
      'CREATE TABLE X.t (k String) ENGINE = MergeTree ORDER BY k',
      'CREATE MATERIALIZED VIEW X.mt TO X.t AS SELECT k FROM hunt.events WHERE id % 2 = 0',
      'DELETE FROM X.a WHERE a = 1',
      'OPTIMIZE TABLE X.a FINAL',
      'RENAME TABLE X.a TO X.z',
      'TRUNCATE TABLE X.z',
      'DROP TABLE X.b',
    ]) {
      const answer = await server.ask('', { body: statement.replaceAll('X.', `${name}.`).replace(/X$/, name), url });
      expect.soft(answer.status, `${statement} => ${answer.text}`).toBe(200);
    }
    expect(await post(`SELECT count() FROM ${name}.v`)).toBe(`${stored}\n`);
    expect(await post(`SELECT count() FROM ${name}.c`)).toBe(`${stored}\n`);
    await store();
    expect(await post(`SELECT sum(n) FROM ${name}.m`)).toBe('10\n');
    expect(await post(`SELECT count() FROM ${name}.t`)).toBe('5\n');
    await until(async () => (await post(`SELECT sum(n) FROM ${name}.r`)) !== '0\n');
    const definition = await post(`SHOW CREATE TABLE ${name}.r FORMAT TSVRaw`);
    expect(definition).toMatch(/SETTINGS max_threads = 1, max_memory_usage = \d+, max_execution_time = 300/);
    await post(`DROP DATABASE ${name}`);
    await store();
  });

  it('says truly why it refuses the rest', async () => {
    const why = async (body: string): Promise<string> => (await server.ask('', { body, url })).text;
    if (database !== undefined) {
      expect(await why('CREATE TABLE x (a UInt8) ENGINE = Memory')).toContain(
        'database hunt is written by the engine only; name one of your own, for example mine.x',
      );
    }
    expect(await why('CREATE TABLE hunt.x (a UInt8) ENGINE = Memory')).toContain(
      'database hunt is written by the engine only',
    );
    expect(
      await why('CREATE MATERIALIZED VIEW default.q ENGINE = Memory AS SELECT sleep(1) FROM hunt.events'),
    ).toContain('runs inside its inserts');
    expect(await why('DROP DATABASE default')).toContain('every connection begins');
  });
});

describe('views at the engine’s tables never stop its storing', () => {
  const view = async (statements: readonly string[], after: readonly string[] = []): Promise<void> => {
    await server.run('CREATE DATABASE IF NOT EXISTS v');
    for (const statement of statements) await server.run('', { body: statement });
    await store();
    for (const statement of after) await server.run('', { body: statement });
    await store();
    await server.run('DROP DATABASE v');
  };

  it.each([
    [
      'one that always fails',
      ['CREATE MATERIALIZED VIEW v.m ENGINE = Memory AS SELECT throwIf(1) AS x FROM hunt.events'],
      [],
    ],
    [
      'one whose target is dropped',
      [
        'CREATE TABLE v.t (id UInt64) ENGINE = Memory',
        'CREATE MATERIALIZED VIEW v.m TO v.t AS SELECT id FROM hunt.events',
      ],
      ['DROP TABLE v.t'],
    ],
    [
      'one whose target changes',
      [
        'CREATE TABLE v.t (id UInt64, k String) ENGINE = Log',
        'CREATE MATERIALIZED VIEW v.m TO v.t AS SELECT id, k FROM hunt.events',
      ],
      ['RENAME TABLE v.t TO v.u', 'CREATE TABLE v.t (other Array(UInt8)) ENGINE = Memory'],
    ],
    [
      'one whose target takes no row',
      [
        'CREATE TABLE v.t (id UInt64, CONSTRAINT c CHECK id > 1000000) ENGINE = MergeTree ORDER BY id',
        'CREATE MATERIALIZED VIEW v.m TO v.t AS SELECT id FROM hunt.events',
      ],
      [],
    ],
    [
      'one behind another that fails',
      [
        'CREATE TABLE v.t (id UInt64) ENGINE = Null',
        'CREATE MATERIALIZED VIEW v.m TO v.t AS SELECT id FROM hunt.events',
        'CREATE MATERIALIZED VIEW v.n ENGINE = Memory AS SELECT throwIf(1) AS x FROM v.t',
      ],
      [],
    ],
    [
      'one that is dropped',
      ['CREATE MATERIALIZED VIEW v.m ENGINE = Memory AS SELECT id FROM hunt.events'],
      ['DROP VIEW v.m'],
    ],
  ])('%s', async (_, statements, after) => {
    await view(statements, after);
  });

  it('one that takes too long is taken off, and said in the log', async () => {
    await view([
      'CREATE TABLE v.t (id UInt64) ENGINE = Null',
      'CREATE MATERIALIZED VIEW v.slow TO v.t AS SELECT id FROM hunt.events',
      'CREATE MATERIALIZED VIEW v.n ENGINE = Memory AS SELECT id, sleepEachRow(0.2) AS s FROM v.t',
    ]);
    const off = said.find(({ message }) => message.includes('taken off'));
    expect(off?.fields).toMatchObject({ view: '`v`.`slow`', table: 'hunt.events' });
  });

  it('no more than eight of them', async () => {
    await server.run('CREATE DATABASE many');
    const create = (index: number): Promise<{ status: number; text: string }> =>
      server.ask('', { body: `CREATE MATERIALIZED VIEW many.m${index} ENGINE = Null AS SELECT id FROM hunt.events` });
    for (let index = 0; index < 8; index++) expect((await create(index)).status).toBe(200);
    expect((await create(8)).text).toContain('ATTACHED_VIEWS_MAX=8');
    await store();
    await server.run('DROP DATABASE many');
    const heavy = [
      'SELECT e.id FROM hunt.events AS e JOIN hunt.events AS f USING (id)',
      'SELECT id FROM hunt.events WHERE id IN (SELECT id FROM hunt.events)',
      'SELECT arrayJoin([1, 2]) AS x FROM hunt.events',
      'SELECT x FROM hunt.events ARRAY JOIN [1, 2] AS x',
      'SELECT sleepEachRow(1) AS x FROM hunt.events',
    ];
    for (const query of heavy) {
      const answer = await server.ask('', { body: `CREATE MATERIALIZED VIEW default.h ENGINE = Null AS ${query}` });
      expect.soft([answer.status, answer.text], query).toEqual([403, expect.stringContaining('REFRESH EVERY')]);
    }
  });
});

describe('views that refresh themselves', () => {
  it('are bounded in number, memory and time, and an error in one stays in it', async () => {
    await server.run('CREATE DATABASE r');
    const create = (index: number, query: string) =>
      server.ask('', {
        body: `CREATE MATERIALIZED VIEW r.m${index} REFRESH EVERY 1 SECOND ENGINE = Memory AS ${query}`,
      });
    expect((await create(0, 'SELECT groupArray(number) AS g FROM numbers(1000000000)')).status).toBe(200);
    expect((await create(1, 'SELECT throwIf(1) AS x SETTINGS max_block_size = 1000')).status).toBe(200);
    for (let index = 2; index < 8; index++) expect((await create(index, 'SELECT 1 AS x')).status).toBe(200);
    expect((await create(8, 'SELECT 1 AS x')).text).toContain('REFRESHING_VIEWS_MAX=8');
    const failure = (view: string): Promise<string> =>
      server.run(`SELECT exception FROM system.view_refreshes WHERE view = '${view}'`);
    await until(async () => (await failure('m0')).includes('MEMORY_LIMIT_EXCEEDED'), 30_000);
    expect(await failure('m0')).toMatch(/query memory limit exceeded/i);
    await until(async () => (await failure('m1')).includes('throwIf'));
    expect(await server.run('SHOW CREATE TABLE r.m1 FORMAT TSVRaw')).toContain(
      'max_block_size = 1000, max_threads = 1',
    );
    await store();
    await server.run('DROP DATABASE r');
  }, 60_000);
});

describe('space', () => {
  it('is bounded on disk: what is there can be read and dropped, nothing is added', async () => {
    await server.run('CREATE DATABASE big');
    await server.run('CREATE TABLE big.t (s String) ENGINE = MergeTree ORDER BY tuple()');
    const insert = 'INSERT INTO big.t SELECT randomPrintableASCII(1000) FROM numbers(1000000)';
    const flood = await server.ask('', {
      body: insert,
      url: { max_block_size: '1000', min_insert_block_size_rows: '1000' },
    });
    expect([flood.status, flood.text]).toEqual([403, expect.stringContaining('bytes_max=8388608')]);
    const full = await server.ask('', { body: "INSERT INTO big.t VALUES ('x')" });
    expect([full.status, full.text]).toEqual([403, expect.stringContaining('QUOTA_EXCEEDED')]);
    expect((await server.ask('', { body: 'CREATE TABLE big.u (s String) ENGINE = Memory' })).status).toBe(403);
    expect(Number(await server.run('SELECT count() FROM big.t'))).toBeGreaterThan(0);
    await store();
    await server.run('TRUNCATE TABLE big.t');
    await until(async () => (await server.ask('', { body: "INSERT INTO big.t VALUES ('x')" })).status === 200);
    await server.run('DROP DATABASE big');
  }, 60_000);

  it('is bounded in memory', async () => {
    await server.run('CREATE DATABASE ram');
    await server.run('CREATE TABLE ram.t (s String) ENGINE = Memory');
    const statement = 'INSERT INTO ram.t SELECT randomPrintableASCII(100) FROM numbers(60000)';
    let last = await server.ask('', { body: statement });
    for (let round = 0; round < 40 && last.status === 200; round++) last = await server.ask('', { body: statement });
    expect([last.status, last.text]).toEqual([403, expect.stringContaining('full')]);
    await server.run('DROP DATABASE ram');
    await store();
  }, 60_000);

  it('is bounded in databases', async () => {
    const create = (index: number) => server.ask('', { body: `CREATE DATABASE d${index}` });
    let made = 0;
    while (made < 70 && (await create(made)).status === 200) made += 1;
    expect(made).toBeLessThanOrEqual(64);
    expect((await create(made)).text).toContain('OWN_DATABASES_MAX=64');
    for (let index = 0; index < made; index++) await server.run(`DROP DATABASE d${index}`);
  }, 60_000);
});
