/** What a random test does not reach: the dictionary growing under a rule, lists over several blocks, what is emitted. */

import { describe, expect, test } from 'vitest';
import { createColumn, resetColumn, type Column } from '../../../native-free-core/layout/column.ts';
import type { ColumnKind, ColumnPlan, Expression, Plan } from '../../../native-free-core/plan/plan.ts';
import { createEmitter } from '../../../native-free-core/language/expression/emitter.ts';
import { encodeUtf8 } from '../../../native-free-core/language/expression/constant-utf8.ts';
import {
  createDictionary,
  internEntry,
  openDictionary,
  type Dictionary,
} from '../../../native-free-core/state/dictionary.ts';

const encoder = new TextEncoder();

function planColumn(index: number, kind: ColumnKind, rest: Partial<ColumnPlan> = {}): ColumnPlan {
  return {
    index,
    name: `c${index}`,
    kind,
    shape: 'scalar',
    nullable: false,
    clickhouseType: '',
    codec: '',
    comment: '',
    branch: -1,
    ...rest,
  };
}

function compileCondition(
  plans: readonly ColumnPlan[],
  columns: readonly Column[],
  dictionary: Dictionary,
  when: Expression,
): (row: number) => boolean {
  const emitter = createEmitter({ columns: plans } as unknown as Plan, columns, dictionary);
  const { setup, value } = emitter.condition(when);
  const body = `${emitter.declarations()}\nreturn (r) => { ${setup.join(' ')} return ${value}; };`;
  const arrays = [
    ...new Set(
      [...body.matchAll(/\bc(\d+)_(\w+)\b/g)].map((match) => `const ${match[0]} = columns[${match[1]}].${match[2]};`),
    ),
  ];
  const make = new Function('columns', 'runtime', `${arrays.join('\n')}\n${body}`) as (
    c: readonly Column[],
    r: unknown,
  ) => (row: number) => boolean;
  return make(columns, emitter.runtime);
}

function text(value: string): Expression {
  return { node: 'constant', type: 'string', value };
}

function intern(dictionary: Dictionary, value: string): number {
  const bytes = encoder.encode(value);
  return internEntry(dictionary, bytes, 0, bytes.length);
}

describe('dictionary constants', () => {
  const plans = [planColumn(0, 'dictionary')];
  const column: Expression = { node: 'column', type: 'string', column: 0 };
  const is = (value: string): Expression => ({
    node: 'call',
    type: 'bool',
    operator: 'eq',
    operands: [column, text(value)],
  });

  test('an entry that is added after the rule was compiled is recognised', () => {
    const dictionary = openDictionary(createDictionary(64, 4096));
    const columns = plans.map((plan) => createColumn(plan, 16));
    const isGold = compileCondition(plans, columns, dictionary, is('gold'));
    columns[0].u32[0] = 0;
    columns[0].u32[1] = intern(dictionary, 'silver');
    expect([isGold(0), isGold(1)]).toEqual([false, false]);
    columns[0].u32[2] = intern(dictionary, 'gold');
    columns[0].u32[3] = intern(dictionary, 'golden');
    expect([isGold(0), isGold(1), isGold(2), isGold(3), isGold(2)]).toEqual([false, false, true, false, true]);
  });

  test('the empty string is entry 0', () => {
    const dictionary = openDictionary(createDictionary(64, 4096));
    const columns = plans.map((plan) => createColumn(plan, 16));
    const isEmpty = compileCondition(plans, columns, dictionary, is(''));
    columns[0].u32[1] = intern(dictionary, 'x');
    expect([isEmpty(0), isEmpty(1)]).toEqual([true, false]);
  });
});

describe('lists', () => {
  test('the cursor follows rows in any order and notices a new block', () => {
    const plans = [planColumn(0, 'i32', { shape: 'list' })];
    const columns = [createColumn(plans[0], 16)];
    const [column] = columns;
    const fill = (rows: readonly number[][]): void => {
      column.touched = true;
      resetColumn(column, 16);
      column.touched = true;
      rows.forEach((values, r) => {
        for (const value of values) column.elements!.i32[column.elementEnd++] = value;
        column.counts[r] = values.length;
      });
    };
    const list: Expression = { node: 'column', type: 'int', column: 0 };
    const has101: Expression = {
      node: 'call',
      type: 'bool',
      operator: 'in',
      operands: [{ node: 'constant', type: 'int', value: 101 }, list],
    };
    const goal = compileCondition(plans, columns, openDictionary(createDictionary(64, 4096)), has101);
    fill([[1, 2], [], [101], [5, 101, 7], [102]]);
    expect([0, 1, 2, 3, 4].map(goal)).toEqual([false, false, true, true, false]);
    expect([3, 0, 2].map(goal)).toEqual([true, false, true]);
    fill([[], [], [], [], [101], [3]]);
    expect([4, 5, 0].map(goal)).toEqual([true, false, false]);
    fill([[9, 9, 9], [101]]);
    expect(goal(1)).toBe(true);
  });
});

describe('emitted code', () => {
  const emitter = () =>
    createEmitter(
      { columns: [planColumn(0, 'u32'), planColumn(1, 'f64', { nullable: true })] } as unknown as Plan,
      [],
      openDictionary(createDictionary(64, 4096)),
    );
  const count: Expression = { node: 'column', type: 'int', column: 0 };
  const value: Expression = { node: 'column', type: 'double', column: 1 };
  const ten: Expression = { node: 'constant', type: 'int', value: 10 };

  test('a comparison of columns that are always there is just that', () => {
    const more: Expression = { node: 'call', type: 'bool', operator: 'gt', operands: [count, ten] };
    expect(emitter()(more)).toEqual({ setup: [], value: '((c0_u32[r] > 10))', absent: null });
  });

  test('sums that stay below 2^53 are not checked', () => {
    const sum: Expression = { node: 'call', type: 'int', operator: 'add', operands: [count, ten] };
    expect(emitter()(sum)).toEqual({ setup: ['const $1 = (c0_u32[r] + 10);'], value: '$1', absent: null });
  });

  test('an absent operand makes a comparison neither true nor false', () => {
    const more: Expression = { node: 'call', type: 'bool', operator: 'gt', operands: [value, ten] };
    expect(emitter().condition(more).value).toBe('(!(c1_nulls[r] !== 0) && !(!($1 - $1 === 0)) && ($1 > 10))');
    expect(emitter().condition({ node: 'call', type: 'bool', operator: 'not', operands: [more] }).value).toBe(
      '(!(c1_nulls[r] !== 0) && !(!($1 - $1 === 0)) && !($1 > 10))',
    );
  });
});

test('constants are UTF-8 as TextEncoder writes it', () => {
  for (const sample of ['', 'a', 'é', '猫', '😀', 'a\ud800b', '\u07ff\u0800\uffff']) {
    expect(encodeUtf8(sample)).toEqual([...encoder.encode(sample)]);
  }
});
