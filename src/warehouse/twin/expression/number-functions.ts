/** Functions that give numbers. The exact ones are the same to the last bit, the others as far as libraries go. */

import type { Expression } from '../../../../native-free-core/layout/plan.ts';
import { EXACT_LIMIT, type SqlContext, type SqlNumber } from './context.ts';
import { asDouble, doubleCode, emitOperand, guarded, integerCode } from './number.ts';
import { timePart } from './time.ts';

type Call = Extract<Expression, { node: 'call' }>;

export function numberFunction(context: SqlContext, call: Call): SqlNumber {
  const part = timePart(context, call.operator, call.operands);
  if (part !== null) return part;
  switch (call.operator) {
    case 'size':
      return sizeOf(context, call.operands[0]!);
    default:
      return ofNumber(context, call);
  }
}

function ofNumber(context: SqlContext, call: Call): SqlNumber {
  const a = emitOperand(context, call.operands[0]!);
  switch (call.operator) {
    case 'abs':
      return a.type === 'Float64' ? { ...a, sql: `abs(${a.sql})` } : { ...a, sql: `toInt64(abs(${a.sql}))` };
    case 'floor':
    case 'ceil':
    case 'sqrt':
    case 'log':
    case 'exp':
      return doubleCode(`${call.operator}(${asDouble(a)})`, a.nullable);
    case 'to_double':
      return doubleCode(asDouble(a), a.nullable);
    case 'to_int':
      return a.type === 'Float64' ? truncated(a) : a;
    default:
      throw new Error(`no number comes of operator=${call.operator}`);
  }
}

/** NaN and what no Int64 holds become NULL in the cast, what no double holds exactly behind it. */
function truncated(code: SqlNumber): SqlNumber {
  return guarded(integerCode(`accurateCastOrNull(trunc(${code.sql}), 'Int64')`, true, Infinity));
}

function sizeOf(context: SqlContext, expression: Expression): SqlNumber {
  if (expression.node === 'column' && context.column(expression.column).shape !== 'scalar') {
    return integerCode(`toInt64(length(${context.columnName(expression.column)}))`, false, EXACT_LIMIT - 1);
  }
  const text = context.text(expression);
  const name = expression.type === 'bytes' ? 'length' : 'lengthUTF8';
  return integerCode(`toInt64(${name}(${text.sql}))`, text.nullable, EXACT_LIMIT - 1);
}
