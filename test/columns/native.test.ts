/** Every column kind, sealed, encoded and read back from the real ClickHouse, equals what went in. */

import { afterAll, describe, expect, test } from 'vitest';
import { createNativeEncoder } from '../../native-free-core/columns/native-encoder.ts';
import type { ColumnKind } from '../../native-free-core/plan/plan.ts';
import { createBlockWorld, RECEIVED_AT, type BlockWorld, type Row } from './block-world.ts';
import { planOf, type ColumnWish } from './plan-builder.ts';
import { bytesOf, openWarehouse } from './warehouse.ts';
import { utf8, type Scalar } from './write-value.ts';

/** The largest. */
const LOG = 2 ** 32 - 1;
const warehouse = openWarehouse();
afterAll(() => warehouse.close());

const LABELS = ['', 'dig', 'schlüssel 🗝', 'it\'s "quoted"'];
const ENUM_NAMES = [
  [0, 'UNKNOWN'],
  [1, 'GOLD'],
  [-5, 'NEGATIVE'],
] as const;

/** Edge values of each kind, and the SQL literal that each must equal. */
const VALUES: Readonly<Record<ColumnKind, readonly (readonly [Scalar, string])[]>> = {
  u8: [
    [0, '0'],
    [1, '1'],
  ],
  u32: [
    [0, '0'],
    [4294967295, '4294967295'],
  ],
  i32: [
    [-2147483648, '-2147483648'],
    [2147483647, '2147483647'],
  ],
  u64: [
    [0n, '0'],
    [-1n, '18446744073709551615'],
    [1n << 62n, '4611686018427387904'],
  ],
  i64: [
    [(1n << 63n) - 1n, '9223372036854775807'],
    [-(1n << 63n), '-9223372036854775808'],
  ],
  time: [
    [0n, '1970-01-01 00:00:00.000'],
    [4102444799999n, '2099-12-31 23:59:59.999'],
  ],
  f32: [
    [NaN, 'nan'],
    [-0, '-0'],
    [Infinity, 'inf'],
    [Math.fround(0.1), '0.1'],
  ],
  f64: [
    [NaN, 'nan'],
    [-0, '-0'],
    [-Infinity, '-inf'],
    [0.1, '0.1'],
    [Number.MIN_VALUE, '5e-324'],
  ],
  string: [
    ['', ''],
    ['наклад 🏴‍☠️', 'наклад 🏴‍☠️'],
    ['x'.repeat(127), 'x'.repeat(127)],
    ['y'.repeat(128), 'y'.repeat(128)],
    ['z'.repeat(65535), 'z'.repeat(65535)],
  ],
  bytes: [
    [new Uint8Array([0, 9, 10, 92]), '\0\t\n\\'],
    [new Uint8Array(0), ''],
  ],
  code: LABELS.map((label, code) => [code, label]),
  enum: [
    [0, 'UNKNOWN'],
    [-5, 'NEGATIVE'],
    [1, 'GOLD'],
    [77, '77'],
    [-2147483648, '-2147483648'],
  ],
  dictionary: [
    ['', ''],
    ['Ω', 'Ω'],
    ['w'.repeat(300), 'w'.repeat(300)],
  ],
};

const KINDS = Object.keys(VALUES) as ColumnKind[];
/** What a row without a value reads as, where the column is not nullable. */
const PRESETS: Partial<Record<ColumnKind, string>> = {
  time: '1970-01-01 00:00:00.000',
  string: '',
  bytes: '',
  code: '',
  enum: 'UNKNOWN',
  dictionary: '',
};

function wishOf(kind: ColumnKind, rest: Partial<ColumnWish>): ColumnWish {
  return {
    name: 'v',
    kind,
    ...(kind === 'code' ? { labels: LABELS } : {}),
    ...(kind === 'enum' ? { enumNames: ENUM_NAMES } : {}),
    ...rest,
  };
}

/** `v` as text: floats keep their sign of zero, lists and maps become arrays of texts. */
const TEXT = {
  scalar: 'toString(v)',
  list: 'arrayMap(x -> toString(x), v)',
  map: 'arrayMap((k, x) -> [k, toString(x)], mapKeys(v), mapValues(v))',
};

function texts(kind: ColumnKind, literal: string): string {
  return kind === 'u8' ? (literal === '1' ? 'true' : 'false') : literal;
}

function storeRows(world: BlockWorld, blocks: readonly (readonly Row[])[], rowsPerBlockMax = 65536): number {
  const native: Uint8Array[] = [];
  const encoder = createNativeEncoder(
    world.plan,
    { dictionary: world.textOf, utf8 },
    {
      rowsPerBlockMax,
      sink(block) {
        native.push(bytesOf(block));
        block.release();
      },
    },
  );
  encoder.begin(LOG, 2 ** 40 + 5);
  blocks.forEach((rows, i) => {
    world.writeRows(rows);
    encoder.appendBlock(world.seal(rows.length), 2 ** 33 + i);
  });
  const total = encoder.finish();
  const columns = world.plan.columns.map((column) => `\`${column.name}\` ${column.clickhouseType}`);
  warehouse.run('DROP TABLE IF EXISTS t');
  warehouse.run(
    `CREATE TABLE t (_log UInt32, _batch UInt64, _row UInt32, _epoch UInt64, _pipeline UInt32, ${columns.join(', ')}) ENGINE = MergeTree ORDER BY _row`,
  );
  warehouse.insert('t', native);
  return total;
}

