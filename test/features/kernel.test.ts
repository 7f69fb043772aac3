/** Kernels against a recomputation from the definition (docs/semantics.md §5, §6), row by row. */

import { describe, expect, test } from 'vitest';
import { compileKernel } from '../../native-free-core/features/kernel.ts';
import { compileReader } from '../../native-free-core/features/read.ts';
import type { FeaturePlan } from '../../native-free-core/plan/plan.ts';
import { seeded } from '../random.ts';
import { FLAG, KEY, LIFE, SEQ, VALUE, columnEmitter, makeTable, makeWorld, type World } from './kernel-world.ts';

const RUNTIME = { textOf: String, dayOf: () => 0 };

interface Row {
  key: number;
  t: number;
  x: number | null;
  flag: boolean;
}

/** Mostly in order, some late within the window, some beyond it, some equal times, some jumps ahead. */
function makeRows(seed: number, count: number, keys: number): Row[] {
  const next = seeded(seed);
  let clock = 1_700_000_000_000;
  return Array.from({ length: count }, () => {
    clock += Math.floor(next() * 400);
    if (next() < 0.002) clock += 200_000;
    const late = next();
    const back = late < 0.1 ? next() * 60_000 : late < 0.15 ? 60_000 + next() * 60_000 : 0;
    const x = next() < 0.1 ? null : Math.round((next() - 0.5) * 1e6) / 100;
    return { key: 1 + Math.floor(next() * keys), t: Math.floor(clock - back), x, flag: next() < 0.5 };
  });
}

function put(world: World, r: number, row: Row): void {
  world.columns[KEY].u32[2 * r] = row.key;
  world.columns[VALUE].nulls[r] = row.x === null ? 1 : 0;
  world.columns[VALUE].f64[r] = row.x ?? 0;
  world.columns[FLAG].u8[r] = row.flag ? 1 : 0;
}

function makeInput(world: World, rows: Row[]) {
  const keys = new Int32Array(rows.length * 4);
  const present = new Uint8Array(rows.length).fill(1);
  const effective = new Float64Array(rows.length);
  rows.forEach((row, r) => {
    keys.set([row.key, 0, 0, 1], 4 * r);
    effective[r] = row.t;
    put(world, r, row);
  });
  return { keys, present, effective, counters: { noRoom: 0, overflows: 0 }, table: makeTable(world.entity) };
}

/** Straight from the definition, for the n-th row of a key. */
function oracle(feature: FeaturePlan, history: Row[]): number | null {
  const now = history.at(-1)!;
  const clock = Math.max(...history.map((row) => row.t));
  const { windowMs: w, hopMs: h } = feature;
  const inside = (row: Row): boolean => w === 0 || Math.floor(row.t / h) >= Math.floor((clock - w) / h);
  const counts = (row: Row): boolean => (feature.where === null || row.flag) && (feature.of === null || row.x !== null);
  const scaled = (row: Row): number =>
    Math.trunc(row.x! * 100) + (Math.abs(row.x! * 100 - Math.trunc(row.x! * 100)) >= 0.5 ? Math.sign(row.x!) : 0);
  if (feature.aggregate === 'previous' || feature.aggregate === 'time_since_last') {
    const before = history.slice(0, -1).filter(counts).at(-1);
    if (!before || !inside(before)) return null;
    return feature.aggregate === 'previous' ? scaled(before) / 100 : now.t - before.t;
  }
  const rows = history.filter((row) => counts(row) && inside(row));
  const values = feature.of === null ? [] : rows.map(scaled);
  const sum = values.reduce((a, b) => a + b, 0);
  switch (feature.aggregate) {
    case 'count':
      return rows.length;
    case 'sum':
      return sum / 100;
    case 'avg':
      return rows.length === 0 ? null : sum / (rows.length * 100);
    case 'min':
      return rows.length === 0 ? null : Math.min(...values) / 100;
    case 'max':
      return rows.length === 0 ? null : Math.max(...values) / 100;
    case 'last': {
      let last: Row | null = null;
      for (const row of rows) if (last === null || row.t >= last.t) last = row;
      return last === null ? null : scaled(last) / 100;
    }
    case 'rate':
    case 'first':
    case 'stddev_pop':
    case 'count_distinct':
    case 'ewma':
    case 'quantile':
    case 'mode':
      throw new Error(`not among the aggregates of this test: ${feature.aggregate}`);
  }
}

