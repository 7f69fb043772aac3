/**
 * Emits integers, doubles and times. Integers are doubles below 2^53; a result beyond that is absent, never rounded.
 * A double that is no finite number is absent, too: it is asked where it would be seen, since sums and products of it are
 * none either. 64-bit columns keep their two words, so that they can be compared exactly.
 */

import type { Expression } from '../../plan/plan.ts';
import type { Call } from '../functions/function.ts';
import { FUNCTIONS } from '../functions/index.ts';
import { EXACT_LIMIT, nullCondition, type EmitContext, type NumberCode } from './context.ts';

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
  const { kind } = access.column(index);
  const absent = nullCondition(access, index);
  const plain = (array: string, bound: number, integer = true): NumberCode => ({
    value: `${access.array(index, array)}[r]`,
    absent,
    bound,
    integer,
    wild: !integer,
    words: null,
  });
  switch (kind) {
    case 'u8':
      return plain('u8', 255);
    case 'code':
      return plain('u16', 65535);
    case 'i32':
    case 'enum':
      return plain('i32', 2147483648);
    case 'u32':
    case 'dictionary':
      return plain('u32', 4294967295);
    case 'f32':
      return plain('f32', Infinity, false);
    case 'f64':
      // Computed integers are stored as doubles; those beyond 2^53 are absent already.
      return type === 'double' ? plain('f64', Infinity, false) : plain('f64', EXACT_LIMIT - 1);
    case 'u64':
    case 'i64':
    case 'time': {
      const low = `${access.array(index, 'u32')}[2 * r]`;
      const high = `${access.array(index, kind === 'u64' ? 'u32' : 'i32')}[2 * r + 1]`;
      const value = `(${high} * 4294967296 + ${low})`;
      return { value, absent, bound: Infinity, integer: true, wild: false, words: { low, high } };
    }
    case 'string':
    case 'bytes':
      throw new Error(`a text column is no number: column=${access.column(index).name}`);
  }
}

function emitCall(context: EmitContext, call: Call): NumberCode {
  const part = FUNCTIONS[call.operator].number;
  if (part === undefined) throw new Error(`no number comes of operator=${call.operator}`);
  return part.kernel(context, call);
}
