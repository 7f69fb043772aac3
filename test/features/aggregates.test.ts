/**
 * Every aggregate in every kind of window, live and replayed, against the definitions of docs/semantics.md §5 and §6, bit
 * for bit.
 */

import { describe, expect, test } from 'vitest';
import { compileKernel } from '../../native-free-core/features/kernel.ts';
import { compileReader } from '../../native-free-core/features/read.ts';
import type { FeaturePlan } from '../../native-free-core/plan/plan.ts';
import { isLong } from '../long.ts';
import { seeded } from '../random.ts';
import { valueByDefinition, type HistoryRow } from '../warehouse/twin/definition.ts';
import {
  DAY,
  FLAG,
  FLAG_OF,
  KEY,
  LIFE,
  SEQ,
  VALUE,
  columnEmitter,
  makeTable,
  makeWorldOf,
  type World,
} from './kernel-world.ts';

type Specification = Omit<FeaturePlan, 'name' | 'column' | 'of'>;

const MINUTE = { windowMs: 60_000, hopMs: 5_000 };
const LIFE_LONG = { windowMs: 0, hopMs: 0 };
const DAY_MS = 86_400_000;
const RECEIVED_AT = 1_700_000_000_000;
/** They look back from an event; between events there is none. */
const LOOKING_BACK = new Set(['previous', 'time_since_last']);

function specifications(): Specification[] {
  const base = { where: null, decimals: 2, ...LIFE_LONG };
  const weights = Array.from({ length: 13 }, (_, age) => Math.round(2 ** 20 * 2 ** (-(age * 5_000) / 15_000)));
  const adding = ['count', 'sum', 'avg', 'stddev_pop', 'min', 'max', 'first', 'last'] as const;
  const all: Specification[] = [];
  for (const aggregate of adding) {
    for (const where of [null, FLAG_OF]) {
      for (const excludesCurrent of [false, true]) {
        const common = { ...base, aggregate, where, ...(excludesCurrent ? { excludesCurrent } : {}) };
        all.push(common, { ...common, ...MINUTE });
        all.push({ ...common, ...MINUTE, delayMs: 20_000 });
        all.push({ ...common, dayColumn: DAY });
        all.push({ ...common, session: { gapMs: 20_000, lateMs: 80_000 } });
        all.push({ ...common, session: { gapMs: 7_000, lateMs: 150_000 } });
      }
    }
  }
  for (const excludesCurrent of [false, true]) {
    const exclude = excludesCurrent ? { excludesCurrent } : {};
    all.push(
      { ...base, ...MINUTE, ...exclude, aggregate: 'rate' },
      { ...base, ...MINUTE, ...exclude, aggregate: 'rate', delayMs: 60_000 },
    );
    all.push({ ...base, ...MINUTE, ...exclude, aggregate: 'ewma', weights });
    for (const cap of [3, 40]) {
      const distinct: Specification = { ...base, ...exclude, aggregate: 'count_distinct', decimals: -1, cap };
      all.push(distinct, { ...distinct, ...MINUTE }, { ...distinct, where: FLAG_OF, dayColumn: DAY });
      const median: Specification = { ...base, ...exclude, aggregate: 'quantile', cap, q: 0.5 };
      const usual: Specification = { ...base, ...exclude, aggregate: 'mode', cap };
      for (const latest of [median, usual]) {
        all.push(latest, { ...latest, ...MINUTE }, { ...latest, where: FLAG_OF, dayColumn: DAY });
        all.push({ ...latest, session: { gapMs: 7_000, lateMs: 150_000 } });
      }
      all.push({ ...distinct, session: { gapMs: 20_000, lateMs: 80_000 } });
    }
  }
  for (const window of [LIFE_LONG, MINUTE]) {
    all.push(
      { ...base, ...window, aggregate: 'previous', where: FLAG_OF },
      { ...base, ...window, aggregate: 'time_since_last' },
    );
  }
  return all;
}

interface Row {
  readonly key: number;
  readonly t: number;
  readonly x: number | null;
  readonly flag: boolean;
}

/**
 * Late, far too late, at equal times, after pauses short and long, around midnight; values small, huge, equal and absent.
 */
function makeRows(seed: number, count: number, keys: number): Row[] {
  const next = seeded(seed);
  let clock = 1_700_006_300_000;
  return Array.from({ length: count }, () => {
    clock += next() < 0.3 ? 0 : Math.floor(next() * 3000);
    if (next() < 0.02) clock += Math.floor(next() * 90_000);
    if (next() < 0.001) clock += DAY_MS;
    const late = next();
    const back = late < 0.2 ? next() * 70_000 : late < 0.25 ? 60_000 + next() * 200_000 : 0;
    const kind = next();
    const value =
      kind < 0.1
        ? null
        : kind < 0.5
          ? Math.floor(next() * 20)
          : kind < 0.9
            ? Math.round((next() - 0.5) * 1e6) / 100
            : (next() - 0.5) * 8e13;
    return { key: 1 + Math.floor(next() * keys), t: Math.floor(clock - back), x: value, flag: next() < 0.5 };
  });
}

