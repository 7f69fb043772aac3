/**
 * Tables and a batch log of a version whose rows did not name their log: they are brought on, read as this folder's, and no
 * other folder's.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { until, useEmbeddedServer } from '../../clickhouse-embedded/embedded-server.ts';
import { clickhouseOf, rowsOf } from './clickhouse-of.ts';
import { createStoreWorld, type StoreWorld } from './store-world.ts';

const server = useEmbeddedServer();
const world = createStoreWorld();
const other = createStoreWorld();
afterAll(() => {
  world.close();
  other.close();
});

const RECORD_BYTES = 64;
const KIND_AT = 8;
const KIND_CONFIRM = 4;
const KIND_LOG = 5;
const OPTIONS = { batchRowsMax: 40 };

const run = (sql: string): Promise<string> => server.run(sql, { asEngine: true });
const clickhouse = (): ReturnType<typeof clickhouseOf> => clickhouseOf(server, 'hunt');

async function store(from: StoreWorld, epochs: number): Promise<void> {
  for (let epoch = 0; epoch < epochs; epoch++) from.addEpoch({ rows: 20, deadLetters: 1 });
  const warehouse = from.open(clickhouse(), OPTIONS);
  await warehouse.start();
  await until(() => from.stored() === from.durable(), 30_000);
  await warehouse.stop();
}

/**
 * What the former version left: its last batch is in ClickHouse, and nothing says so; of the one before, the rows are
 * missing.
 */
async function makeFormer(): Promise<void> {
  for (const table of ['events', 'dead_letters']) await run(`ALTER TABLE hunt.${table} DROP COLUMN _log`);
  await run(`CREATE TABLE hunt.former (batch UInt64, first_epoch UInt64, last_epoch UInt64, day Date,
    first_received_at DateTime64(3, 'UTC'), last_received_at DateTime64(3, 'UTC'), rows UInt64, dead_letters UInt64, frames UInt64,
    received UInt64, duplicates UInt64, sealed_at DateTime64(3, 'UTC'), inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'))
    ENGINE = ReplacingMergeTree(inserted_at) ORDER BY batch`);
  await run('INSERT INTO hunt.former SELECT * EXCEPT (log) FROM hunt.batches');
  await run('EXCHANGE TABLES hunt.former AND hunt.batches');
  await run('DROP TABLE hunt.former SYNC');
  await run('CREATE OR REPLACE VIEW hunt.watermark AS SELECT max(last_received_at) AS watermark FROM hunt.batches');
  const file = join(world.folder, 'batches', 'batches.log');
  const bytes = readFileSync(file);
  const records = Array.from({ length: bytes.length / RECORD_BYTES }, (_, i) =>
    bytes.subarray(i * RECORD_BYTES, (i + 1) * RECORD_BYTES),
  );
  const kinds = records.map((record) => record.readUInt32LE(KIND_AT));
  expect(kinds.filter((kind) => kind === KIND_LOG)).toHaveLength(1);
  const confirmed = kinds.map((kind, i) => [kind, i] as const).filter(([kind]) => kind === KIND_CONFIRM);
  const dropped = new Set([kinds.indexOf(KIND_LOG), ...confirmed.slice(-2).map(([, i]) => i)]);
  writeFileSync(file, Buffer.concat(records.filter((_, i) => !dropped.has(i))));
  const [last] = await rowsOf<{ batch: number }>(server, 'SELECT max(batch) AS batch FROM hunt.batches');
  const missing = last!.batch - 1;
  for (const table of ['events', 'dead_letters'])
    await run(`ALTER TABLE hunt.${table} DELETE WHERE _batch = ${missing} SETTINGS mutations_sync = 2`);
  await run(`ALTER TABLE hunt.batches DELETE WHERE batch = ${missing} SETTINGS mutations_sync = 2`);
}

async function shapeOf(table: string): Promise<string> {
  return run(
    `SELECT create_table_query FROM system.tables WHERE database = 'hunt' AND name = '${table}' FORMAT TSVRaw`,
  );
}

test('a former folder goes on: its rows read as of its log, open batches are whole, each row is there once', async () => {
  await store(world, 20);
  await makeFormer();

  const former = await Promise.all(['events', 'dead_letters', 'batches'].map(shapeOf));
  expect(former.join()).not.toMatch(/\blog\b|\b_log\b/);
  const stranger = other.open(clickhouse(), OPTIONS);
  await expect(stranger.start()).rejects.toMatchObject({ code: 'tables_of_another_folder' });
  await stranger.stop();
  expect(await Promise.all(['events', 'dead_letters', 'batches'].map(shapeOf)), 'left as they were').toEqual(former);

  // A start that ended in the middle has left its copy.
  await run('CREATE TABLE hunt.batches_keyed (x UInt8) ENGINE = MergeTree ORDER BY x');
  await store(world, 20);
  for (const [table, made] of [
    ['events', world.made.rows],
    ['dead_letters', world.made.deadLetters],
  ] as const) {
    const [counted] = await rowsOf(
      server,
      `SELECT count() AS rows, uniqExact(_log, _batch, _row) AS placed, groupUniqArray(_log) AS logs FROM hunt.${table}`,
    );
    expect(counted, table).toEqual({ rows: made, placed: made, logs: [world.logNumber] });
  }
  const [batches] = await rowsOf(
    server,
    'SELECT sum(rows) AS rows, max(last_epoch) AS epoch, count() = max(batch) AS whole, groupUniqArray(log) AS logs FROM hunt.batches FINAL',
  );
  expect(batches).toEqual({ rows: world.made.rows, epoch: world.durable(), whole: 1, logs: [world.logNumber] });
  const tables = await rowsOf<{ name: string; key: string }>(
    server,
    "SELECT name, sorting_key AS key FROM system.tables WHERE database = 'hunt' AND startsWith(name, 'batches')",
  );
  expect(tables).toEqual([{ name: 'batches', key: 'log, batch' }]);
  const [mark] = await rowsOf(server, 'SELECT epoch, log FROM hunt.watermark');
  expect(mark).toEqual({ epoch: world.durable(), log: world.logNumber });
});

test('a log is told from another by its number, however few batches it has', async () => {
  // As many epochs and batches as the folder that is there: numbers alone would not tell them apart.
  for (let epoch = 0; epoch < 40; epoch++) other.addEpoch({ rows: 20, deadLetters: 1 });
  const elsewhere = other.open(clickhouseOf(server, 'elsewhere'), OPTIONS);
  await elsewhere.start();
  await until(() => other.stored() === other.durable(), 30_000);
  await elsewhere.stop();
  const stranger = other.open(clickhouse(), OPTIONS);
  await expect(stranger.start()).rejects.toThrow(`log=${world.logNumber} folder_log=${other.logNumber}`);
  await stranger.stop();
});
