/**
 * Emits integers, doubles and times. Integers are doubles below 2^53; a result beyond that is absent, never rounded.
 * A double that is no finite number is absent, too: it is asked where it would be seen, since sums and products of it are
 * none either. 64-bit columns keep their two words, so that they can be compared exactly.
 */

import type { Expression } from '../../plan/plan.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { FUNCTIONS } from '../functions/index.ts';
import { KINDS } from '../kinds/index.ts';
import { nullCondition, type EmitContext } from './emit-context.ts';
import type { NumberCode } from './emitted-code.ts';

type ColumnExpression = Extract<Expression, { node: 'column' }>;

export function emitNumber(context: EmitContext, expression: Expression): NumberCode {
  switch (expression.node) {
    case 'constant':
      return emitConstant(expression);
    case 'column':
      return emitColumn(context, expression);
    case 'call':
      return emitCall(context, expression);
  }
}

function emitConstant(constant: Extract<Expression, { node: 'constant' }>): NumberCode {
  const integer = constant.type !== 'double';
  if (constant.exact !== undefined) {
    const exact = BigInt(constant.exact);
    const low = String(BigInt.asUintN(32, exact));
    return {
      value: `(${Number(exact)})`,
      absent: [],
      bound: Infinity,
      integer,
      wild: false,
      words: { low, high: `(${exact >> 32n})` },
    };
  }
  const value = Number(constant.value);
  // An integer is never -0: dividing by it would tell it from 0.
  const text = value < 0 || Object.is(value, -0) ? `(${Object.is(value, -0) ? '-0' : value})` : String(value);
  const wild = !Number.isFinite(value);
  return { value: text, absent: [], bound: integer ? Math.abs(value) : Infinity, integer, wild, words: null };
}

function emitColumn(context: EmitContext, { type, column: index }: ColumnExpression): NumberCode {
  const { access } = context;
  const { kind, name } = access.column(index);
  const { kernel } = KINDS[kind];
  if (kernel === null) throw new Error(`a text column is no number: column=${name}`);
  return { ...kernel((array) => access.array(index, array), type === 'double'), absent: nullCondition(access, index) };
}

function emitCall(context: EmitContext, call: Call): NumberCode {
  const part = FUNCTIONS[call.operator].number;
  if (part === undefined) throw new Error(`no number comes of operator=${call.operator}`);
  return part.kernel(context, call);
}