const dayOf = (t: number): number => Math.floor(t / DAY_MS);
const RUNTIME = { textOf: String, dayOf: (_: number, t: number) => dayOf(t) };

function exact(feature: FeaturePlan, row: Row): number | null {
  if (feature.where !== null && !row.flag) return null;
  if (feature.of === null) return 1;
  if (row.x === null || feature.decimals < 0) return row.x;
  const p = row.x * 100;
  const whole = Math.trunc(p) + (Math.abs(p - Math.trunc(p)) >= 0.5 ? Math.sign(p) : 0);
  return Math.abs(whole) < 2 ** 53 ? whole + 0 : null;
}

function fill(world: World, rows: readonly Row[]) {
  const keys = new Int32Array(rows.length * 4);
  const effective = new Float64Array(rows.length);
  rows.forEach((row, r) => {
    keys.set([row.key, 0, 0, 1], 4 * r);
    effective[r] = row.t;
    world.columns[KEY]!.u32[2 * r] = row.key;
    world.columns[VALUE]!.nulls[r] = row.x === null ? 1 : 0;
    world.columns[VALUE]!.f64[r] = row.x ?? 0;
    world.columns[FLAG]!.u8[r] = row.flag ? 1 : 0;
    world.columns[DAY]!.i32[r] = dayOf(row.t);
  });
  const present = new Uint8Array(rows.length).fill(1);
  return { keys, present, effective, counters: { noRoom: 0, overflows: 0 }, table: makeTable(world.entity) };
}

function served(world: World, feature: FeaturePlan, r: number): number | null {
  const column = world.columns[feature.column]!;
  if (column.nulls[r] !== 0) return null;
  return column.kind === 'u32' ? column.u32[r]! : column.f64[r]!;
}

describe.each([
  [1, 500, 4],
  [2, 320, 1],
  [3, 900, 30],
])('seed %i: %i rows, %i keys', (seed, count, keys) => {
  test('what is served is what is defined', () => {
    const world = makeWorldOf(specifications());
    const rows = makeRows(seed, count, keys);
    const input = fill(world, rows);
    const kernel = compileKernel(world.plan, world.entity, world.columns, input, columnEmitter(), 'live');
    const half = Math.floor(rows.length / 2);
    kernel(0, half, 7, RECEIVED_AT);
    // All of them have been idle for too long: new lives.
    kernel(half, rows.length, 8, RECEIVED_AT + world.entity.ttlMs + 1);
    const lifeOf = (r: number): number => world.columns[LIFE]!.u32[2 * r]!;
    const histories = new Map<string, { row: Row; r: number }[]>();
    rows.forEach((row, r) => {
      const name = `${row.key}/${lifeOf(r)}`;
      histories.set(name, [...(histories.get(name) ?? []), { row, r }]);
    });
    expect(new Set(rows.map((_, r) => lifeOf(r)))).toEqual(new Set([7, 8]));
    let values = 0;
    for (const feature of world.entity.features) {
      for (const history of histories.values()) {
        const all = history.map(({ row }): HistoryRow => ({ t: row.t, x: exact(feature, row), day: dayOf(row.t) }));
        // The definition costs the square of the history: every row at the begin, then some.
        const step = isLong ? 7 : 13;
        for (let n = 0; n < all.length; n += n < 60 ? 1 : step) {
          const wanted = valueByDefinition(feature, all.slice(0, n + 1));
          const value = served(world, feature, history[n]!.r);
          if (!Object.is(value, wanted === 0 ? 0 : wanted))
            expect.fail(
              `seed=${seed} row ${n} of key ${history[n]!.row.key}: served ${value}, defined as ${wanted}: ${JSON.stringify(feature)}`,
            );
          values++;
        }
      }
    }
    expect(values).toBeGreaterThan(5_000);
    // The same rows again from what was stored, in pieces that overlap: the same state, and so the same reads.
    const live = compileReader(world.plan, world.entity, input.table, RUNTIME);
    const again = { ...input, table: makeTable(world.entity) };
    const seqs = world.columns[SEQ]!.u32.slice();
    const lives = world.columns[LIFE]!.u32.slice();
    const replay = compileKernel(world.plan, world.entity, world.columns, again, columnEmitter(), 'replay');
    replay(0, Math.floor(rows.length / 3), 9, RECEIVED_AT);
    replay(Math.floor(rows.length / 4), rows.length, 9, RECEIVED_AT);
    const replayed = compileReader(world.plan, world.entity, again.table, RUNTIME);
    for (const [name, history] of histories) {
      const { row, r } = history.at(-1)!;
      const key = Int32Array.of(row.key, 0, 0, 1);
      const state = live(key)!;
      expect({ ...replayed(key)!, lastSeen: 0 }).toEqual({ ...state, lastSeen: 0 });
      if (state.life !== lifeOf(r)) continue;
      for (const feature of world.entity.features.filter(({ aggregate }) => !LOOKING_BACK.has(aggregate))) {
        const all = history.map((of): HistoryRow => ({ t: of.row.t, x: exact(feature, of.row), day: dayOf(of.row.t) }));
        // Between events nothing is the current one.
        const wanted = valueByDefinition({ ...feature, excludesCurrent: false }, all);
        if (!Object.is(state.features[feature.name], wanted === 0 ? 0 : wanted))
          expect.fail(
            `seed=${seed} key/life ${name}: read ${state.features[feature.name]}, defined as ${wanted}: ${JSON.stringify(feature)}`,
          );
      }
    }
    expect(world.columns[SEQ]!.u32).toEqual(seqs);
    expect(world.columns[LIFE]!.u32).toEqual(lives);
  });
});

