/** Decisions over a block: first hit wins, absent conditions do not fire, `where` leaves rows unasked. */

import { expect, test } from 'vitest';
import { createColumn } from '../../native-free-core/layout/column.ts';
import type { ColumnKind, ColumnPlan, DecisionPlan, Expression, Plan } from '../../native-free-core/plan/plan.ts';
import { compileDecision } from '../../native-free-core/policy/decision.ts';
import { createDictionary, openDictionary } from '../../native-free-core/state/dictionary.ts';

const kinds: readonly (readonly [ColumnKind, boolean])[] = [
  ['u32', false],
  ['f64', true],
  ['u8', false],
  ['code', false],
  ['code', false],
];
const columns = kinds.map(([kind, nullable], index): ColumnPlan => ({
  index,
  name: `c${index}`,
  kind,
  shape: 'scalar',
  nullable,
  clickhouseType: '',
  codec: '',
  comment: '',
  branch: -1,
}));

function above(column: number, type: 'int' | 'double', limit: number): Expression {
  return {
    node: 'call',
    type: 'bool',
    operator: 'gt',
    operands: [
      { node: 'column', type, column },
      { node: 'constant', type: 'int', value: limit },
    ],
  };
}

const decision: DecisionPlan = {
  name: 'trust',
  where: { node: 'column', type: 'bool', column: 2 },
  actions: ['allow', 'challenge', 'block'],
  rules: [
    // oxlint-disable-next-line unicorn/no-thenable -- a rule's own word; rules are never awaited
    { id: 'many', when: above(0, 'int', 100), whenText: '', then: 3 },
    // oxlint-disable-next-line unicorn/no-thenable -- a rule's own word; rules are never awaited
    { id: 'much', when: above(1, 'double', 5), whenText: '', then: 2 },
  ],
  default: 1,
  actionColumn: 3,
  ruleColumn: 4,
};

test('action and rule of every row', () => {
  const plan = { columns } as unknown as Plan;
  const block = columns.map((column) => createColumn(column, 8));
  const decide = compileDecision(plan, decision, block, openDictionary(createDictionary(64, 4096)));
  const rows: readonly (readonly [number, number | null, number])[] = [
    [1, 1, 1],
    [101, 9, 1],
    [1, 9, 1],
    [1, null, 1],
    [101, 9, 0],
    [101, null, 1],
  ];
  rows.forEach(([count, value, asked], r) => {
    block[0].u32[r] = count;
    block[1].nulls[r] = value === null ? 1 : 0;
    block[1].f64[r] = value ?? 99;
    block[2].u8[r] = asked;
  });
  decide(rows.length, 1, 0);
  expect([...block[3].u16.subarray(0, 7)]).toEqual([1, 3, 2, 1, 0, 3, 0]);
  expect([...block[4].u16.subarray(0, 7)]).toEqual([1, 2, 3, 1, 0, 2, 0]);
  expect([block[3].touched, block[4].touched]).toEqual([true, true]);
});