function readBack(shape: 'scalar' | 'list' | 'map'): unknown[] {
  return warehouse.rows<{ x: unknown }>(`SELECT ${TEXT[shape]} AS x FROM t ORDER BY _row`).map((row) => row.x);
}

describe('scalars', () => {
  for (const kind of KINDS) {
    for (const nullable of [false, true]) {
      test(`${kind}${nullable ? ' nullable' : ''}`, () => {
        const world = createBlockWorld(planOf([wishOf(kind, { nullable })]));
        const preset = nullable ? null : texts(kind, PRESETS[kind] ?? '0');
        // Rows with each value, rows without one between them; then a block without any; then a constant one.
        const mixed: Row[] = VALUES[kind].flatMap(([value]) => [{ v: value }, {}]);
        const constant: Row[] = Array.from({ length: 3 }, () => ({ v: VALUES[kind].at(-1)![0] }));
        const total = storeRows(world, [mixed, [{}, {}], constant, mixed]);
        const wanted = VALUES[kind].flatMap(([, literal]) => [texts(kind, literal), preset]);
        const last = texts(kind, VALUES[kind].at(-1)![1]);
        expect(readBack('scalar')).toEqual([...wanted, preset, preset, last, last, last, ...wanted]);
        expect(total).toBe(2 * mixed.length + 5);
      });
    }
  }
});

test('columns that nobody wrote read as their presets', () => {
  for (const kind of KINDS) {
    for (const nullable of [false, true]) {
      storeRows(createBlockWorld(planOf([wishOf(kind, { nullable })])), [[{}, {}]]);
      const preset = nullable ? null : texts(kind, PRESETS[kind] ?? '0');
      expect([kind, readBack('scalar')]).toEqual([kind, [preset, preset]]);
    }
  }
});

describe('lists and maps', () => {
  for (const kind of KINDS) {
    test(`${kind} list`, () => {
      const world = createBlockWorld(planOf([wishOf(kind, { shape: 'list' })]));
      const values = VALUES[kind].map(([value]) => value);
      const wanted = VALUES[kind].map(([, literal]) => texts(kind, literal));
      const block: Row[] = [{}, { v: values }, { v: [] }, { v: values.slice(1) }];
      storeRows(world, [[{}], block, [{}, {}], block]);
      expect(readBack('list')).toEqual([[], [], wanted, [], wanted.slice(1), [], [], [], wanted, [], wanted.slice(1)]);
    });
    test(`${kind} map`, () => {
      const world = createBlockWorld(planOf([wishOf(kind, { shape: 'map' })]));
      const pairs = new Map(VALUES[kind].map(([value], i) => [`key ${i}`, value]));
      const wanted = VALUES[kind].map(([, literal], i) => [`key ${i}`, texts(kind, literal)]);
      const block: Row[] = [{}, { v: pairs }, { v: new Map() }, { v: pairs }];
      storeRows(world, [[{}], block, block]);
      expect(readBack('map')).toEqual([[], [], wanted, [], wanted, [], wanted, [], wanted]);
    });
    test(`${kind} list, empty throughout`, () => {
      const world = createBlockWorld(planOf([wishOf(kind, { shape: 'list' })]));
      storeRows(world, [[{ v: [] }, { v: [] }]]);
      expect(readBack('list')).toEqual([[], []]);
    });
  }
});

