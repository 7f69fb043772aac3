/**
 * Compiles the inputs of a model into a loop that writes them as the model takes them: row after row, one double an input,
 * NaN where it is absent, true as 1. Compiled by decide/ once per worker and model; the loop runs on the worker's thread.
 */

import type { Column } from '../layout/column.ts';
import type { Expression, Plan } from '../plan/plan.ts';
import type { Dictionary } from '../state/dictionary.ts';
import type { KeyList } from '../state/key-list.ts';
import { bindColumnArrays } from './decision.ts';
import { createEmitter, type ExpressionEmitter } from '../language/expression/emitter.ts';

/** Writes the rows [from, to) to the begin of `out`. */
export type GatherLoop = (from: number, to: number, out: Float64Array) => void;

export function compileGather(
  plan: Plan,
  inputs: readonly Expression[],
  columns: readonly Column[],
  dictionary: Dictionary,
  keyLists?: readonly KeyList[],
): GatherLoop {
  const emitter = createEmitter(plan, columns, dictionary, keyLists);
  const body = emitGather(inputs, emitter);
  const make = new Function('columns', 'runtime', `'use strict';\n${bindColumnArrays(body)}\n${body}`) as (
    columns: readonly Column[],
    runtime: unknown,
  ) => GatherLoop;
  return make(columns, emitter.runtime);
}

/** The loop's source. */
export function emitGather(inputs: readonly Expression[], emitter: ExpressionEmitter): string {
  const steps = inputs.map((input, i) => emitInput(input, i, emitter));
  return `${emitter.declarations()}
return function gather_inputs(from, to, out) {
  let at = 0;
  for (let r = from; r < to; r++) {
    ${steps.join('\n    ')}
    at += ${inputs.length};
  }
};`;
}

function emitInput(input: Expression, i: number, emitter: ExpressionEmitter): string {
  const { setup, value, absent } = emitter(input);
  const number = input.type === 'bool' ? `(${value} ? 1 : 0)` : value;
  return `{ ${setup.join(' ')} out[at + ${i}] = ${absent === null ? number : `(${absent}) ? NaN : ${number}`}; }`;
}
