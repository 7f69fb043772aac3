/**
 * A plain interpreter of expressions, written from the semantics and not from the emitter: integers are bigints, absent
 * is null. What the emitted code says must agree with this.
 */

import type { Expression, ExpressionOperator } from '../../../native-free-core/plan/plan.ts';
import { compare, isWide, sizeOfText, VALUES, type ValueOperator } from './oracle-functions.ts';
import type { Value } from './world.ts';

const encoder = new TextEncoder();

type Row = readonly Value[];
type Call = Extract<Expression, { node: 'call' }>;

/** A double that is no finite number is absent, wherever it comes from. */
export function evaluate(expression: Expression, row: Row): Value {
  const value = evaluateAny(expression, row);
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

function evaluateAny(expression: Expression, row: Row): Value {
  switch (expression.node) {
    case 'column':
      return row[expression.column];
    case 'constant': {
      const { type, value, exact } = expression;
      if (type === 'string' || type === 'bytes') return encoder.encode(String(value));
      if (type === 'bool') return Boolean(value);
      return type === 'double' ? Number(value) : BigInt(exact ?? value);
    }
    case 'call':
      return evaluateCall(expression, row);
  }
}

/** Of what is not asked of the operands' values alone. */
const OF_OPERANDS: Readonly<Partial<Record<ExpressionOperator, (call: Call, row: Row) => Value>>> = {
  has: (call, row) => {
    const value = evaluate(call.operands[0], row);
    return Array.isArray(value) ? value.length > 0 : value !== null;
  },
  and: (call, row) => logic(false, values(call, row)),
  or: (call, row) => logic(true, values(call, row)),
  conditional,
  in: membership,
};

function evaluateCall(call: Call, row: Row): Value {
  const { operator } = call;
  const special = OF_OPERANDS[operator];
  if (special !== undefined) return special(call, row);
  const operands = values(call, row);
  if (operands.includes(null)) return null;
  if (operator === 'size' && call.operands[0].type === 'string' && operands[0] instanceof Uint8Array)
    return sizeOfText(operands[0]);
  const value = VALUES[operator as ValueOperator];
  if (value.takesWide !== true && operands.some((one) => typeof one === 'bigint' && isWide(one))) return null;
  return value.of(operands, call.type);
}

function values(call: Call, row: Row): Value[] {
  return call.operands.map((operand) => evaluate(operand, row));
}

function membership(call: Call, row: Row): Value {
  const [value, ...rest] = values(call, row);
  if (value === null) return null;
  // An integer that no double holds has no answer beside doubles, even where the list is empty.
  if (call.operands[1].type === 'double' && typeof value === 'bigint' && isWide(value)) return null;
  const members = Array.isArray(rest[0]) ? (rest[0] as Value[]) : rest;
  const tests = members.map((member) => compare('eq', value, member));
  return tests.includes(null) ? null : tests.includes(true);
}

/** `decisive`: the value that decides whatever the other one is. */
function logic(decisive: boolean, sides: readonly Value[]): boolean | null {
  if (sides.includes(decisive)) return decisive;
  return sides.includes(null) ? null : !decisive;
}

function conditional(call: Call, row: Row): Value {
  const condition = evaluate(call.operands[0], row);
  if (condition === null) return null;
  const value = evaluate(call.operands[condition ? 1 : 2], row);
  if (typeof value !== 'bigint') return value;
  return isWide(value) ? null : call.type === 'double' ? Number(value) : value;
}