describe('the batch', () => {
  test('rows are numbered over all its blocks and carry log, batch, epoch, pipeline and arrival', () => {
    const world = createBlockWorld(planOf([{ name: 'v', kind: 'u32' }]));
    const block = (n: number): Row[] => Array.from({ length: n }, (_, i) => ({ v: i, frame_seq: 7n, producer: 'p' }));
    expect(storeRows(world, [block(10), block(3), block(20), block(1)], 16)).toBe(34);
    const rows = warehouse.rows<Record<string, unknown>>(
      'SELECT _log AS log, toString(_batch) AS b, _row AS r, toString(_epoch) AS e, _pipeline AS p, toUnixTimestamp64Milli(received_at) AS at, v, producer, frame_seq AS s FROM t ORDER BY _row',
    );
    const wanted = [10, 3, 20, 1].flatMap((n, i) => Array.from({ length: n }, (_, v) => ({ v, epoch: 2 ** 33 + i })));
    expect(rows).toEqual(
      wanted.map(({ v, epoch }, r) => ({
        log: LOG,
        b: String(2 ** 40 + 5),
        r,
        e: String(epoch),
        p: 7,
        at: RECEIVED_AT,
        v,
        producer: 'p',
        s: 7,
      })),
    );
  });

  test('columns of a branch lie sparsely and come back in place', () => {
    const branch = (name: string, code: number, rest: Partial<ColumnWish>): ColumnWish => ({
      name,
      kind: 'u32',
      branch: code,
      ...rest,
    });
    const world = createBlockWorld(
      planOf([
        branch('number', 1, {}),
        branch('maybe', 1, { kind: 'f64', nullable: true }),
        branch('text', 2, { kind: 'string', nullable: true }),
        branch('plain', 2, { kind: 'string' }),
        branch('word', 2, { kind: 'dictionary', nullable: true }),
        branch('many', 3, { kind: 'string', shape: 'list' }),
        branch('pairs', 3, { kind: 'i64', shape: 'map' }),
      ]),
    );
    const rows: Row[] = Array.from({ length: 300 }, (_, i): Row => {
      if (i % 10 === 1) return { type: 1, number: i, maybe: i % 20 === 1 ? i / 3 : null };
      if (i % 10 === 4)
        return {
          type: 2,
          text: i % 20 === 4 ? `t${i}`.repeat(i) : null,
          plain: `p${i}`,
          word: i % 3 ? `w${i % 7}` : null,
        };
      if (i % 10 === 7) return { type: 3, many: [`a${i}`, ''], pairs: new Map([['k', BigInt(i)]]) };
      return {};
    });
    // The second Native block takes the buffers of the first one, with what is left in them.
    storeRows(world, [rows, rows.slice(0, 59)], 300);
    const got = warehouse.rows<Record<string, unknown>>(
      "SELECT type, number, maybe, text, plain, word, many, CAST(pairs, 'Map(String, Int32)') AS pairs FROM t ORDER BY _row",
    );
    const wanted = [...rows, ...rows.slice(0, 59)].map((row) => ({
      type: ['', 'alpha', 'beta', 'gamma'][(row['type'] as number | undefined) ?? 0],
      number: row['number'] ?? 0,
      maybe: row['maybe'] ?? null,
      text: row['text'] ?? null,
      plain: row['plain'] ?? '',
      word: row['word'] ?? null,
      many: row['many'] ?? [],
      pairs: row['pairs'] === undefined ? {} : { k: Number((row['pairs'] as Map<string, bigint>).get('k')) },
    }));
    expect(got).toEqual(wanted);
  });

  test('dictionaries of 256, 257, 65,536 and 70,000 distinct values take indexes of the right width', () => {
    for (const distinct of [255, 256, 257, 65_536, 65_537, 70_000]) {
      const world = createBlockWorld(planOf([{ name: 'v', kind: 'dictionary', nullable: distinct % 2 === 0 }]));
      const blocks: Row[][] = [];
      for (let i = 0; i < distinct; i += 16_000) {
        blocks.push(Array.from({ length: Math.min(16_000, distinct - i) }, (_, k) => ({ v: `value ${i + k}` })));
      }
      storeRows(world, blocks, 1 << 20);
      const [sums] = warehouse.rows<Record<string, unknown>>(
        "SELECT count() AS n, uniqExact(v) AS d, countIf(v != concat('value ', toString(_row))) AS wrong FROM t",
      );
      expect(sums).toEqual({ n: distinct, d: distinct, wrong: 0 });
    }
  });

  test('the same blocks give the same bytes, whatever the encoder did before', () => {
    const world = createBlockWorld(
      planOf(
        KINDS.flatMap((kind) =>
          (['scalar', 'list', 'map'] as const).map((shape) => wishOf(kind, { name: `${kind}_${shape}`, shape })),
        ),
      ),
    );
    const blocks: Uint8Array[] = [];
    for (let n = 1; n < 6; n++) {
      world.writeRows(
        Array.from({ length: n * 3 }, (_, r) =>
          Object.fromEntries(KINDS.map((kind) => [`${kind}_scalar`, VALUES[kind][r % VALUES[kind].length][0]])),
        ),
      );
      blocks.push(world.seal(n * 3));
    }
    const outputs: Buffer[] = [];
    const chunks: Uint8Array[] = [];
    const sink = (block: { chunks: readonly Uint8Array[]; release(): void }): void => {
      chunks.push(Buffer.concat(block.chunks));
      block.release();
    };
    const texts = { dictionary: world.textOf, utf8 };
    const used = createNativeEncoder(world.plan, texts, { sink, rowsPerBlockMax: 20 });
    for (const encoder of [used, used, createNativeEncoder(world.plan, texts, { sink, rowsPerBlockMax: 20 })]) {
      encoder.begin(LOG, 9);
      blocks.forEach((block, i) => encoder.appendBlock(block, i));
      encoder.finish();
      outputs.push(Buffer.concat(chunks.splice(0)));
    }
    expect(outputs[1].equals(outputs[0])).toBe(true);
    expect(outputs[2].equals(outputs[0])).toBe(true);
  });
});
