/**
 * Integers, doubles and times. Integers are Int64 below 2^53 as in the core: a result beyond is NULL, never rounded.
 * Nothing here throws while ClickHouse runs it, since it also computes what an `if` does not choose.
 */

import type { Expression } from '../../plan/plan.ts';
import { numberColumn } from './column.ts';
import { EXACT_LIMIT, type SqlContext, type SqlNumber } from './context.ts';
import { doubleLiteral, integerLiteral } from './literal.ts';
import { numberFunction } from './number-functions.ts';
import { asDouble, doubleCode, emitChoice, emitLoose, guarded, integerCode, limited, present } from './operands.ts';

type Call = Extract<Expression, { node: 'call' }>;
type Constant = Extract<Expression, { node: 'constant' }>;

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
  if (type === 'double') return doubleCode(doubleLiteral(Number(value)), false, !Number.isFinite(Number(value)));
  const integer = BigInt(exact ?? value);
  const magnitude = integer < 0n ? -integer : integer;
  if (magnitude < BigInt(EXACT_LIMIT)) {
    const asDouble = doubleLiteral(Number(integer));
    return { sql: integerLiteral(integer), nullable: false, type: 'narrow', bound: Number(magnitude), asDouble };
  }
  return {
    sql: integerLiteral(integer),
    nullable: false,
    type: integer < 2n ** 63n ? 'Int64' : 'UInt64',
    bound: Infinity,
  };
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
      const wild = a.type === 'Float64' || b.type === 'Float64';
      return doubleCode(`(${asDouble(a)} / nullIf(${asDouble(present(context, b))}, 0.0))`, true, wild);
    }
    case 'neg': {
      const of = emitLoose(context, call.operands[0]!);
      const { nullable, type, bound, wild = false } = of;
      return { sql: `negate(${of.sql})`, nullable, type, bound, wild };
    }
    case 'conditional':
      return emitConditional(context, call);
    default:
      return numberFunction(context, call);
  }
}

function operandsOf(context: SqlContext, { operands }: Call): [SqlNumber, SqlNumber] {
  return [emitLoose(context, operands[0]!), emitLoose(context, operands[1]!)];
}

const SIGNS = { add: '+', sub: '-', mul: '*' } as const;

function emitArithmetic(context: SqlContext, call: Call, operator: 'add' | 'sub' | 'mul'): SqlNumber {
  const [a, b] = operandsOf(context, call);
  const nullable = a.nullable || b.nullable;
  if (a.type === 'Float64' || b.type === 'Float64') {
    return doubleCode(`(${asDouble(a)} ${SIGNS[operator]} ${asDouble(b)})`, nullable, true);
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
    const divisor = present(context, b);
    return doubleCode(`(${asDouble(a)} / ${asDouble(divisor)})`, a.nullable || divisor.nullable, true);
  }
  // By zero is absent; …OrZero, since ClickHouse computes under a NULL as well and plain intDiv throws there.
  const [name, bound] = operator === 'div' ? ['intDivOrZero', a.bound] : ['moduloOrZero', Math.min(a.bound, b.bound)];
  return integerCode(`${name}(${a.sql}, nullIf(${b.sql}, 0))`, true, bound);
}

function emitConditional(context: SqlContext, call: Call): SqlNumber {
  const [condition, first, second] = call.operands;
  const a = emitLoose(context, first!);
  const b = emitLoose(context, second!);
  const double = call.type === 'double';
  const side = (code: SqlNumber): string => (double ? asDouble(code) : code.sql);
  const chosen = emitChoice(context, condition!, side(a), side(b));
  const nullable = chosen.nullable || a.nullable || b.nullable;
  const wild = a.wild === true || b.wild === true;
  return double
    ? doubleCode(chosen.sql, nullable, wild)
    : integerCode(chosen.sql, nullable, Math.max(a.bound, b.bound));
}
