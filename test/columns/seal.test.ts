/** A block sealed and loaded again is the block that was sealed, whatever was written into it. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  eachDeadLetter,
  eachDictionaryEntry,
  eachFrame,
  loadBlock,
  readBlockHeader,
} from '../../native-free-core/columns/load-block.ts';
import { appendDeadLetter, appendFrame } from '../../native-free-core/columns/block-logs.ts';
import { EVENT_NO_KEY, FRAME_MALFORMED } from '../../native-free-core/base/outcomes.ts';
import { createColumn } from '../../native-free-core/layout/column.ts';
import { DEAD_WHOLE_FRAME } from '../../native-free-core/layout/dead-letter-entry.ts';
import { FRAME_HAS_SEQ, FRAME_DUPLICATE, type FrameEntry } from '../../native-free-core/layout/frame-entry.ts';
import { createSeq } from '../../native-free-core/layout/seq.ts';
import type { ColumnKind, ColumnShape } from '../../native-free-core/plan/plan.ts';
import { createBlockWorld, RECEIVED_AT, type Row } from './block-world.ts';
import { planOf, type ColumnWish } from './plan-builder.ts';
import { readValue, type Scalar, type Value } from './write-value.ts';

const u32 = fc.integer({ min: 0, max: 4294967295 });
const i32 = fc.integer({ min: -2147483648, max: 2147483647 });
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.nat(70_000).map((n) => 'n'.repeat(Math.min(n, 65535))),
);

const SCALARS: Readonly<Record<ColumnKind, fc.Arbitrary<Scalar>>> = {
  u8: fc.integer({ min: 0, max: 255 }),
  u32,
  i32,
  u64: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  i64: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  time: fc.bigInt({ min: 0n, max: 1n << 44n }),
  f32: fc.float(),
  f64: fc.double(),
  string: text,
  bytes: fc.uint8Array({ maxLength: 40 }),
  code: fc.integer({ min: 0, max: 3 }),
  enum: i32,
  dictionary: fc.nat(1000).map((n) => `word ${n}`),
};
const KINDS = Object.keys(SCALARS) as ColumnKind[];

/** As `readValue` gives it. */
function normal(kind: ColumnKind, value: Scalar, intern: (text: string) => number): Scalar {
  if (kind === 'dictionary' && typeof value === 'string') return intern(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (kind === 'u64') return BigInt.asUintN(64, value as bigint);
  return value;
}

function preset(wish: ColumnWish): Value {
  if (wish.shape === 'list') return [];
  if (wish.shape === 'map') return new Map();
  if (wish.nullable) return null;
  if (wish.kind === 'string' || wish.kind === 'bytes') return '';
  return wish.kind === 'u64' || wish.kind === 'i64' || wish.kind === 'time' ? 0n : 0;
}

function valueOf(wish: ColumnWish): fc.Arbitrary<Value> {
  const scalar = SCALARS[wish.kind];
  if (wish.shape === 'list') return fc.array(scalar, { maxLength: 5 });
  if (wish.shape === 'map')
    return fc
      .uniqueArray(fc.tuple(fc.string(), scalar), { maxLength: 4, selector: ([key]) => key })
      .map((pairs) => new Map(pairs));
  return scalar;
}

const wishes: ColumnWish[] = KINDS.flatMap((kind) =>
  (['scalar', 'nullable', 'branch', 'list', 'map'] as const).map((variant): ColumnWish => {
    const shape: ColumnShape = variant === 'list' || variant === 'map' ? variant : 'scalar';
    const branch = variant === 'branch' ? 1 + (KINDS.indexOf(kind) % 3) : variant === 'list' ? 2 : -1;
    return {
      name: `${kind}_${variant}`,
      kind,
      shape,
      branch,
      nullable: variant === 'nullable' || (variant === 'branch' && kind < 'm'),
    };
  }),
).map((wish) => (wish.kind === 'code' ? { ...wish, labels: ['a', 'b', 'c', 'd'] } : wish));

/** A row has a type and values in some columns: those of its branch and those of none. */
const row: fc.Arbitrary<Row> = fc.integer({ min: 0, max: 3 }).chain((type) => {
  const open = wishes.filter((wish) => wish.branch === undefined || wish.branch < 0 || wish.branch === type);
  const cells = Object.fromEntries(
    open.map((wish) => [wish.name, fc.option(valueOf(wish), { nil: undefined, freq: 3 })]),
  );
  return fc.record(cells).map((values): Row => ({ ...values, ...(type > 0 ? { type } : {}) }));
});

describe('seal and load', () => {
  const world = createBlockWorld(planOf(wishes), 64 << 20);
  const loaded = world.plan.columns.map((column) => createColumn(column, 64));

  test('every row comes back as it was written', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
        world.writeRows(rows);
        const block = world.seal(rows.length);
        const fresh = world.plan.columns.map((column, i) =>
          column.shape === 'scalar' && column.kind !== 'string' && column.kind !== 'bytes'
            ? createColumn(column, 64)
            : resetFully(loaded, i),
        );
        const header = loadBlock(world.plan, fresh, block);
        expect(header).toMatchObject({
          rows: rows.length,
          bytes: block.length,
          receivedAt: RECEIVED_AT,
          pipelineNumber: 7,
        });
        rows.forEach((wanted, r) => {
          for (const column of fresh) {
            const wish = wishes.find((one) => one.name === column.plan.name);
            if (wish === undefined) continue;
            const value = wanted[wish.name];
            expect([wish.name, readValue(column, r)]).toEqual([
              wish.name,
              value === undefined ? preset(wish) : normalised(wish, value),
            ]);
          }
          if (rows.length > 0) expect(readValue(fresh[0], r)).toBe(BigInt(RECEIVED_AT));
        });
      }),
      { numRuns: 150, seed: 20260102 },
    );
  });

  function normalised(wish: ColumnWish, value: Value): Value {
    if (value instanceof Map)
      return new Map([...value].map(([key, one]) => [key, normal(wish.kind, one as Scalar, world.intern)]));
    if (Array.isArray(value)) return value.map((one) => normal(wish.kind, one as Scalar, world.intern));
    return normal(wish.kind, value as Scalar, world.intern);
  }

  function resetFully(columns: typeof loaded, index: number): (typeof loaded)[number] {
    const column = columns[index];
    column.touched = true;
    column.nulls.fill(1);
    column.lengths.fill(0);
    column.counts.fill(0);
    column.elementEnd = 0;
    column.heapEnd = 0;
    return column;
  }

  test('sealing the loaded columns again gives the same bytes', () => {
    const again = createBlockWorld(world.plan, 64 << 20);
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), (rows) => {
        world.writeRows(rows);
        const block = world.seal(rows.length);
        loadBlock(world.plan, again.columns, block);
        const second = again.seal(rows.length);
        const columnsEnd = new DataView(second.buffer).getUint32(32, true);
        expect(Buffer.compare(second.subarray(64, columnsEnd), block.subarray(64, columnsEnd))).toBe(0);
      }),
      { numRuns: 40, seed: 20260103 },
    );
  });

  test('columns that nobody wrote and columns of one value take no room', () => {
    const plan = planOf([
      { name: 'never', kind: 'f64' },
      { name: 'same', kind: 'f64' },
      { name: 'zero', kind: 'f64' },
    ]);
    const small = createBlockWorld(plan, 1 << 20);
    small.writeRows(Array.from({ length: 1000 }, () => ({ same: -0, zero: 0 })));
    const block = small.seal(1000);
    expect(block.length).toBe(64 + 16 * plan.columns.length + 8 + 8 + 8);
    const columns = plan.columns.map((column) => createColumn(column));
    loadBlock(plan, columns, block);
    expect(Object.is(readValue(columns[9], 999), -0)).toBe(true);
  });

  test('a value that stands twice in a row, and a row that was cleared, leave no trace', () => {
    const world = createBlockWorld(planOf([{ name: 'v', kind: 'string' }]), 1 << 20);
    const column = world.columns[8];
    world.writeRows([{ v: 'one' }, { v: 'two' }]);
    column.heapEnd = column.lastStart;
    column.lengths[1] = 0;
    const columns = world.plan.columns.map((plan) => createColumn(plan));
    loadBlock(world.plan, columns, world.seal(3));
    expect([0, 1, 2].map((r) => readValue(columns[8], r))).toEqual(['one', '', '']);
  });

  test('the announced maximum holds', () => {
    const wide = createBlockWorld(planOf(wishes), 64 << 20);
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
        wide.writeRows(rows);
        let bytes = 0;
        for (const column of wide.columns)
          bytes += column.heapEnd + column.elementEnd + (column.elements?.heapEnd ?? 0) + (column.keys?.heapEnd ?? 0);
        const block = wide.seal(rows.length);
        const dictionary = block.length - new DataView(block.buffer).getUint32(40, true);
        expect(block.length - dictionary).toBeLessThanOrEqual(wide.sealer.sealedBytesMax(rows.length, bytes));
      }),
      { numRuns: 30, seed: 20260104 },
    );
  });
});

