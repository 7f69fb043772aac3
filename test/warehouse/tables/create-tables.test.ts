/** The tables against the real engine: created, migrated, refused, and filled by the Native encoders. */

import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { EVENT_NO_KEY, FRAME_MALFORMED } from '../../../native-free-core/base/outcomes.ts';
import { createDeadLetterEncoder } from '../../../native-free-core/columns/native-dead-letters.ts';
import {
  createNativeEncoder,
  type NativeEncoder,
  type NativeOptions,
} from '../../../native-free-core/columns/native-encoder.ts';
import { appendDeadLetter } from '../../../native-free-core/columns/block-logs.ts';
import {
  DEAD_WHOLE_FRAME,
  createDeadLetterEntry,
  type DeadLetterEntry,
} from '../../../native-free-core/layout/dead-letter-entry.ts';
import { createSeq } from '../../../native-free-core/layout/seq.ts';
import type { EntityPlan, Expression } from '../../../native-free-core/plan/plan.ts';
import { createTables, recordPipeline, storedPlan, type TableConnection } from '../../../src/warehouse/tables/index.ts';
import { createBlockWorld, RECEIVED_AT } from '../../columns/block-world.ts';
import { planOf, type ColumnWish } from '../../columns/plan-builder.ts';
import { bytesOf, openWarehouse } from '../../columns/warehouse.ts';
import { utf8 } from '../../columns/write-value.ts';
import { positionOf } from '../../../src/contract/event-log.ts';

const warehouse = openWarehouse();
afterAll(() => warehouse.close());
beforeEach(() => warehouse.run('DROP DATABASE IF EXISTS hunt'));

const connection: TableConnection = {
  execute: async (sql) => warehouse.run(sql),
  rows: async (sql) => warehouse.rows(sql),
};

const columnNode = (column: number): Expression => ({ node: 'column', type: 'int', column });

function entity(key: readonly Expression[]): EntityPlan {
  return {
    index: 0,
    name: 'player',
    primary: true,
    max: 1,
    ttlMs: 1,
    key,
    keyTexts: [],
    seqColumn: 0,
    lifeColumn: 0,
    features: [],
  };
}

const WISHES: readonly ColumnWish[] = [
  { name: 'player_id', kind: 'u64', comment: "the player's number, `quoted` \\ and all" },
  { name: 'team', kind: 'string', nullable: true },
  { name: 'score', kind: 'f64', nullable: true, codec: 'CODEC(Gorilla, LZ4)' },
  { name: 'tags', kind: 'string', shape: 'list' },
];
const plan = planOf(WISHES, { entities: [entity([columnNode(8)])] });

function describeTable(name: string): { name: string; type: string; comment: string; compression_codec: string }[] {
  return warehouse.rows(
    `SELECT name, type, comment, compression_codec FROM system.columns WHERE database = 'hunt' AND table = '${name}'`,
  );
}

const LOG = 7;
const OPTIONS = { database: 'hunt', syncs: true, logNumber: LOG };

