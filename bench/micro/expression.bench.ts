/**
 * What single functions of the expression language cost a row: each fills one computed column over a block, best of some
 * rounds. A comparison of two numbers stands among them as the measure of the loop itself.
 */

import { createColumn, type Column } from '../../native-free-core/layout/column.ts';
import { BLOCK_ROWS_MAX } from '../../native-free-core/layout/limits.ts';
import type { ColumnKind, ColumnPlan, Expression, ExpressionOperator, Plan } from '../../native-free-core/plan/plan.ts';
import { compileComputed } from '../../native-free-core/policy/compile-computed.ts';
import {
  createDictionary,
  internEntry,
  openDictionary,
  type Dictionary,
} from '../../native-free-core/state/dictionary.ts';
import { zonePlan } from '../../src/config/zones.ts';
import type { Bench, BenchFigure } from '../bench.ts';

const ROUNDS = 50;
const COUNTRIES = 40;
const [NAME, COUNTRY, LATITUDE, LONGITUDE, TIME, ID, RESULT, FLAG] = [0, 1, 2, 3, 4, 5, 6, 7];
const KINDS: readonly ColumnKind[] = ['string', 'dictionary', 'f64', 'f64', 'time', 'u64', 'f64', 'u8'];

function column(index: number): Expression {
  const types = ['string', 'string', 'double', 'double', 'time', 'int', 'double', 'bool'] as const;
  return { node: 'column', type: types[index]!, column: index };
}

function text(value: string): Expression {
  return { node: 'constant', type: 'string', value };
}

function call(
  type: 'bool' | 'int' | 'double' | 'string',
  operator: ExpressionOperator,
  ...operands: Expression[]
): Expression {
  return { node: 'call', type, operator, operands };
}

const SIX: Expression = { node: 'constant', type: 'int', value: 6 };
const PATTERN = '^player-[0-9]+(a|b)?$';

const EXPRESSIONS: Readonly<Record<string, Expression>> = {
  'comparison of numbers': call('bool', 'gt', column(LATITUDE), column(LONGITUDE)),
  'matches, string': call('bool', 'matches', column(NAME), text(PATTERN)),
  'matches, dictionary': call('bool', 'matches', column(COUNTRY), text('^[a-f]')),
  'startsWith, string': call('bool', 'starts_with', column(NAME), text('player-1')),
  'in list, string': call('bool', 'in_list', column(NAME), text('vips')),
  'hash of a string': call('int', 'hash', column(NAME)),
  'hash of an integer': call('int', 'hash', column(ID)),
  'hour in Berlin': call('int', 'hour', column(TIME), text('Europe/Berlin')),
  'month in UTC': call('int', 'month', column(TIME), text('UTC')),
  'geo.distance': call(
    'double',
    'geo_distance',
    column(LATITUDE),
    column(LONGITUDE),
    column(LONGITUDE),
    column(LATITUDE),
  ),
  'geo.tile in list': call(
    'bool',
    'in_list',
    call('string', 'geo_tile', column(LATITUDE), column(LONGITUDE), SIX),
    text('vips'),
  ),
};

function planOf(expression: Expression): Plan {
  const columns = KINDS.map((kind, index): ColumnPlan => ({
    index,
    name: `c${index}`,
    kind,
    shape: 'scalar',
    nullable: index >= RESULT,
    clickhouseType: '',
    codec: '',
    comment: '',
    branch: -1,
  }));
  const target = expression.type === 'bool' ? FLAG : RESULT;
  const entries = Array.from({ length: 10_000 }, (_, i) => `player-${i * 7}`);
  return {
    columns,
    entities: [],
    zones: [zonePlan('Europe/Berlin')],
    lists: [{ name: 'vips', file: '', type: 'string', max: entries.length, entries }],
    computed: [{ name: 'derived.x', column: target, expression, before: true }],
  } as unknown as Plan;
}

function fill(columns: readonly Column[], dictionary: Dictionary, rows: number): void {
  const encoder = new TextEncoder();
  let state = 7;
  const next = (below: number): number =>
    Math.floor(((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 4294967296) * below);
  const name = columns[NAME]!;
  for (let r = 0; r < rows; r++) {
    const bytes = encoder.encode(`player-${next(70_000)}`);
    name.starts[r] = name.heapEnd;
    name.lengths[r] = bytes.length;
    name.heap.set(bytes, name.heapEnd);
    name.heapEnd += bytes.length;
    const country = encoder.encode(`${'abcdefghij'[next(10)]}${next(COUNTRIES / 10)}`);
    columns[COUNTRY]!.u32[r] = internEntry(dictionary, country, 0, country.length);
    columns[LATITUDE]!.f64[r] = next(180) - 90;
    columns[LONGITUDE]!.f64[r] = next(180) - 90;
    const time = 1_700_000_000_000 + next(86_400_000);
    columns[TIME]!.u32[2 * r] = time % 4294967296;
    columns[TIME]!.i32[2 * r + 1] = Math.floor(time / 4294967296);
    columns[ID]!.u32[2 * r] = next(4294967296);
  }
}

function checksum(columns: readonly Column[], rows: number): string {
  let sum = 0;
  for (let r = 0; r < rows; r++)
    sum = (Math.imul(sum, 31) + Math.floor(columns[RESULT]!.f64[r]! % 65536) + columns[FLAG]!.u8[r]!) >>> 0;
  return sum.toString(16);
}

export const bench: Bench = {
  name: 'expression',
  async run({ tiny }): Promise<BenchFigure[]> {
    const rows = tiny ? 256 : BLOCK_ROWS_MAX;
    const rounds = tiny ? 2 : ROUNDS;
    return Object.entries(EXPRESSIONS).map(([name, expression]) => {
      const plan = planOf(expression);
      const dictionary = openDictionary(createDictionary(1024, 65536));
      const columns = plan.columns.map((one) => createColumn(one));
      fill(columns, dictionary, rows);
      const loop = compileComputed(plan, columns, dictionary).beforeState!;
      let bestMs = Infinity;
      for (let round = 0; round < rounds; round++) {
        const begin = performance.now();
        loop(0, rows);
        bestMs = Math.min(bestMs, performance.now() - begin);
      }
      return {
        name,
        unit: 'ns/row',
        value: (bestMs * 1e6) / rows,
        checksum: checksum(columns, rows),
        parameters: { rows, rounds },
      };
    });
  },
};