function served(world: World, feature: FeaturePlan, r: number): number | null {
  const column = world.columns[feature.column];
  if (column.nulls.length !== 0 && column.nulls[r] !== 0) return null;
  return column.kind === 'u32' ? column.u32[r] : column.f64[r];
}

function expectRowsEqual(world: World, rows: Row[]): Map<number, Row[]> {
  const histories = new Map<number, Row[]>();
  rows.forEach((row, r) => {
    const history = histories.get(row.key) ?? [];
    history.push(row);
    histories.set(row.key, history);
    for (const feature of world.entity.features) {
      const value = served(world, feature, r);
      const wanted = oracle(feature, history);
      if (!Object.is(value, wanted === 0 ? 0 : wanted))
        expect.fail(`row ${r} ${feature.name}: served ${value}, defined as ${wanted}`);
    }
    expect(world.columns[SEQ].u32[2 * r]).toBe(history.length);
    expect(world.columns[LIFE].u32[2 * r]).toBe(7);
  });
  return histories;
}

describe('kernel', () => {
  for (const [seed, keys] of [
    [1, 3],
    [2, 40],
    [3, 1],
  ] as const) {
    test(`every aggregate equals its definition on every row: seed ${seed}, ${keys} keys`, () => {
      const world = makeWorld();
      const rows = makeRows(seed, 1500, keys);
      const input = makeInput(world, rows);
      compileKernel(
        world.plan,
        world.entity,
        world.columns,
        input,
        columnEmitter(),
        'live',
      )(0, rows.length, 7, 1_700_000_000_000);
      const histories = expectRowsEqual(world, rows);
      const read = compileReader(world.plan, world.entity, input.table, RUNTIME);
      for (const [key, history] of histories) {
        const state = read(Int32Array.of(key, 0, 0, 1))!;
        expect(state.seq).toBe(history.length);
        for (const feature of world.entity.features.filter(
          (f) => f.aggregate !== 'previous' && f.aggregate !== 'time_since_last',
        )) {
          expect(state.features[feature.name]).toBe(oracle(feature, history));
        }
      }
    });
  }

  test('replaying stored rows gives the same state, and replaying them again changes nothing', () => {
    const world = makeWorld();
    const rows = makeRows(5, 1500, 10);
    const input = makeInput(world, rows);
    compileKernel(
      world.plan,
      world.entity,
      world.columns,
      input,
      columnEmitter(),
      'live',
    )(0, rows.length, 7, 1_700_000_000_000);
    const again = { ...input, table: makeTable(world.entity) };
    const replay = compileKernel(world.plan, world.entity, world.columns, again, columnEmitter(), 'replay');
    replay(0, 700, 9, 1_700_000_000_000);
    replay(200, rows.length, 9, 1_700_000_000_000);
    replay(0, rows.length, 9, 1_700_000_000_000);
    const before = compileReader(world.plan, world.entity, input.table, RUNTIME);
    const after = compileReader(world.plan, world.entity, again.table, RUNTIME);
    for (let key = 1; key <= 10; key++) {
      const words = Int32Array.of(key, 0, 0, 1);
      expect(after(words)).toEqual(before(words));
    }
  });

  test('an idle entity begins a new life after its ttl', () => {
    const world = makeWorld();
    const rows = makeRows(6, 2, 1);
    const input = makeInput(world, rows);
    const kernel = compileKernel(world.plan, world.entity, world.columns, input, columnEmitter(), 'live');
    kernel(0, 1, 7, 1_000);
    kernel(1, 2, 8, 1_000 + world.entity.ttlMs + 1);
    expect([world.columns[SEQ].u32[2], world.columns[LIFE].u32[2]]).toEqual([1, 8]);
  });

  test('a full table evicts the idle and gives them a new life when they return', () => {
    const world = makeWorld();
    const rows = Array.from({ length: 200 }, (_, i): Row => ({
      key: 1 + (i % 100),
      t: 1_700_000_000_000 + i,
      x: 1,
      flag: true,
    }));
    const input = { ...makeInput(world, rows), table: makeTable(world.entity, 20, 10) };
    const kernel = compileKernel(world.plan, world.entity, world.columns, input, columnEmitter(), 'live');
    for (let r = 0; r < rows.length; r++) kernel(r, r + 1, 10 + r, 1_000 + r);
    expect(input.counters.noRoom).toBe(0);
    const lives = rows.map((_, r) => world.columns[LIFE].u32[2 * r]);
    expect(new Set(lives).size).toBe(200);
    expect(rows.every((_, r) => world.columns[SEQ].u32[2 * r] === 1)).toBe(true);
  });
});