describe('creating', () => {
  test('all tables, with the types, comments and codecs of the plan', async () => {
    expect(await createTables(plan, connection, OPTIONS)).toMatchObject({
      created: ['events', 'dead_letters', 'batches', 'pipelines', 'audit_log'],
      added: [],
    });
    const columns = describeTable('events');
    expect(columns.slice(0, 5).map((column) => column.name)).toEqual(['_log', '_batch', '_row', '_epoch', '_pipeline']);
    expect(columns.slice(5).map(({ name, type, comment }) => ({ name, type, comment }))).toEqual(
      plan.columns.map((column) => ({ name: column.name, type: column.clickhouseType, comment: column.comment })),
    );
    expect(columns.find((column) => column.name === 'score')!.compression_codec).toMatch(/^CODEC\(Gorilla/);
    const [table] = warehouse.rows<Record<string, string>>(
      "SELECT engine, partition_key, sorting_key, engine_full FROM system.tables WHERE database = 'hunt' AND name = 'events'",
    );
    expect(table).toMatchObject({
      engine: 'MergeTree',
      partition_key: "toYYYYMMDD(received_at, 'UTC')",
      sorting_key: 'player_id, effective_time',
    });
    expect(table['engine_full']).toContain('non_replicated_deduplication_window = 1000');
    expect(warehouse.rows('SELECT * FROM hunt.watermark')).toHaveLength(1);
  });

  test('twice changes nothing', async () => {
    await createTables(plan, connection, OPTIONS);
    expect(await createTables(plan, connection, OPTIONS)).toMatchObject({ created: [], added: [], widened: [] });
  });

  test('settings that a server does not know are left out', async () => {
    const older: TableConnection = {
      execute: async (sql) => connection.execute(sql),
      rows: async (sql) => (await connection.rows<never>(sql)).filter((row) => row['name'] !== 'auto_statistics_types'),
    };
    await createTables(plan, older, OPTIONS);
    const [table] = warehouse.rows<{ engine_full: string }>(
      "SELECT engine_full FROM system.tables WHERE database = 'hunt' AND name = 'events'",
    );
    expect(table.engine_full).not.toContain('auto_statistics_types');
  });
});

describe('the sort key', () => {
  const sortingKey = async (key: readonly Expression[]): Promise<string> => {
    await createTables({ ...plan, entities: [entity(key)] }, connection, OPTIONS);
    return warehouse.rows<{ sorting_key: string }>(
      "SELECT sorting_key FROM system.tables WHERE database = 'hunt' AND name = 'events'",
    )[0].sorting_key;
  };

  test('a composite key, with a part that can be NULL', async () => {
    expect(await sortingKey([columnNode(8), columnNode(9)])).toBe('player_id, team, effective_time');
  });
  test('an expression: the columns that it reads, each once', async () => {
    const condition: Expression = { node: 'call', type: 'bool', operator: 'has', operands: [columnNode(9)] };
    expect(
      await sortingKey([
        { node: 'call', type: 'string', operator: 'conditional', operands: [condition, columnNode(9), columnNode(8)] },
      ]),
    ).toBe('team, player_id, effective_time');
  });
  test('no column at all', async () => {
    expect(await sortingKey([{ node: 'constant', type: 'int', value: 1 }])).toBe('(effective_time)');
  });
});

describe('migrating', () => {
  test('new columns are added, comments follow, old columns stay', async () => {
    await createTables(plan, connection, OPTIONS);
    warehouse.run("INSERT INTO hunt.events (_batch, player_id, team) VALUES (1, 2, 'red')");
    const next = planOf(
      [
        { ...WISHES[0], comment: 'said better' },
        { name: 'level', kind: 'u32', comment: 'new' },
        { name: 'place', kind: 'string', nullable: true },
        { name: 'weights', kind: 'f64', shape: 'map' },
        { name: 'mood', kind: 'enum', enumNames: [[0, 'CALM']] },
      ],
      { entities: plan.entities },
    );
    expect(await createTables(next, connection, OPTIONS)).toMatchObject({
      created: [],
      added: ['events.level', 'events.place', 'events.weights', 'events.mood'],
    });
    expect(describeTable('events').find((column) => column.name === 'player_id')!.comment).toBe('said better');
    expect(warehouse.rows('SELECT player_id, team, level, place, weights FROM hunt.events')).toEqual([
      { player_id: 2, team: 'red', level: 0, place: null, weights: {} },
    ]);
  });

  test('another type is refused before anything is changed', async () => {
    await createTables(plan, connection, OPTIONS);
    const next = planOf([
      { name: 'fresh', kind: 'u32' },
      { name: 'player_id', kind: 'string' },
      { name: 'score', kind: 'f32' },
    ]);
    await expect(createTables(next, connection, OPTIONS)).rejects.toThrow(
      /table=hunt\.events column=player_id has=UInt64 wants=String, column=score has=Nullable\(Float64\) wants=Float32; give the field another name/,
    );
    await expect(createTables(next, connection, OPTIONS)).rejects.toMatchObject({ code: 'table_type_conflict' });
    expect(describeTable('events').some((column) => column.name === 'fresh')).toBe(false);
  });

  test('a renamed column is an alias, and its old name cannot be taken again', async () => {
    await createTables(plan, connection, OPTIONS);
    warehouse.run("INSERT INTO hunt.events (_batch, player_id, team) VALUES (1, 2, 'red')");
    const renamed = WISHES.map((wish) => (wish.name === 'team' ? { ...wish, name: 'crew' } : wish));
    const next = planOf(renamed, { entities: plan.entities });
    const { stored } = await createTables(next, connection, { ...OPTIONS, renames: [{ from: 'team', to: 'crew' }] });
    expect(stored.get('crew')).toEqual({ name: 'team', nullable: true });
    expect(storedPlan(next, stored).columns.map(({ name }) => name)).toEqual(plan.columns.map(({ name }) => name));
    expect(warehouse.rows('SELECT team, crew FROM hunt.events')).toEqual([{ team: 'red', crew: 'red' }]);
    const both = planOf([...renamed, { name: 'team', kind: 'string', nullable: true }], { entities: plan.entities });
    await expect(createTables(both, connection, OPTIONS)).rejects.toThrow(/column=team would store both crew and team/);
    const again = planOf(WISHES.map((wish) => (wish.name === 'team' ? { ...wish, name: 'side' } : wish)));
    await createTables(again, connection, { ...OPTIONS, renames: [{ from: 'crew', to: 'side' }] });
    expect(warehouse.rows('SELECT team, crew, side FROM hunt.events')).toEqual([
      { team: 'red', crew: 'red', side: 'red' },
    ]);
  });

  test('columns widen in place, and never become narrower', async () => {
    await createTables(planOf([{ name: 'level', kind: 'i32' }]), connection, OPTIONS);
    warehouse.run('INSERT INTO hunt.events (_batch, level) VALUES (1, -7)');
    const wide = planOf([{ name: 'level', kind: 'i64', nullable: true }]);
    expect(await createTables(wide, connection, OPTIONS)).toMatchObject({ added: [], widened: ['events.level'] });
    expect(describeTable('events').find(({ name }) => name === 'level')!.type).toBe('Nullable(Int64)');
    expect(await createTables(planOf([{ name: 'level', kind: 'i32' }]), connection, OPTIONS)).toMatchObject({
      widened: [],
    });
    expect(describeTable('events').find(({ name }) => name === 'level')!.type).toBe('Nullable(Int64)');
    expect(warehouse.rows('SELECT level FROM hunt.events')).toEqual([{ level: -7 }]);
  });

  test("somebody else's table is left alone", async () => {
    warehouse.run('CREATE DATABASE hunt');
    warehouse.run('CREATE TABLE hunt.events (id UInt64) ENGINE = MergeTree ORDER BY id');
    await expect(createTables(plan, connection, OPTIONS)).rejects.toMatchObject({ code: 'table_foreign' });
  });
});

test('pipeline versions are recorded with their source, whatever is in it', async () => {
  const source = 'format: 1\n# it\'s \\n 100% "fine" ?{x}`\n\ttabs and \u{1f5dd}\r\n';
  await createTables(plan, connection, OPTIONS);
  const insert = async (query: string, body: Iterable<Uint8Array>): Promise<number> => {
    warehouse.run(`${query}\n${Buffer.concat([...body]).toString('utf8')}`);
    return 1;
  };
  const record = {
    kind: 'deploy',
    actor: "o'hara",
    reason: 'a\ttab',
    afterEpoch: positionOf(12),
    at: RECEIVED_AT,
    diff: { a: 1 },
  };
  await recordPipeline({ ...record, plan: { ...plan, source }, previous: null }, { insert }, OPTIONS.database);
  const rows = warehouse.rows(
    'SELECT number, version, name, owner, source, toUnixTimestamp64Milli(activated_at) AS at, actor, reason, diff FROM hunt.pipelines',
  );
  expect(rows).toEqual([
    {
      number: 7,
      version: '00ff',
      name: 'made-for-a-test',
      owner: 'tests',
      source,
      at: RECEIVED_AT,
      actor: "o'hara",
      reason: 'a\ttab',
      diff: '{"a":1}',
    },
  ]);
});

describe('batches', () => {
  function encode(make: (options: NativeOptions) => NativeEncoder, blocks: readonly Uint8Array[]): Uint8Array[] {
    const native: Uint8Array[] = [];
    const encoder = make({ sink: (block) => native.push(bytesOf(block)) });
    encoder.begin(LOG, 12);
    blocks.forEach((block, i) => encoder.appendBlock(block, 100 + i));
    encoder.finish();
    return native;
  }

  test('a batch becomes one part, and its token admits it once', async () => {
    await createTables(plan, connection, OPTIONS);
    const world = createBlockWorld(plan);
    const blocks = [0, 1, 2].map((n) => {
      world.writeRows(
        Array.from({ length: 1000 }, (_, i) => ({
          player_id: BigInt(i % 7),
          team: i % 2 ? `t${n}` : null,
          score: i / 3,
          tags: ['a'],
        })),
      );
      return world.seal(1000);
    });
    const native = encode(
      (options) => createNativeEncoder(plan, { dictionary: world.textOf, utf8 }, { ...options, rowsPerBlockMax: 1000 }),
      blocks,
    );
    expect(native).toHaveLength(3);
    for (let times = 0; times < 2; times++) warehouse.insert('hunt.events', native, '12');
    expect(
      warehouse.rows('SELECT count() AS n, uniqExact(_row) AS d, max(_row) AS last FROM hunt.events WHERE _batch = 12'),
    ).toEqual([{ n: 3000, d: 3000, last: 2999 }]);
    const parts = warehouse.rows(
      "SELECT partition, part_type FROM system.parts WHERE active AND database = 'hunt' AND table = 'events'",
    );
    expect(parts).toEqual([{ partition: '20260102', part_type: 'Compact' }]);
    const explain = JSON.stringify(
      warehouse.rows(
        'EXPLAIN indexes = 1 SELECT count() FROM hunt.events WHERE _batch = 13 SETTINGS optimize_use_projections = 0, optimize_trivial_count_query = 0',
      ),
    );
    expect(explain).toContain('batch_minmax');
  });

  test('dead letters arrive with bytes and reason', async () => {
    await createTables(plan, connection, OPTIONS);
    const letter = (part: Partial<DeadLetterEntry>): DeadLetterEntry => ({
      ...createDeadLetterEntry(),
      outcome: EVENT_NO_KEY,
      ...part,
    });
    const world = createBlockWorld(plan);
    let producer = world.producer('spieler-gerät');
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i & 255);
    appendDeadLetter(
      world.deadLetters,
      letter({ producer, seq: { low: 5, high: 1 }, index: 3, length: 200 }),
      bytes,
      10,
    );
    const whole = { index: DEAD_WHOLE_FRAME, outcome: FRAME_MALFORMED, encoding: 1, length: 70_000 };
    appendDeadLetter(world.deadLetters, letter(whole), bytes, 0);
    const first = world.seal(0);
    producer = world.producer('spieler-gerät');
    appendDeadLetter(world.deadLetters, letter({ producer, seq: createSeq(6), encoding: 2 }), bytes, 0);
    const second = world.seal(0);
    const native = encode(
      (options) => createDeadLetterEncoder({ dictionary: world.textOf, utf8 }, { ...options, rowsPerBlockMax: 2 }),
      [first, second],
    );
    expect(native).toHaveLength(2);
    warehouse.insert('hunt.dead_letters', native, '12');
    const rows = warehouse.rows<Record<string, unknown>>(
      'SELECT _batch, _row, _epoch, _pipeline, toUnixTimestamp64Milli(received_at) AS at, producer, toString(frame_seq) AS seq, frame_index, kind, code, encoding, hex(bytes) AS hex, length(reason) > 10 AS told FROM hunt.dead_letters ORDER BY _row',
    );
    const hex = (from: number, to: number): string =>
      Buffer.from(bytes.subarray(from, to)).toString('hex').toUpperCase();
    const shared = { _batch: 12, _pipeline: 7, at: RECEIVED_AT, told: 1 };
    expect(rows).toEqual([
      {
        ...shared,
        _row: 0,
        _epoch: 100,
        producer: 'spieler-gerät',
        seq: '4294967301',
        frame_index: 3,
        kind: 'event',
        code: 'no_key',
        encoding: 'protobuf',
        hex: hex(10, 210),
      },
      {
        ...shared,
        _row: 1,
        _epoch: 100,
        producer: '',
        seq: '0',
        frame_index: null,
        kind: 'frame',
        code: 'frame_malformed',
        encoding: 'json',
        hex: hex(0, 70_000),
      },
      {
        ...shared,
        _row: 2,
        _epoch: 101,
        producer: 'spieler-gerät',
        seq: '6',
        frame_index: 0,
        kind: 'event',
        code: 'no_key',
        encoding: 'ndjson',
        hex: '',
      },
    ]);
  });

  test('the watermark is the arrival of the last batch, and confirming twice counts once', async () => {
    await createTables(plan, connection, OPTIONS);
    const insert = (batch: number, received: string): void =>
      warehouse.run(
        `INSERT INTO hunt.batches (batch, first_epoch, last_epoch, day, first_received_at, last_received_at, rows) VALUES (${batch}, ${batch * 10}, ${batch * 10 + 9}, '2026-01-02', '${received}', '${received}', 5)`,
      );
    insert(1, '2026-01-02 03:00:00.000');
    insert(2, '2026-01-02 03:00:01.500');
    insert(2, '2026-01-02 03:00:01.500');
    expect(warehouse.rows('SELECT toString(watermark) AS at, epoch, batch FROM hunt.watermark')).toEqual([
      { at: '2026-01-02 03:00:01.500', epoch: 29, batch: 2 },
    ]);
    expect(warehouse.rows('SELECT sum(rows) AS n FROM hunt.batches FINAL')).toEqual([{ n: 10 }]);
  });
});
