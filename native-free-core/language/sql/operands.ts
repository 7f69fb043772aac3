/**
 * What arithmetic of all kinds is made of: operands as Float64, or as Int64 that are NULL from 2^53 on, and the choice
 * between two values. A double that is no finite number is NULL where it would be seen, as in the core.
 */

import { EXACT_LIMIT } from '../exact-limit.ts';
import type { Expression } from '../../plan/plan.ts';
import { textColumn } from './sql-column.ts';
import { typedNull, type SqlCode, type SqlContext, type SqlNumber } from './sql-context.ts';

const LIMIT = `toInt64(${EXACT_LIMIT})`;
const BELOW_LIMIT = `toInt64(-${EXACT_LIMIT})`;
const ABSENT: SqlNumber = { sql: typedNull('Int64'), nullable: true, type: 'narrow', bound: 0 };

export function doubleCode(sql: string, nullable: boolean, wild = false): SqlNumber {
  return { sql, nullable, type: 'Float64', bound: Infinity, wild };
}

export function integerCode(sql: string, nullable: boolean, bound: number): SqlNumber {
  return { sql, nullable, type: 'narrow', bound };
}

/** An operand of arithmetic: a finite Float64, or Int64 below 2^53. */
export function emitOperand(context: SqlContext, expression: Expression): SqlNumber {
  return present(context, emitLoose(context, expression));
}

/** An operand of what gives no finite number where the operand is none: it is asked of the result. */
export function emitLoose(context: SqlContext, expression: Expression): SqlNumber {
  return asOperand(expression, context.number(expression));
}

/** A double that is NULL where it is no finite number; anything else as it is. */
export function present(context: SqlContext, code: SqlNumber): SqlNumber {
  if (code.wild !== true) return code;
  return doubleCode(
    context.bind(code.sql, (x) => `if(isFinite(${x}), ${x}, NULL)`),
    true,
  );
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
  if (code.type === 'Float64') return code.sql;
  return code.asDouble ?? `toFloat64(${code.sql})`;
}

/** Absent from 2^53 on. `least` and `greatest` may keep or skip a NULL: the limits that they give then turn NULL, too. */
export function guarded(code: SqlNumber): SqlNumber {
  if (code.bound < EXACT_LIMIT) return code;
  const clamped = `least(greatest(${code.sql}, ${BELOW_LIMIT}), ${LIMIT})`;
  return limited(clamped);
}

/** A value between the limits: NULL at either. */
export function limited(clamped: string): SqlNumber {
  return integerCode(`nullIf(nullIf(${clamped}, ${LIMIT}), ${BELOW_LIMIT})`, true, EXACT_LIMIT - 1);
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

/** For comparisons, which need no String: a dictionary column is compared by its own dictionary. */
export function comparableText(context: SqlContext, expression: Expression): SqlCode {
  return expression.node === 'column' ? textColumn(context, expression.column, true) : context.text(expression);
}
