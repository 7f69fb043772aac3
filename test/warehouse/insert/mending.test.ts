/** What a plain insert does not do: refused rows, rows that are missing or doubled, tables that somebody dropped. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { until, useEmbeddedServer } from '../../clickhouse-embedded/embedded-server.ts';
import { clickhouseOf, rowsOf } from './clickhouse-of.ts';
import { createStoreWorld, type StoreWorld } from './store-world.ts';

const server = useEmbeddedServer();
let world: StoreWorld;
let warehouse: Warehouse;
let database = 'none';
let databases = 0;
beforeEach(() => {
  world = createStoreWorld();
  database = `mend_${++databases}`;
});
afterEach(async () => {
  await warehouse.stop();
  world.close();
});

const run = (sql: string): Promise<string> => server.run(sql, { asEngine: true });
const rows = <Row>(sql: string): Promise<Row[]> => rowsOf<Row>(server, sql);

async function open(options: Parameters<StoreWorld['open']>[1] = {}): Promise<void> {
  warehouse = world.open(clickhouseOf(server, database), options);
  await warehouse.start();
}

const allStored = (): Promise<void> => until(() => world.stored() === world.durable(), 20_000);

/** Rows, distinct places and distinct ids, which all must be the same. */
async function expectEvents(count: number): Promise<void> {
  const [found] = await rows(
    `SELECT count() AS rows, uniqExact(_batch, _row) AS placed, uniqExact(id) AS ids FROM ${database}.events`,
  );
  expect(found).toEqual({ rows: count, placed: count, ids: count });
}

describe('refused rows', () => {
  test('go to dead_letters one by one, all others go in, and the account still balances', async () => {
    await open();
    await run(`ALTER TABLE ${database}.events ADD CONSTRAINT sane CHECK score < 1000000`);
    const poison = new Set([0, 1, 777, 999]);
    world.addEpoch({ rows: 1000, deadLetters: 2, score: (row) => (poison.has(row) ? 5_000_000 + row : row) });
    await allStored();
    await expectEvents(996);
    const letters = await rows<{
      row: number;
      producer: string;
      index: number;
      score: number;
      id: string;
      reason: string;
    }>(
      `SELECT _row - 2147483648 AS row, producer, frame_index AS index, JSONExtractUInt(bytes, 'score') AS score,
        JSONExtractString(bytes, 'id') AS id, reason
       FROM ${database}.dead_letters WHERE code = 'clickhouse_refused' ORDER BY row`,
    );
    expect(letters.map(({ row, producer, index, score, id }) => ({ row, producer, index, score, id }))).toEqual(
      [...poison].map((row) => ({
        row,
        producer: 'producer-1',
        index: row,
        score: 5_000_000 + row,
        id: `event-${row}`,
      })),
    );
    expect(letters[0]!.reason).toContain('VIOLATED_CONSTRAINT');
    expect(warehouse.stored()).toMatchObject({ events: 1000, deadLetters: 2 });
    expect(warehouse.figures()).toMatchObject({ refused: 4, mendings: 1 });
    expect(await rows(`SELECT rows, dead_letters FROM ${database}.batches`)).toEqual([{ rows: 996, dead_letters: 6 }]);
    expect(
      await rows(`SELECT name FROM system.tables WHERE database = '${database}' AND name = 'batch_staging'`),
    ).toEqual([]);

    // What is counted at the next start is the same.
    await warehouse.stop();
    await open();
    expect(warehouse.stored()).toMatchObject({ epoch: 1, events: 1000, deadLetters: 2 });
  });

  test('a stop in the middle of the search changes nothing', async () => {
    await open();
    await run(`ALTER TABLE ${database}.events ADD CONSTRAINT sane CHECK score % 125 != 7`);
    world.addEpoch({ rows: 1000 });
    await until(async () => {
      const [found] = await rows<{ rows: number }>(`SELECT count() AS rows FROM ${database}.dead_letters`);
      return found!.rows > 3;
    });
    await warehouse.stop(0);
    await open();
    await allStored();
    await expectEvents(992);
    const [letters] = await rows(`SELECT count() AS rows, uniqExact(_row) AS placed FROM ${database}.dead_letters`);
    expect(letters).toEqual({ rows: 8, placed: 8 });
  });

  test('a row that goes in after all leaves dead_letters', async () => {
    await open();
    await run(`ALTER TABLE ${database}.events ADD CONSTRAINT sane CHECK score != 5`);
    // The line in `batches` cannot be written, so the batch stays open.
    await run(`ALTER TABLE ${database}.batches ADD CONSTRAINT closed CHECK batch = 0`);
    world.addEpoch({ rows: 20 });
    await until(() => world.log.some(({ message }) => message.startsWith('could not record batch 1')));
    await run(
      `INSERT INTO ${database}.events SELECT * REPLACE (5 AS _row, 5 AS frame_index, 6 AS score, 'event-5' AS id) FROM (SELECT * FROM ${database}.events WHERE _row = 6)`,
    );
    await warehouse.stop(0);
    await run(`ALTER TABLE ${database}.batches DROP CONSTRAINT closed`);
    await open();
    await allStored();
    await expectEvents(20);
    expect(await rows(`SELECT count() AS rows FROM ${database}.dead_letters`)).toEqual([{ rows: 0 }]);
  });
});

