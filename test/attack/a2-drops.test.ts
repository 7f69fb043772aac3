/**
 * What the engine lives on cannot be touched by anybody: each attack beside a harmless neighbour that must work; storing
 * goes on afterwards.
 */
import { afterEach, beforeAll, expect, it } from 'vitest';
import { useEmbeddedServer, type Call } from '../clickhouse-embedded/embedded-server.ts';

const server = useEmbeddedServer();
let stored = 0;

beforeAll(async () => {
  await server.run('CREATE DATABASE hunt', { asEngine: true });
  await server.run('CREATE TABLE hunt.events (id UInt64, k String) ENGINE = MergeTree ORDER BY id', { asEngine: true });
  await server.run('CREATE DATABASE mine');
  await server.run('CREATE DATABASE other');
  await server.run('CREATE TABLE mine.t (id UInt64, k String) ENGINE = MergeTree ORDER BY id');
  await server.run("INSERT INTO mine.t VALUES (1, 'x')");
}, 60_000);

/** The engine stores, and finds all that it stored. */
afterEach(async () => {
  stored += 1;
  await server.run(`INSERT INTO hunt.events FORMAT TSV`, { body: `${stored}\tk\n`, asEngine: true });
  expect(await server.run('SELECT count() FROM hunt.events')).toBe(`${stored}\n`);
  expect(
    await server.run("SELECT groupArray(name) FROM (SELECT name FROM system.tables WHERE database = 'hunt')"),
  ).toBe("['events']\n");
});

type Pair = readonly [attack: string, control: string, call?: Call];

async function expectPairs(pairs: readonly Pair[]): Promise<void> {
  for (const [attack, control, call] of pairs) {
    const answer = await server.ask('', { body: attack, ...call });
    expect.soft([400, 403, 404], `${attack} => ${answer.status} ${answer.text}`).toContain(answer.status);
    const neighbour = await server.ask('', { body: control, ...call });
    expect.soft(neighbour.status, `${control} => ${neighbour.text}`).toBe(200);
  }
}

it('databases of the engine', () =>
  expectPairs([
    ['DROP DATABASE default', 'CREATE DATABASE gone'],
    ['DROP DATABASE IF EXISTS `default` SYNC', 'DROP DATABASE gone'],
    ['DROP DATABASE "DEFAULT"', 'DROP DATABASE IF EXISTS gone'],
    ['DROP /* x */ DATABASE -- y\n default', 'DROP /* x */ DATABASE IF EXISTS -- y\n gone'],
    ['DROP DATABASE {d:Identifier}', 'CREATE DATABASE IF NOT EXISTS other', { url: { param_d: 'default' } }],
    ['DETACH DATABASE default', 'SHOW DATABASES'],
    ['DETACH DATABASE default PERMANENTLY', 'EXISTS DATABASE default'],
    ['RENAME DATABASE default TO x', 'RENAME DATABASE other TO another'],
    ['RENAME DATABASE another TO hunt', 'RENAME DATABASE another TO other'],
    ['TRUNCATE DATABASE default', 'TRUNCATE DATABASE other'],
    ['TRUNCATE ALL TABLES FROM default', 'TRUNCATE ALL TABLES FROM other'],
    ['TRUNCATE TABLES FROM hunt', 'TRUNCATE TABLES FROM other'],
    ['DROP DATABASE hunt', 'SELECT count() FROM system.databases'],
    ['DROP DATABASE mine, hunt', 'SELECT 1'],
    ['DROP DATABASE system', 'SELECT count() FROM system.tables'],
    ['DROP DATABASE INFORMATION_SCHEMA', 'SELECT count() FROM INFORMATION_SCHEMA.tables'],
    ['CREATE TABLE system.x (a UInt8) ENGINE = Memory', 'SELECT count() FROM system.parts'],
    ['CREATE TABLE _temporary_and_external_tables.x (a UInt8) ENGINE = Memory', 'SELECT 1'],
    ['DROP TABLE system.one', 'SELECT * FROM system.one'],
    ["ALTER DATABASE hunt MODIFY COMMENT 'x'", 'SHOW CREATE DATABASE mine'],
    ['CREATE OR REPLACE DATABASE default', 'SELECT currentDatabase()'],
    ['CREATE DATABASE hunt', 'CREATE DATABASE hunting'],
    ['DROP DATABASE hunting, default', 'DROP DATABASE hunting'],
  ]));

