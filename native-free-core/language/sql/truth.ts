/** Conditions in three-valued logic, which is ClickHouse's own for AND, OR and NOT. */

import type { Expression, ExpressionOperator } from '../../plan/plan.ts';
import { hasElements, isLabelled, storedName } from './column.ts';
import { comparison, type SqlCode, type SqlContext, type SqlNumber } from './context.ts';
import { emitMembership } from './membership.ts';
import { asDouble, asOperand, emitChoice, present } from './operands.ts';
import { comparableText } from './text.ts';
import { textTest } from './text-tests.ts';

type Call = Extract<Expression, { node: 'call' }>;

export function emitTruth(context: SqlContext, expression: Expression): SqlCode {
  switch (expression.node) {
    case 'constant':
      return { sql: expression.value === true ? 'true' : 'false', nullable: false };
    case 'column':
      return { sql: context.columnName(expression.column), nullable: context.column(expression.column).nullable };
    case 'call':
      return emitCall(context, expression);
  }
}

function emitCall(context: SqlContext, call: Call): SqlCode {
  const { operator, operands } = call;
  const [a, b, c] = operands as readonly [Expression, Expression, Expression];
  switch (operator) {
    case 'not': {
      const of = context.truth(a);
      return { ...of, sql: `(NOT ${of.sql})` };
    }
    case 'and':
    case 'or': {
      const sides = operands.map((operand) => context.truth(operand));
      const sql = `(${sides.map((side) => side.sql).join(operator === 'and' ? ' AND ' : ' OR ')})`;
      return { sql, nullable: sides.some((side) => side.nullable) };
    }
    case 'conditional': {
      const [yes, no] = [context.truth(b), context.truth(c)];
      const chosen = emitChoice(context, a, yes.sql, no.sql);
      return { ...chosen, nullable: chosen.nullable || yes.nullable || no.nullable };
    }
    case 'has':
      return { sql: presence(context, a), nullable: false };
    case 'in':
    case 'in_list':
      return emitMembership(context, call);
    case 'starts_with':
    case 'ends_with':
    case 'contains':
    case 'matches':
      return textTest(context, call);
    default:
      return emitComparison(context, operator, a, b);
  }
}

function presence(context: SqlContext, expression: Expression): string {
  if (expression.node === 'column' && context.column(expression.column).shape !== 'scalar') {
    return hasElements(context, expression.column);
  }
  const code = codeOf(context, expression);
  return code.nullable ? `isNotNull(${code.sql})` : 'true';
}

function codeOf(context: SqlContext, expression: Expression): SqlCode {
  if (expression.type === 'bool') return context.truth(expression);
  // A labelled column need not be turned into its code to be there.
  if (expression.node === 'column' && expression.type !== 'double') {
    return { sql: context.columnName(expression.column), nullable: context.column(expression.column).nullable };
  }
  return expression.type === 'string' || expression.type === 'bytes'
    ? context.text(expression)
    : present(context, context.number(expression));
}

const SIGNS: Readonly<Partial<Record<ExpressionOperator, string>>> = {
  eq: '=',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

export function emitComparison(
  context: SqlContext,
  operator: ExpressionOperator,
  a: Expression,
  b: Expression,
): SqlCode {
  const sign = SIGNS[operator];
  if (sign === undefined) throw new Error(`no condition comes of operator=${operator}`);
  const [left, right] = comparedSides(context, operator, a, b);
  return comparison(`(${left.sql} ${sign} ${right.sql})`, left, right);
}

function comparedSides(
  context: SqlContext,
  operator: ExpressionOperator,
  a: Expression,
  b: Expression,
): readonly [SqlCode, SqlCode] {
  if (a.type === 'bool') return [context.truth(a), context.truth(b)];
  if (a.type === 'string' || a.type === 'bytes') return [comparableText(context, a), comparableText(context, b)];
  const named =
    operator === 'eq' || operator === 'ne' ? (namedSides(context, a, b) ?? namedSides(context, b, a)) : null;
  if (named !== null) return named;
  const [left, right] = [context.number(a), context.number(b)];
  if (left.type !== 'Float64' && right.type !== 'Float64') return [left, right];
  // Beside a double an integer beyond 2^53 has no answer.
  const side = (code: SqlNumber, of: Expression): SqlNumber => present(context, asOperand(of, code));
  return [doubleSide(side(left, a), b), doubleSide(side(right, b), a)];
}

/**
 * ClickHouse makes IN of several comparisons in a row, and IN tells -0 from 0: beside a constant 0 there shall be no -0.
 */
function doubleSide(code: SqlNumber, other: Expression): SqlCode {
  const besideZero = other.node === 'constant' && Number(other.value) === 0 && code.type === 'Float64';
  return { sql: besideZero ? `(${code.sql} + 0.0)` : asDouble(code), nullable: code.nullable };
}

/** A code compared with a constant: by the name that ClickHouse holds. */
function namedSides(context: SqlContext, column: Expression, constant: Expression): readonly [SqlCode, SqlCode] | null {
  if (column.node !== 'column' || constant.node !== 'constant' || constant.type === 'double') return null;
  const plan = context.column(column.column);
  if (!isLabelled(plan)) return null;
  return [
    { sql: context.columnName(column.column), nullable: plan.nullable, lowCardinality: true },
    { sql: storedName(plan, BigInt(constant.exact ?? constant.value)), nullable: false },
  ];
}