describe('rows that are missing or doubled when a batch is looked up', () => {
  /** A batch that is in, but whose confirmation was lost. */
  async function leaveOpen(): Promise<void> {
    await open();
    await run(`ALTER TABLE ${database}.batches ADD CONSTRAINT closed CHECK batch = 0`);
    world.addEpoch({ rows: 500, deadLetters: 5 });
    await until(() => world.log.some(({ message }) => message.startsWith('could not record batch 1')));
    await warehouse.stop(0);
    await run(`ALTER TABLE ${database}.batches DROP CONSTRAINT closed`);
  }

  test('whole: nothing is sent', async () => {
    await leaveOpen();
    await open();
    await allStored();
    await expectEvents(500);
    expect(warehouse.figures()).toMatchObject({ looks: 2, mendings: 0 });
  });

  test('missing rows are put in, though the token is known', async () => {
    await leaveOpen();
    await run(`ALTER TABLE ${database}.events DELETE WHERE _row % 3 = 0 SETTINGS mutations_sync = 2`);
    await run(`ALTER TABLE ${database}.dead_letters DELETE WHERE _row = 2 SETTINGS mutations_sync = 2`);
    await open();
    await allStored();
    await expectEvents(500);
    expect(await rows(`SELECT count() AS rows, uniqExact(bytes) AS texts FROM ${database}.dead_letters`)).toEqual([
      { rows: 5, texts: 5 },
    ]);
    expect(warehouse.figures()).toMatchObject({ mendings: 2 });
  });

  test('doubled rows are taken out, in one part or in several', async () => {
    await leaveOpen();
    await run(`INSERT INTO ${database}.events SELECT * FROM ${database}.events WHERE _row < 400`);
    await run(`OPTIMIZE TABLE ${database}.events FINAL`);
    await run(
      `INSERT INTO ${database}.events SELECT * FROM ${database}.events WHERE _row BETWEEN 300 AND 450 LIMIT 1 BY _row`,
    );
    await run(`ALTER TABLE ${database}.events DELETE WHERE _row = 17 SETTINGS mutations_sync = 2`);
    await open();
    await allStored();
    await expectEvents(500);
  });
});

describe('on the way', () => {
  test('a dropped table comes back, and what is not confirmed goes in', async () => {
    await open();
    world.addEpoch({ rows: 10 });
    await allStored();
    await run(`DROP TABLE ${database}.events SYNC`);
    world.addEpoch({ rows: 20, deadLetters: 1 });
    await allStored();
    expect(await rows(`SELECT count() AS rows FROM ${database}.events`)).toEqual([{ rows: 20 }]);
    expect(world.log.some(({ message }) => message === 'tables created')).toBe(true);
  });

  test('epochs of another arrival day begin another batch', async () => {
    const midnight = Date.UTC(2026, 2, 1);
    for (const receivedAt of [midnight - 2000, midnight - 1, midnight, midnight + 1, midnight + 86_400_000]) {
      world.addEpoch({ rows: 5, deadLetters: 1, receivedAt });
    }
    await open();
    await allStored();
    expect(
      await rows(`SELECT toString(day) AS day, rows, dead_letters FROM ${database}.batches ORDER BY batch`),
    ).toEqual([
      { day: '2026-02-28', rows: 10, dead_letters: 2 },
      { day: '2026-03-01', rows: 10, dead_letters: 2 },
      { day: '2026-03-02', rows: 5, dead_letters: 1 },
    ]);
    expect(warehouse.stored().receivedAt).toBe(midnight + 86_400_000);
    expect(
      await rows(`SELECT toUnixTimestamp64Milli(watermark) AS ms, epoch, batch FROM ${database}.watermark`),
    ).toEqual([{ ms: midnight + 86_400_000, epoch: 5, batch: 3 }]);
  });

  test('a batch is one part, and confirmed epochs are on the disk when asked', async () => {
    for (let epoch = 0; epoch < 30; epoch++) world.addEpoch({ rows: 3000 });
    warehouse = world.open(clickhouseOf(server, database), { batchRowsMax: 60_000 });
    await warehouse.start();
    await allStored();
    expect(await rows(`SELECT rows FROM ${database}.batches ORDER BY batch`)).toEqual([
      { rows: 60_000 },
      { rows: 30_000 },
    ]);
    const parts = await rows(
      `SELECT rows FROM system.parts WHERE database = '${database}' AND table = 'events' AND level = 0 ORDER BY rows DESC`,
    );
    expect(parts).toEqual([{ rows: 60_000 }, { rows: 30_000 }]);
    expect(await warehouse.confirmedOnDiskEpoch()).toBe(30);
  });

  test('tables of another data folder are refused', async () => {
    await open();
    world.addEpoch({ rows: 3 });
    await allStored();
    await warehouse.stop();
    const other = createStoreWorld();
    const foreign = other.open(clickhouseOf(server, database));
    await expect(foreign.start()).rejects.toThrow(/log=\d+ folder_log=\d+; .*another database/);
    await foreign.stop();
    other.close();
  });

  test('a wrong password ends the start with advice', async () => {
    warehouse = world.open({ ...clickhouseOf(server, database), password: 'wrong' });
    await expect(warehouse.start()).rejects.toThrow(/check --clickhouse/);
  });
});
