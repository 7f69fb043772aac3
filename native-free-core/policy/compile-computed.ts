/**
 * Compiles `Plan.computed` into loops that fill its columns. What reads the event only is computed before state moves, the
 * rest when features are known (decide/after-state.ts). Once per worker; replay runs none of it, the values come with the
 * rows.
 */

import type { Column } from '../layout/column.ts';
import type { ColumnKind, ComputedPlan, Expression, Plan } from '../plan/plan.ts';
import type { Dictionary } from '../state/dictionary.ts';
import { KINDS } from '../language/kinds/index.ts';
import type { KeyList } from '../state/key-list.ts';
import { bindColumnArrays } from './decision.ts';
import { createEmitter, type ExpressionEmitter } from '../language/expression/emitter.ts';

/** Fills the rows [from, to). */
export type ComputedLoop = (from: number, to: number) => void;

export interface ComputedLoops {
  /** What the primary entity's key reads: row by row, since an event without a key is none. null: nothing. */
  readonly forPrimaryKey: ComputedLoop | null;
  readonly beforeState: ComputedLoop | null;
}

export function compileComputed(
  plan: Plan,
  columns: readonly Column[],
  dictionary: Dictionary,
  keyLists?: readonly KeyList[],
): ComputedLoops {
  const computed = plan.computed ?? [];
  const keyed = readByPrimaryKey(plan, computed);
  const loop = (wanted: (c: ComputedPlan) => boolean, name: string): ComputedLoop | null =>
    compileComputedLoop(plan, computed.filter(wanted), name, columns, dictionary, keyLists);
  return {
    forPrimaryKey: loop((c) => keyed.has(c.column), 'for_primary_key'),
    beforeState: loop((c) => c.before && !keyed.has(c.column), 'before_state'),
  };
}

/** Computed columns that the primary entity's key reads, and those that these read. */
function readByPrimaryKey(plan: Plan, computed: readonly ComputedPlan[]): Set<number> {
  const read = new Set<number>();
  const visit = (expression: Expression): void => {
    if (expression.node === 'call') expression.operands.forEach(visit);
    if (expression.node !== 'column' || read.has(expression.column)) return;
    const source = computed.find(({ column }) => column === expression.column);
    if (source === undefined) return;
    read.add(source.column);
    visit(source.expression);
  };
  for (const entity of plan.entities) if (entity.primary) entity.key.forEach(visit);
  return read;
}

/** null where there is nothing to compute. */
export function compileComputedLoop(
  plan: Plan,
  computed: readonly ComputedPlan[],
  name: string,
  columns: readonly Column[],
  dictionary: Dictionary,
  keyLists?: readonly KeyList[],
): ComputedLoop | null {
  if (computed.length === 0) return null;
  const emitter = createEmitter(plan, columns, dictionary, keyLists);
  const body = emitComputedLoop(plan, computed, name, emitter);
  const make = new Function('columns', 'runtime', `'use strict';\n${bindColumnArrays(body)}\n${body}`) as (
    columns: readonly Column[],
    runtime: unknown,
  ) => ComputedLoop;
  return make(columns, emitter.runtime);
}

/** The loop's source. Each column in turn, row by row: a later one may read an earlier one. */
export function emitComputedLoop(
  plan: Plan,
  computed: readonly ComputedPlan[],
  name: string,
  emitter: ExpressionEmitter,
): string {
  const steps = computed.map((one) => emitStore(plan, one, emitter));
  const touched = computed.map(({ column }) => `columns[${column}].touched = true;`);
  return `${emitter.declarations()}
return function computed_${name}(from, to) {
  ${touched.join(' ')}
  for (let r = from; r < to; r++) {
    ${steps.join('\n    ')}
  }
};`;
}

/** Value and presence are always both written: a refused event leaves its row to the next one. */
function emitStore(plan: Plan, { column, expression }: ComputedPlan, emitter: ExpressionEmitter): string {
  const { kind, nullable } = plan.columns[column];
  const { setup, value, absent } = emitter(expression);
  const target = `c${column}_${arrayOf(kind)}[r]`;
  const stored = expression.type === 'bool' ? `(${value} ? 1 : 0)` : value;
  const present = `${target} = ${stored};${nullable ? ` c${column}_nulls[r] = 0;` : ''}`;
  if (absent === null) return `{ ${setup.join(' ')} ${present} }`;
  const missing = `${target} = 0;${nullable ? ` c${column}_nulls[r] = 1;` : ''}`;
  return `{ ${setup.join(' ')} if (${absent}) { ${missing} } else { ${present} } }`;
}

function arrayOf(kind: ColumnKind): string {
  const { storage } = KINDS[kind];
  if (storage.form !== 'narrow') throw new Error(`no computed value is stored as kind=${kind}`);
  return storage.array;
}
