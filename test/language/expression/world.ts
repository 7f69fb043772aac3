/**
 * Columns of every kind with random rows, and the same rows as plain values for the oracle: bigint for integers, number
 * for doubles, Uint8Array for text, arrays for lists, null where absent.
 */

import { createColumn, resetColumn, type Column } from '../../../native-free-core/layout/column.ts';
import type { ColumnKind, ColumnPlan, ExpressionType, ListPlan, Plan } from '../../../native-free-core/plan/plan.ts';
import {
  createDictionary,
  internEntry,
  openDictionary,
  type Dictionary,
} from '../../../native-free-core/state/dictionary.ts';

import { zonePlan } from '../../../src/config/zones.ts';

export type Value = bigint | number | boolean | Uint8Array | readonly (bigint | number | Uint8Array)[] | null;

export interface World {
  readonly plan: Plan;
  readonly columns: Column[];
  readonly dictionary: Dictionary;
  readonly rows: Value[][];
}

export const ROWS = 64;
export const WORDS = ['', 'a', 'ab', 'abc', 'b', 'ä', '猫', 'zz', '\u{1f600}'];

export const ZONES = [
  'UTC',
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  '+11:00',
  '-03:30',
];

export const LIST_WORDS = 'words';
export const LIST_INTEGERS = 'integers';
export const LISTS: readonly ListPlan[] = [
  { name: LIST_WORDS, file: 'words.txt', type: 'string', max: 100, entries: ['a', '猫', 'zz', 's00twy01m'] },
  {
    name: LIST_INTEGERS,
    file: 'integers.txt',
    type: 'int',
    max: 100,
    entries: ['0', '-1', '3', '255', '4294967296', '9007199254740993', '-9223372036854775808', '18446744073709551615'],
  },
];

const KINDS: readonly ColumnKind[] = [
  'u8',
  'u32',
  'i32',
  'u64',
  'i64',
  'time',
  'f32',
  'f64',
  'string',
  'bytes',
  'code',
  'enum',
  'dictionary',
];
const LIST_KINDS: readonly ColumnKind[] = ['i32', 'u64', 'i64', 'f64', 'f32', 'u8', 'string'];

/** Type of a column in expressions; `u8` stands for a bool, as scalar. */
export function typeOf({ kind, shape }: ColumnPlan): ExpressionType {
  if (kind === 'u8') return shape === 'list' ? 'int' : 'bool';
  if (kind === 'f32' || kind === 'f64') return 'double';
  if (kind === 'string' || kind === 'dictionary') return 'string';
  return kind === 'bytes' || kind === 'time' ? kind : 'int';
}

export function createWorld(): World {
  const plans: ColumnPlan[] = [];
  const add = (kind: ColumnKind, shape: 'scalar' | 'list', nullable: boolean): void => {
    plans.push({
      index: plans.length,
      name: `c${plans.length}`,
      kind,
      shape,
      nullable,
      clickhouseType: '',
      codec: '',
      comment: '',
      branch: -1,
    });
  };
  for (const kind of KINDS) for (const nullable of [false, true]) add(kind, 'scalar', nullable && kind !== 'code');
  for (const kind of LIST_KINDS) add(kind, 'list', false);
  return {
    plan: { columns: plans, lists: LISTS, zones: ZONES.slice(2).map(zonePlan) } as unknown as Plan,
    columns: plans.map((plan) => createColumn(plan, ROWS)),
    dictionary: openDictionary(createDictionary(1024, 65536)),
    rows: [],
  };
}

const encoder = new TextEncoder();
const INTEGERS = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  7n,
  255n,
  -128n,
  2n ** 31n - 1n,
  -(2n ** 31n),
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
];
const WIDER = [...INTEGERS, -(2n ** 53n), -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n];
const DOUBLES = [0, -0, 1, -1, 0.5, -2.5, 3, 7, 1e300, 2 ** 53, 0.1, Infinity, -Infinity, NaN, 255, 4294967295];

export function pick<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)];
}

export function integerFor(random: () => number, bits: number, signed: boolean): bigint {
  const value = random() < 0.7 ? pick(random, WIDER) : BigInt(Math.floor(random() * 20)) - 5n;
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/** From 1890 to 2310, more often between 1970 and 2100, sometimes at a full day. */
export function randomTime(random: () => number): bigint {
  const years = random() < 0.7 ? random() * 130 : random() * 420 - 80;
  const time = Math.floor(years * 365.25 * 86_400_000);
  return BigInt(random() < 0.1 ? time - (time % 86_400_000) : time);
}

export function doubleFor(random: () => number): number {
  return random() < 0.7 ? pick(random, DOUBLES) : random() * 10 - 5;
}

/** Fills all rows anew. */
export function fillWorld(world: World, random: () => number): void {
  world.rows.length = 0;
  for (const column of world.columns) {
    column.touched = true;
    resetColumn(column, ROWS);
    column.touched = true;
    if (column.elements !== null) column.elements.touched = true;
  }
  for (let r = 0; r < ROWS; r++) world.rows.push(world.columns.map((column) => fillCell(world, column, r, random)));
}

function fillCell(world: World, column: Column, r: number, random: () => number): Value {
  const { kind, shape, nullable } = column.plan;
  if (shape === 'list') {
    const count = Math.floor(random() * 4);
    const values = Array.from(
      { length: count },
      () => writeValue(world, column.elements!, column.elementEnd++, kind, random) as bigint,
    );
    column.counts[r] = count;
    return values;
  }
  if (nullable) {
    if (random() < 0.3) return null;
    column.nulls[r] = 0;
  }
  const value = writeValue(world, column, r, kind, random);
  return kind === 'u8' ? value !== 0n : value;
}

function writeValue(
  world: World,
  column: Column,
  at: number,
  kind: ColumnKind,
  random: () => number,
): bigint | number | Uint8Array {
  switch (kind) {
    case 'u8':
      return BigInt((column.u8[at] = random() < 0.5 ? 0 : 1));
    case 'code':
      return BigInt((column.u16[at] = Math.floor(random() * 4)));
    case 'u32':
      return BigInt((column.u32[at] = Number(integerFor(random, 32, false))));
    case 'i32':
    case 'enum':
      return BigInt((column.i32[at] = Number(integerFor(random, 32, true))));
    case 'u64':
    case 'i64':
    case 'time': {
      const value = kind === 'time' && random() < 0.8 ? randomTime(random) : integerFor(random, 64, kind !== 'u64');
      column.u32[2 * at] = Number(BigInt.asUintN(32, value));
      column.i32[2 * at + 1] = Number(BigInt.asIntN(32, value >> 32n));
      return value;
    }
    case 'f32':
      column.f32[at] = doubleFor(random);
      return column.f32[at];
    case 'f64':
      return (column.f64[at] = doubleFor(random));
    case 'string':
    case 'bytes': {
      const bytes = encoder.encode(pick(random, WORDS));
      column.starts[at] = column.heapEnd;
      column.lengths[at] = bytes.length;
      column.heap.set(bytes, column.heapEnd);
      column.heapEnd += bytes.length;
      return bytes;
    }
    case 'dictionary': {
      const bytes = encoder.encode(pick(random, WORDS));
      column.u32[at] = internEntry(world.dictionary, bytes, 0, bytes.length);
      return bytes;
    }
  }
}
