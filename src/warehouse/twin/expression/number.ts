/**
 * Integers, doubles and times. Integers are Int64 below 2^53 as in the core: a result beyond is NULL, never rounded.
 * Nothing here throws while ClickHouse runs it, since it also computes what an `if` does not choose.
 */

import type { Expression } from '../../../../native-free-core/layout/plan.ts';
import { numberColumn } from './column.ts';
import { EXACT_LIMIT, typedNull, type SqlContext, type SqlNumber } from './context.ts';
import { doubleLiteral, integerLiteral } from './literal.ts';
import { numberFunction } from './number-functions.ts';

type Call = Extract<Expression, { node: 'call' }>;
type Constant = Extract<Expression, { node: 'constant' }>;

const LIMIT = `toInt64(${EXACT_LIMIT})`;
const BELOW_LIMIT = `toInt64(-${EXACT_LIMIT})`;
const ABSENT: SqlNumber = { sql: typedNull('Int64'), nullable: true, type: 'narrow', bound: 0 };

export function emitNumber(context: SqlContext, expression: Expression): SqlNumber {
  switch (expression.node) {
    case 'constant':
      return emitConstant(expression);
    case 'column':
      return numberColumn(context, expression.column, expression.type === 'double');
    case 'call':
      return emitCall(context, expression);
  }
}

function emitConstant({ type, value, exact }: Constant): SqlNumber {
  if (type === 'double') return doubleCode(doubleLiteral(Number(value)), false);
  const integer = BigInt(exact ?? value);
  const magnitude = integer < 0n ? -integer : integer;
  if (magnitude < BigInt(EXACT_LIMIT)) {
    return { sql: integerLiteral(integer), nullable: false, type: 'narrow', bound: Number(magnitude) };
  }
  return {
    sql: integerLiteral(integer),
    nullable: false,
    type: integer < 2n ** 63n ? 'Int64' : 'UInt64',
    bound: Infinity,
  };
}

export function doubleCode(sql: string, nullable: boolean): SqlNumber {
  return { sql, nullable, type: 'Float64', bound: Infinity };
}

export function integerCode(sql: string, nullable: boolean, bound: number): SqlNumber {
  return { sql, nullable, type: 'narrow', bound };
}

/** An operand of arithmetic: Float64, or Int64 below 2^53. */
export function emitOperand(context: SqlContext, expression: Expression): SqlNumber {
  return asOperand(expression, context.number(expression));
}

export function asOperand(expression: Expression, code: SqlNumber): SqlNumber {
  if (code.type === 'Float64') return code;
  // Arithmetic of smaller types would give types of ClickHouse's own choice.
  if (code.type === 'narrow') return expression.node === 'call' ? code : { ...code, sql: `toInt64(${code.sql})` };
  if (expression.node === 'constant') return ABSENT;
  if (code.type === 'Int64') return guarded(code);
  const clamped = `toInt64(least(${code.sql}, toUInt64(${EXACT_LIMIT})))`;
  return integerCode(`nullIf(${clamped}, ${LIMIT})`, true, EXACT_LIMIT - 1);
}

/** The value as a Float64, or absent where it is an integer that no double holds. */
export function asDouble(code: SqlNumber): string {
  return code.type === 'Float64' ? code.sql : `toFloat64(${code.sql})`;
}

/** Absent from 2^53 on. `least` and `greatest` may keep or skip a NULL: the limits that they give then turn NULL, too. */
export function guarded(code: SqlNumber): SqlNumber {
  if (code.bound < EXACT_LIMIT) return code;
  const clamped = `least(greatest(${code.sql}, ${BELOW_LIMIT}), ${LIMIT})`;
  return limited(clamped);
}

function limited(clamped: string): SqlNumber {
  return integerCode(`nullIf(nullIf(${clamped}, ${LIMIT}), ${BELOW_LIMIT})`, true, EXACT_LIMIT - 1);
}

