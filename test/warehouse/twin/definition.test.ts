/** Every kind of window and aggregate in ClickHouse against the definitions, row by row, doubles to the last bit. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AggregateName, Expression, FeaturePlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { eventTimeSql, featureSql } from '../../../src/warehouse/twin/index.ts';
import { openWarehouse } from '../../columns/warehouse.ts';
import { storeFrames } from './core-world.ts';
import { valueByDefinition, type HistoryRow } from './definition.ts';
import { planFrom, randomFrames } from './random-steps.ts';
import { isLong } from '../../long.ts';

/** The definition costs the square of a life's rows. */
const ROWS = isLong ? 500 : 300;
const warehouse = openWarehouse();
afterAll(() => warehouse.close());

const plan: Plan = planFrom('  player: { n: { agg: count } }\n');
const player = plan.entities[0]!;

interface StoredRow {
  readonly _row: number;
  readonly life: string;
  readonly t: number;
  readonly at: number;
  readonly amount: number | null;
  readonly points: string | null;
  readonly good: boolean;
  readonly place: string;
  readonly device: string | null;
  readonly hunt: number;
}

let lives: StoredRow[][] = [];

beforeAll(() => {
  storeFrames(warehouse, plan, randomFrames(3, ROWS, 5));
  const rows = warehouse.rows<StoredRow>(
    `SELECT _row, concat(toString(player), '/', toString(player_life)) AS life, toUnixTimestamp64Milli(effective_time) AS t,
       toUnixTimestamp64Milli(events.at) AS at, amount, toString(points) AS points, good, place, device, hunt FROM events ORDER BY player, player_life, player_seq`,
  );
  const byLife = new Map<string, StoredRow[]>();
  for (const row of rows) byLife.set(row.life, [...(byLife.get(row.life) ?? []), row]);
  lives = [...byLife.values()];
});

type Input = 'none' | 'amount' | 'float' | 'points' | 'place' | 'device' | 'good';

const INPUTS: Readonly<Record<Input, { type: Expression['type']; column: string; decimals: number }>> = {
  none: { type: 'int', column: '', decimals: 0 },
  amount: { type: 'double', column: 'amount', decimals: 2 },
  float: { type: 'double', column: 'amount', decimals: -1 },
  points: { type: 'int', column: 'points', decimals: 0 },
  place: { type: 'string', column: 'place', decimals: 0 },
  device: { type: 'string', column: 'device', decimals: 0 },
  good: { type: 'bool', column: 'good', decimals: 0 },
};

function column(name: string): number {
  return plan.columns.findIndex((c) => c.name === name);
}

function featureOf(aggregate: AggregateName, input: Input, more: Partial<FeaturePlan> = {}): FeaturePlan {
  const { type, column: name, decimals } = INPUTS[input];
  return {
    name: `${aggregate}_${input}`,
    column: 0,
    aggregate,
    of: input === 'none' ? null : { node: 'column', type, column: column(name) },
    where: null,
    windowMs: 0,
    hopMs: 0,
    decimals,
    ...more,
  };
}

function inputOf(feature: FeaturePlan, input: Input, row: StoredRow): HistoryRow['x'] {
  if (feature.where !== null && !row.good) return null;
  switch (input) {
    case 'none':
      return 1;
    case 'float':
      return row.amount;
    case 'amount': {
      if (row.amount === null || feature.aggregate === 'count_distinct') return row.amount;
      const scaled = row.amount * 100;
      const whole = Math.trunc(scaled);
      const rounded = whole + (Math.abs(scaled - whole) >= 0.5 ? Math.sign(scaled) : 0);
      return Math.abs(rounded) < 2 ** 53 ? rounded + 0 : null;
    }
    case 'points':
      return row.points === null || Math.abs(Number(row.points)) >= 2 ** 53 ? null : Number(row.points);
    case 'good':
      return Number(row.good);
    default:
      return row[input];
  }
}

function wrongRows(feature: FeaturePlan, input: Input): object[] {
  const computed = new Map(
    warehouse
      .rows<{ _row: number; value: number | string | null }>(
        `SELECT _row, value FROM (${featureSql(plan, player, feature)})`,
      )
      .map((row) => [row._row, row.value]),
  );
  const wrong: object[] = [];
  for (const life of lives) {
    const history: HistoryRow[] = [];
    for (const row of life) {
      history.push({ t: Number(row.t), x: inputOf(feature, input, row), day: row.hunt });
      const expected = valueByDefinition(feature, history);
      const got = computed.get(row._row);
      if (!Object.is(got, expected)) wrong.push({ feature: feature.name, seq: history.length, expected, got });
    }
  }
  return wrong.slice(0, 3);
}