/** From the same instant to well beyond every window, session, delay and day. */
const LATER_MS = [
  0,
  1,
  4_999,
  5_000,
  7_001,
  20_001,
  37_123,
  60_000,
  79_999,
  85_001,
  140_000,
  250_000,
  DAY_MS,
  40 * DAY_MS,
];

test('read at a later time: as an event then would find it that nothing counts', () => {
  const seed = 4;
  const world = makeWorldOf(specifications());
  const rows = makeRows(seed, 150, 3);
  const input = fill(world, rows);
  const kernel = compileKernel(world.plan, world.entity, world.columns, input, columnEmitter(), 'live');
  const read = compileReader(world.plan, world.entity, input.table, RUNTIME);
  let values = 0;
  let forgotten = 0;
  rows.forEach((row, r) => {
    kernel(r, r + 1, 7, RECEIVED_AT);
    if (r % (isLong ? 9 : 18) !== 0) return;
    const key = Int32Array.of(row.key, 0, 0, 1);
    const history = rows.slice(0, r + 1).filter((other) => other.key === row.key);
    const clock = Math.max(...history.map(({ t }) => t));
    const untouched = read(key)!;
    for (const later of [...LATER_MS, -60_000]) {
      const state = read(key, clock + later + 0.75);
      const at = clock + Math.max(0, later);
      if (state === null) {
        // An event then would begin a new life.
        expect(at - RECEIVED_AT).toBeGreaterThanOrEqual(world.entity.ttlMs);
        forgotten++;
        continue;
      }
      expect(state).toMatchObject({ seq: untouched.seq, life: untouched.life, clock, at });
      for (const feature of world.entity.features) {
        const all = history.map((of): HistoryRow => ({ t: of.t, x: exact(feature, of), day: dayOf(of.t) }));
        const wanted = valueByDefinition({ ...feature, excludesCurrent: false }, [
          ...all,
          { t: at, x: null, day: dayOf(at) },
        ]);
        if (!Object.is(state.features[feature.name], wanted === 0 ? 0 : wanted))
          expect.fail(
            `seed=${seed} row ${r} read ${later} ms later: ${state.features[feature.name]}, defined as ${wanted}: ${JSON.stringify(feature)}`,
          );
        values++;
      }
    }
    // Looking ahead changes nothing.
    expect(read(key)).toEqual(untouched);
  });
  expect(values).toBeGreaterThan(isLong ? 20_000 : 10_000);
  expect(forgotten).toBeGreaterThan(10);
});

test('weighted sums of thousands of the largest inputs are rounded once', () => {
  const world = makeWorldOf(specifications().filter(({ aggregate }) => aggregate === 'ewma'));
  const count = 15_000;
  const rows = Array.from({ length: count }, (_, i): Row => ({
    key: 1,
    t: 1_700_000_000_000 + 5_000 * Math.floor(i / 5_000) + (i % 7),
    x: -(2 ** 46) + i * 0.37,
    flag: true,
  }));
  const input = fill(world, rows);
  compileKernel(world.plan, world.entity, world.columns, input, columnEmitter(), 'live')(0, count, 7, RECEIVED_AT);
  const feature = world.entity.features.find(({ excludesCurrent }) => excludesCurrent !== true)!;
  for (let n = 10_000; n < count; n += isLong ? 97 : 970) {
    const all = rows.slice(0, n + 1).map((row): HistoryRow => ({ t: row.t, x: exact(feature, row), day: 0 }));
    expect(served(world, feature, n)).toBe(valueByDefinition(feature, all));
  }
});