describe('what a block carries besides rows', () => {
  test('frames, dead letters and dictionary entries come back', () => {
    const world = createBlockWorld(planOf([{ name: 'word', kind: 'dictionary' }]), 1 << 22);
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);
    const frames: FrameEntry[] = [
      {
        producer: 3,
        flags: FRAME_HAS_SEQ,
        seq: { low: 0xffffffff, high: 9 },
        received: 5,
        accepted: 3,
        duplicates: 1,
        dead: 1,
      },
      { producer: 0, flags: FRAME_DUPLICATE, seq: createSeq(), received: 0, accepted: 0, duplicates: 0, dead: 0 },
    ];
    for (const frame of frames) appendFrame(world.frames, frame);
    const letters = [0, 1, 7, 8, 127, 128, 129, 900].map((length, i) => ({
      length,
      start: i,
      index: i % 2 ? DEAD_WHOLE_FRAME : i,
    }));
    for (const { length, start, index } of letters) {
      const outcome = index === DEAD_WHOLE_FRAME ? FRAME_MALFORMED : EVENT_NO_KEY;
      const seq = { low: 5, high: 6 };
      const entry = { producer: 4, seq, index, outcome, encoding: 1, length, detailLength: 0 };
      appendDeadLetter(world.deadLetters, entry, bytes, start);
    }
    world.writeRows([{ word: 'a' }, { word: 'größer' }, { word: 'a' }, { word: 'x'.repeat(300) }]);
    const block = world.seal(4);
    expect(readBlockHeader(block)).toMatchObject({
      frames: 2,
      deadLetters: letters.length,
      admittedAt: RECEIVED_AT - 1,
    });
    const seenFrames: FrameEntry[] = [];
    eachFrame(block, (frame) => seenFrames.push({ ...frame, seq: { ...frame.seq } }));
    expect(seenFrames).toEqual(frames);
    let i = 0;
    eachDeadLetter(block, (letter) => {
      const wanted = letters[i++];
      expect(letter).toMatchObject({
        producer: 4,
        seq: { low: 5, high: 6 },
        index: wanted.index,
        encoding: 1,
        length: wanted.length,
      });
      expect(letter.outcome).toBe(wanted.index === DEAD_WHOLE_FRAME ? FRAME_MALFORMED : EVENT_NO_KEY);
      expect(
        Buffer.compare(
          block.subarray(letter.start, letter.start + letter.length),
          bytes.subarray(wanted.start, wanted.start + wanted.length),
        ),
      ).toBe(0);
    });
    expect(i).toBe(letters.length);
    const words: [number, string][] = [];
    eachDictionaryEntry(block, (id, from, start, length) =>
      words.push([id, Buffer.from(from.subarray(start, start + length)).toString()]),
    );
    expect(words).toEqual([
      [1, 'a'],
      [2, 'größer'],
      [3, 'x'.repeat(300)],
    ]);
    const next = world.seal(0);
    expect(readBlockHeader(next)).toMatchObject({ rows: 0, frames: 0, deadLetters: 0 });
    eachDictionaryEntry(next, () => expect.unreachable());
  });
});