/** The same in the order of event time; lives do not count there. */
function wrongByEventTime(feature: FeaturePlan, input: Input): object[] {
  const sql = eventTimeSql(plan, player, feature);
  const computed = new Map(
    warehouse
      .rows<{ _row: number; value: number | string | null }>(`SELECT _row, value FROM (${sql})`)
      .map((row) => [row._row, row.value]),
  );
  const byKey = new Map<string, StoredRow[]>();
  for (const row of lives.flat()) {
    const key = row.life.split('/')[0]!;
    byKey.set(key, [...(byKey.get(key) ?? []), row]);
  }
  const wrong: object[] = [];
  for (const stored of byKey.values()) {
    stored.sort((a, b) => Number(a.at) - Number(b.at) || a._row - b._row);
    const rows = stored.map((row) => ({ t: Number(row.at), x: inputOf(feature, input, row), day: row.hunt }));
    stored.forEach((row, n) => {
      const expected = valueByDefinition(feature, rows.slice(0, n + 1));
      const got = computed.get(row._row);
      if (!Object.is(got, expected)) wrong.push({ feature: feature.name, n, expected, got });
    });
  }
  return wrong.slice(0, 3);
}

const WINDOW = { windowMs: 60_000, hopMs: 2000 };
const WINDOWS: Readonly<Record<string, Partial<FeaturePlan>>> = {
  'the whole life': {},
  'a window': WINDOW,
  'a window without the current event': { ...WINDOW, excludesCurrent: true },
  'a delayed window': { ...WINDOW, delayMs: 30_000 },
  'a delayed window without the current event': { windowMs: 20_000, hopMs: 2000, delayMs: 2000, excludesCurrent: true },
  'a calendar day': { dayColumn: column('hunt') },
  'a session': { session: { gapMs: 4000, lateMs: 16_000 } },
  'a session of much that is late': { session: { gapMs: 2000, lateMs: 60_000 }, excludesCurrent: true },
};

const AGGREGATES: readonly (readonly [AggregateName, Input])[] = [
  ['count', 'none'],
  ['sum', 'amount'],
  ['sum', 'points'],
  ['avg', 'points'],
  ['stddev_pop', 'amount'],
  ['stddev_pop', 'points'],
  ['min', 'amount'],
  ['max', 'points'],
  ['first', 'points'],
  ['first', 'place'],
  ['last', 'float'],
  ['last', 'place'],
  ['count_distinct', 'place'],
  ['count_distinct', 'device'],
  ['count_distinct', 'amount'],
  ['count_distinct', 'good'],
];

/** All of them in the long form; in the short one a third for each window, so that each meets some. */
function aggregatesFor(window: number): typeof AGGREGATES {
  return isLong ? AGGREGATES : AGGREGATES.filter((_, i) => i % 3 === window % 3);
}

describe.each(Object.entries(WINDOWS).map(([name, window], i) => [name, window, i] as const))('%s', (_, window, i) => {
  test.each(aggregatesFor(i))('%s of %s', (aggregate, input) => {
    const good: Expression = { node: 'column', type: 'bool', column: column('good') };
    expect(wrongRows(featureOf(aggregate, input, window), input)).toEqual([]);
    const some = featureOf(aggregate, input, { ...window, where: good, cap: 5 });
    expect(wrongRows(some, input)).toEqual([]);
    expect(wrongByEventTime(some, input)).toEqual([]);
  });
});

describe('what has a window of its own kind', () => {
  test.each(['previous', 'time_since_last'] as const)('%s', (aggregate) => {
    const input = aggregate === 'previous' ? 'float' : 'none';
    expect(wrongRows(featureOf(aggregate, input), input)).toEqual([]);
    expect(wrongRows(featureOf(aggregate, input, WINDOW), input)).toEqual([]);
    expect(wrongByEventTime(featureOf(aggregate, input, WINDOW), input)).toEqual([]);
  });

  test('a previous text', () => {
    expect(wrongRows(featureOf('previous', 'place'), 'place')).toEqual([]);
  });

  test('rate', () => {
    expect(wrongRows(featureOf('rate', 'none', WINDOW), 'none')).toEqual([]);
  });

  test.each([{}, { excludesCurrent: true }])('ewma %o', (more) => {
    const weights = Array.from({ length: 31 }, (_, j) => Math.round(2 ** 20 * 2 ** ((-j * 2000) / 10_000)));
    const ewma = featureOf('ewma', 'amount', { ...WINDOW, weights, ...more });
    expect(wrongRows(ewma, 'amount')).toEqual([]);
    expect(wrongByEventTime(ewma, 'amount')).toEqual([]);
  });
});
