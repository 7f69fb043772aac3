/**
 * A small plan and its columns, made by hand, for tests of the kernels: one entity keyed by an integer, inputs of each
 * kind, every aggregate with and without a window.
 */

import { createColumn, type Column } from '../../native-free-core/layout/column.ts';
import { shapeEntityTable } from '../../native-free-core/layout/entity-layout.ts';
import type {
  AggregateName,
  ColumnPlan,
  EntityPlan,
  Expression,
  FeaturePlan,
  Plan,
} from '../../native-free-core/plan/plan.ts';
import type { EmitExpression } from '../../native-free-core/features/bind-columns.ts';
import type { ExpressionCode } from '../../native-free-core/language/expression/emit.ts';
import { layOutRecord } from '../../native-free-core/features/record-layout.ts';
import { createEntityRegions, openEntityTable, type EntityTable } from '../../native-free-core/state/entity-table.ts';

export interface World {
  readonly plan: Plan;
  readonly entity: EntityPlan;
  readonly columns: Column[];
}

export const KEY = 0;
export const VALUE = 1;
export const FLAG = 2;
export const SEQ = 3;
export const LIFE = 4;
export const OVERFLOW = 5;
export const DAY = 6;
const FIRST_FEATURE = 7;

export const AGGREGATES: readonly AggregateName[] = [
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'last',
  'previous',
  'time_since_last',
];

/** Windows: none, and 60 s in hops of 5 s. Inputs: VALUE (double, 2 decimals), only where FLAG is true for odd ones. */
export function makeWorld(windowMs = 60_000, hopMs = 5_000): World {
  const plans = fixedColumns();
  const value: Expression = { node: 'column', type: 'double', column: VALUE };
  const flag: Expression = { node: 'column', type: 'bool', column: FLAG };
  const features: FeaturePlan[] = [];
  for (const window of [0, windowMs]) {
    for (const where of [null, flag]) {
      for (const aggregate of AGGREGATES) {
        const index = FIRST_FEATURE + features.length;
        const noInput = aggregate === 'count' || aggregate === 'time_since_last';
        plans.push(column(index, aggregate === 'count' ? 'u32' : 'f64', aggregate !== 'count'));
        features.push({
          name: `${aggregate}_${window}_${where ? 'flag' : 'all'}`,
          column: index,
          aggregate,
          of: noInput ? null : value,
          where,
          windowMs: window,
          hopMs: window === 0 ? 0 : hopMs,
          decimals: 2,
        });
      }
    }
  }
  return worldOf(plans, features);
}

function column(index: number, kind: ColumnPlan['kind'], nullable: boolean): ColumnPlan {
  return {
    index,
    name: `c${index}`,
    kind,
    shape: 'scalar',
    nullable,
    clickhouseType: '',
    codec: '',
    comment: '',
    branch: -1,
  };
}

function fixedColumns(): ColumnPlan[] {
  return [
    column(KEY, 'u64', false),
    column(VALUE, 'f64', true),
    column(FLAG, 'u8', false),
    column(SEQ, 'u64', false),
    column(LIFE, 'u64', false),
    column(OVERFLOW, 'u8', false),
    column(DAY, 'i32', false),
  ];
}

/** A world with these features, each of the value, in columns of their own. */
export function makeWorldOf(specifications: readonly Omit<FeaturePlan, 'name' | 'column' | 'of'>[]): World {
  const plans = fixedColumns();
  const features = specifications.map((specification, i): FeaturePlan => {
    const whole = specification.aggregate === 'count' || specification.aggregate === 'count_distinct';
    const index = FIRST_FEATURE + i;
    plans.push(column(index, whole ? 'u32' : 'f64', true));
    const noInput = ['count', 'rate', 'time_since_last'].includes(specification.aggregate);
    return { ...specification, name: `${i}`, column: index, of: noInput ? null : VALUE_OF };
  });
  return worldOf(plans, features);
}

export const VALUE_OF: Expression = { node: 'column', type: 'double', column: VALUE };
export const FLAG_OF: Expression = { node: 'column', type: 'bool', column: FLAG };

function worldOf(plans: ColumnPlan[], features: FeaturePlan[]): World {
  const entity: EntityPlan = {
    index: 0,
    name: 'player',
    primary: true,
    max: 1000,
    ttlMs: 86_400_000,
    key: [{ node: 'column', type: 'int', column: KEY }],
    keyTexts: ['event.key'],
    seqColumn: SEQ,
    lifeColumn: LIFE,
    features,
  };
  const plan = { columns: plans, entities: [entity], system: { overflow: OVERFLOW } } as unknown as Plan;
  return { plan, entity, columns: plans.map((p) => createColumn(p, 16384)) };
}

export function makeTable(entity: EntityPlan, max = entity.max, epochRows = 16384): EntityTable {
  const shape = shapeEntityTable(max, layOutRecord(entity).rowBytes, epochRows, 2 ** 30);
  return openEntityTable(shape, createEntityRegions(shape));
}

/** Just enough of an expression compiler: columns. */
export function columnEmitter(): EmitExpression {
  const emit = (expression: Expression): ExpressionCode => {
    if (expression.node !== 'column') throw new Error('only columns here');
    const array = expression.column === FLAG ? 'u8' : 'f64';
    return {
      setup: [],
      value: array === 'u8' ? `(c${expression.column}_u8[r] !== 0)` : `c${expression.column}_${array}[r]`,
      absent: expression.column === VALUE ? `c${VALUE}_nulls[r] !== 0` : null,
    };
  };
  const text = (): never => {
    throw new Error('only numbers here');
  };
  return Object.assign(emit, { condition: emit, text, declarations: () => '', runtime: {} });
}