function emitCall(context: SqlContext, call: Call): SqlNumber {
  switch (call.operator) {
    case 'add':
    case 'sub':
    case 'mul':
      return emitArithmetic(context, call, call.operator);
    case 'div':
    case 'mod':
      return emitDivision(context, call, call.operator);
    case 'ratio': {
      const [a, b] = operandsOf(context, call);
      return doubleCode(`(${asDouble(a)} / nullIf(${asDouble(b)}, 0.0))`, true);
    }
    case 'neg': {
      const of = emitOperand(context, call.operands[0]!);
      return { ...of, sql: `negate(${of.sql})` };
    }
    case 'conditional':
      return emitConditional(context, call);
    default:
      return numberFunction(context, call);
  }
}

function operandsOf(context: SqlContext, { operands }: Call): [SqlNumber, SqlNumber] {
  return [emitOperand(context, operands[0]!), emitOperand(context, operands[1]!)];
}

const SIGNS = { add: '+', sub: '-', mul: '*' } as const;

function emitArithmetic(context: SqlContext, call: Call, operator: 'add' | 'sub' | 'mul'): SqlNumber {
  const [a, b] = operandsOf(context, call);
  const nullable = a.nullable || b.nullable;
  if (a.type === 'Float64' || b.type === 'Float64') {
    return doubleCode(`(${asDouble(a)} ${SIGNS[operator]} ${asDouble(b)})`, nullable);
  }
  const bound = operator === 'mul' ? a.bound * b.bound : a.bound + b.bound;
  if (operator !== 'mul' || bound < EXACT_LIMIT) {
    // Both below 2^53: the sum fits an Int64.
    return guarded(integerCode(`(${a.sql} ${SIGNS[operator]} ${b.sql})`, nullable, bound));
  }
  // A product may be far beyond 2^64; rounded to a double it stays on its side of 2^53.
  const product = `toFloat64(${a.sql}) * toFloat64(${b.sql})`;
  return limited(`toInt64(least(greatest(${product}, -${EXACT_LIMIT}.0), ${EXACT_LIMIT}.0))`);
}

function emitDivision(context: SqlContext, call: Call, operator: 'div' | 'mod'): SqlNumber {
  const [a, b] = operandsOf(context, call);
  if (a.type === 'Float64' || b.type === 'Float64') {
    if (operator === 'mod') throw new Error('% is for integers: ClickHouse takes the rest of doubles its own way');
    return doubleCode(`(${asDouble(a)} / ${asDouble(b)})`, a.nullable || b.nullable);
  }
  // By zero is absent; …OrZero, since ClickHouse computes under a NULL as well and plain intDiv throws there.
  const [name, bound] = operator === 'div' ? ['intDivOrZero', a.bound] : ['moduloOrZero', Math.min(a.bound, b.bound)];
  return integerCode(`${name}(${a.sql}, nullIf(${b.sql}, 0))`, true, bound);
}

function emitConditional(context: SqlContext, call: Call): SqlNumber {
  const [condition, first, second] = call.operands;
  const a = emitOperand(context, first!);
  const b = emitOperand(context, second!);
  const double = call.type === 'double';
  const side = (code: SqlNumber): string => (double ? asDouble(code) : code.sql);
  const chosen = emitChoice(context, condition!, side(a), side(b));
  const nullable = chosen.nullable || a.nullable || b.nullable;
  return double ? doubleCode(chosen.sql, nullable) : integerCode(chosen.sql, nullable, Math.max(a.bound, b.bound));
}

/** `if` with an absent condition would take the second side. */
export function emitChoice(
  context: SqlContext,
  condition: Expression,
  first: string,
  second: string,
): { sql: string; nullable: boolean } {
  const asked = context.truth(condition);
  if (!asked.nullable) return { sql: `if(${asked.sql}, ${first}, ${second})`, nullable: false };
  const choose = (value: string): string => `multiIf(isNull(${value}), NULL, ${value}, ${first}, ${second})`;
  return { sql: context.bind(asked.sql, choose), nullable: true };
}
