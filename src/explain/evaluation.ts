/**
 * Evaluates the parts of a plan's expressions over row 0 of a block's columns, with the core's own expression compiler: one
 * emitted function for all parts, so that what is shown is what the rules saw. Compiled once per plan and set of columns.
 */

import type { Expression, Plan } from '../../native-free-core/plan/plan.ts';
import { bindColumnArrays } from '../../native-free-core/policy/decision.ts';
import { createEmitter, type ExpressionEmitter } from '../../native-free-core/language/expression/emitter.ts';
import type { KeyList } from '../../native-free-core/state/key-list.ts';
import type { ExplainedValue } from '../contract/explanation.ts';
import { integerValue, numberValue, textAt, timeText, valueAt, type ExplainedRow } from './column-values.ts';

type Call = Extract<Expression, { node: 'call' }>;

/** Emitted code puts the value of each part into `out`. */
type EvaluateParts = (r: number, out: unknown[]) => void;

export interface Evaluation {
  /** Computes all parts for the row as it is now. */
  run(): void;
  /** Of an expression that was handed in, or a part of one; as of the last run. */
  valueOf(expression: Expression): ExplainedValue;
  /** What it is made of; of what the compiler stored for itself, what that was made of. */
  partsOf(expression: Expression): readonly Expression[];
}

export function compileEvaluation(
  row: ExplainedRow,
  expressions: readonly Expression[],
  keyLists: readonly KeyList[] | undefined,
): Evaluation {
  const { plan, columns, dictionary } = row;
  const calls = new Map<Expression, number>();
  const stored = storedCalls(plan);
  const partsOf = (expression: Expression): readonly Expression[] => {
    const call = expression.node === 'column' ? stored.get(expression.column) : expression;
    return call?.node === 'call' ? call.operands : [];
  };
  const visit = (expression: Expression): void => {
    if (calls.has(expression)) return;
    partsOf(expression).forEach(visit);
    if (expression.node === 'call') calls.set(expression, calls.size);
  };
  expressions.forEach(visit);
  const emitter = createEmitter(plan, columns, dictionary, keyLists);
  const steps = [...calls].map(([expression, i]) => emitStep(expression as Call, i, emitter)).join('\n');
  const body = `${emitter.declarations()}
return function evaluate(r, out) {
${steps}
};`;
  const make = new Function('columns', 'runtime', 'textAt', `'use strict';\n${bindColumnArrays(body)}\n${body}`) as (
    columns: ExplainedRow['columns'],
    runtime: unknown,
    text: typeof textAt,
  ) => EvaluateParts;
  const evaluate = make(columns, emitter.runtime, textAt);
  const out: unknown[] = [];
  return {
    run: () => evaluate(0, out),
    partsOf,
    valueOf: (expression) => {
      if (expression.node === 'constant') return expression.exact ?? expression.value;
      if (expression.node === 'column') return valueAt(row, expression.column);
      return plainValue(expression, out[calls.get(expression)!]);
    },
  };
}

/** By column: what has no name in the pipeline file. */
function storedCalls({ computed = [], experiments = [] }: Plan): ReadonlyMap<number, Expression> {
  const named = new Set(experiments.map(({ column }) => column));
  const unnamed = computed.filter(({ name, column }) => name === '' && !named.has(column));
  return new Map(unnamed.map(({ column, expression }) => [column, expression]));
}

function emitStep(call: Call, i: number, emitter: ExpressionEmitter): string {
  if (call.type === 'string' || call.type === 'bytes') {
    const { setup, heap, start, length, absent } = emitter.text(call);
    const text = `textAt(${heap}, ${start}, ${length})`;
    return `{ ${setup.join(' ')} out[${i}] = ${absent === null ? text : `${absent} ? null : ${text}`}; }`;
  }
  const { setup, value, absent } = emitter(call);
  return `{ ${setup.join(' ')} out[${i}] = ${absent === null ? value : `(${absent}) ? null : ${value}`}; }`;
}

function plainValue({ type }: Call, value: unknown): ExplainedValue {
  if (typeof value !== 'number') return value as ExplainedValue;
  if (type === 'bool') return value !== 0;
  if (type === 'time') return timeText(value);
  return type === 'int' && Number.isInteger(value) ? integerValue(BigInt(value)) : numberValue(value);
}