it('tables of the engine', () =>
  expectPairs([
    ['DROP TABLE hunt.events', 'CREATE TABLE mine.a (a UInt8) ENGINE = Memory'],
    ['DROP TABLE mine.a, hunt.events', 'DROP TABLE mine.a'],
    ['DROP TABLE IF EXISTS hunt . `events` SYNC', 'DROP TABLE IF EXISTS mine . `a` SYNC'],
    ['DROP VIEW hunt.events', 'CREATE VIEW mine.v AS SELECT 1 AS x'],
    ['DROP TABLE events', 'DROP VIEW mine.v', { url: { database: 'hunt' } }],
    ['DROP TABLE {t:Identifier}', 'SELECT 1', { url: { param_t: 'hunt.events' } }],
    ['DROP TABLE {d:Identifier}.{t:Identifier}', 'SELECT 1', { url: { param_d: 'hunt', param_t: 'events' } }],
    ['TRUNCATE hunt.events', 'TRUNCATE TABLE mine.t'],
    ['TRUNCATE TABLE IF EXISTS hunt.events', 'TRUNCATE TABLE IF EXISTS mine.t'],
    ['RENAME TABLE hunt.events TO mine.e', 'RENAME TABLE mine.t TO mine.u'],
    ['RENAME TABLE mine.u TO hunt.u', 'RENAME TABLE mine.u TO other.u'],
    ['RENAME TABLE other.u TO mine.t, hunt.events TO mine.e', 'RENAME TABLE other.u TO mine.u, mine.u TO mine.t'],
    ['EXCHANGE TABLES mine.t AND hunt.events', 'CREATE TABLE mine.s AS mine.t'],
    ['EXCHANGE TABLES hunt.events AND mine.t', 'EXCHANGE TABLES mine.t AND mine.s'],
    ['ALTER TABLE hunt.events DROP COLUMN k', 'ALTER TABLE mine.s ADD COLUMN z UInt8'],
    ['ALTER TABLE hunt.events DELETE WHERE 1', 'ALTER TABLE mine.s DELETE WHERE 1'],
    ['ALTER TABLE hunt.events UPDATE k = 1 WHERE 1', 'ALTER TABLE mine.s DROP COLUMN z'],
    [
      'ALTER TABLE mine.t MOVE PARTITION tuple() TO TABLE hunt.events',
      'ALTER TABLE mine.t MOVE PARTITION tuple() TO TABLE mine.s',
    ],
    [
      'ALTER TABLE mine.s MOVE PARTITION tuple() TO TABLE events',
      'ALTER TABLE mine.s MOVE PARTITION tuple() TO TABLE mine.t',
      { url: { database: 'hunt' } },
    ],
    [
      'ALTER TABLE hunt.events REPLACE PARTITION tuple() FROM mine.t',
      'ALTER TABLE mine.s ATTACH PARTITION tuple() FROM mine.t',
    ],
    ['ALTER TABLE hunt.events DROP PARTITION tuple()', 'ALTER TABLE mine.s DROP PARTITION tuple()'],
    [
      'ALTER TABLE hunt.events MODIFY SETTING parts_to_throw_insert = 1',
      'ALTER TABLE mine.s MODIFY SETTING parts_to_throw_insert = 100',
    ],
    ['DELETE FROM hunt.events WHERE 1', 'DELETE FROM mine.t WHERE id = 99'],
    ['OPTIMIZE TABLE hunt.events FINAL', 'OPTIMIZE TABLE mine.t FINAL'],
    ["INSERT INTO hunt.events VALUES (2, 'x')", "INSERT INTO mine.t VALUES (2, 'x')"],
    ['INSERT INTO hunt.events SELECT * FROM mine.t', 'INSERT INTO mine.s SELECT * FROM hunt.events'],
    [
      'INSERT INTO events SELECT * FROM mine.t',
      'INSERT INTO mine.s SELECT * FROM events',
      { url: { database: 'hunt' } },
    ],
    ['CREATE TABLE hunt.x (a UInt8) ENGINE = Memory', 'CREATE TABLE mine.x (a UInt8) ENGINE = Memory'],
    [
      'CREATE OR REPLACE TABLE hunt.events (a UInt8) ENGINE = Memory',
      'CREATE OR REPLACE TABLE mine.x (b UInt8) ENGINE = Memory',
    ],
    ['CREATE OR REPLACE VIEW hunt.events AS SELECT 1', 'CREATE OR REPLACE VIEW mine.w AS SELECT 1 AS x'],
    [
      'CREATE MATERIALIZED VIEW mine.m TO hunt.events AS SELECT id, k FROM mine.t',
      'CREATE MATERIALIZED VIEW mine.m TO mine.s AS SELECT id, k FROM mine.t',
    ],
    [
      'CREATE MATERIALIZED VIEW mine.n REFRESH EVERY 1 HOUR APPEND TO hunt.events AS SELECT id, k FROM mine.t',
      'CREATE MATERIALIZED VIEW mine.n REFRESH EVERY 1 HOUR APPEND TO mine.s EMPTY AS SELECT id, k FROM mine.t',
    ],
    [
      'CREATE TABLE mine.b (id UInt64) ENGINE = Buffer(hunt, events, 1, 1, 1, 1, 1, 1, 1)',
      'CREATE TABLE mine.b (id UInt64) ENGINE = Null',
    ],
    ['CREATE TABLE mine.c CLONE AS hunt.events', 'CREATE TABLE mine.c AS hunt.events'],
    [
      'CREATE TABLE mine.z (a UInt8) ENGINE = Memory PARALLEL WITH DROP TABLE hunt.events',
      'CREATE TABLE mine.z (a UInt8) ENGINE = Memory',
    ],
    ['DROP TABLE mine.z; DROP TABLE hunt.events', 'DROP TABLE mine.z;'],
    ['ALTER TABLE mine.m MODIFY QUERY SELECT id, k FROM hunt.events', "ALTER TABLE mine.m MODIFY COMMENT 'x'"],
    ['DETACH TABLE hunt.events', 'EXISTS TABLE hunt.events'],
    ['ATTACH TABLE hunt.y', 'SHOW TABLES FROM hunt'],
    ['UNDROP TABLE hunt.events', 'SELECT 1'],
    ['BACKUP TABLE hunt.events TO Null', 'SELECT 1'],
    ['SYSTEM STOP MERGES hunt.events', 'SELECT 1'],
    ['SYSTEM SHUTDOWN', 'SELECT 1'],
    ['KILL QUERY WHERE 1 SYNC', 'SHOW PROCESSLIST'],
    ['KILL MUTATION WHERE 1', 'SELECT count() FROM system.mutations'],
    [
      "CREATE TABLE mine.q UUID '11111111-2222-3333-4444-555555555555' (a UInt8) ENGINE = Memory",
      'CREATE TABLE mine.q (a UUID) ENGINE = Memory',
    ],
    [
      'CREATE VIEW mine.p DEFINER = CURRENT_USER SQL SECURITY DEFINER AS SELECT 1',
      'CREATE VIEW mine.p AS SELECT 1 AS definer',
    ],
    ['CREATE TABLE mine.r ON CLUSTER c (a UInt8) ENGINE = Memory', 'CREATE TABLE mine.r (a UInt8) ENGINE = Memory'],
    ['CREATE TEMPORARY TABLE events (a UInt8)', 'SELECT count() FROM hunt.events'],
  ]));

it('default stays across a start, with the tables that clients keep there', async () => {
  await server.run('CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a');
  await server.run('INSERT INTO kept VALUES (7)');
  expect(await server.run("SELECT engine FROM system.databases WHERE name = 'default'")).toBe('Atomic\n');
  expect(await server.run('SELECT a FROM default.kept')).toBe('7\n');
  await server.run('DROP TABLE kept');
});
