/**
 * Integers, doubles and times. Integers are Int64 below 2^53 as in the core: a result beyond is NULL, never rounded.
 * Nothing here throws while ClickHouse runs it, since it also computes what an `if` does not choose.
 */

import { EXACT_LIMIT } from '../exact-limit.ts';
import type { Expression } from '../../plan/plan.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { FUNCTIONS } from '../functions/index.ts';
import { numberColumn } from './sql-column.ts';
import { type SqlContext, type SqlNumber } from './sql-context.ts';
import { doubleLiteral, integerLiteral } from './sql-literal.ts';
import { doubleCode } from './operands.ts';

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
  const part = FUNCTIONS[call.operator].number;
  if (part === undefined) throw new Error(`no number comes of operator=${call.operator}`);
  return part.sql(context, call);
}
