/**
 * A plain interpreter of expressions, written from the semantics and not from the emitter: integers are bigints, absent
 * is null. What the emitted code says must agree with this.
 */

import type { Expression, ExpressionOperator } from '../../../native-free-core/plan/plan.ts';
import { callFunction, sizeOfText } from './oracle-functions.ts';
import type { Value } from './world.ts';

const LIMIT = 2n ** 53n;
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

function evaluateCall(call: Call, row: Row): Value {
  const { operator } = call;
  if (operator === 'has') {
    const value = evaluate(call.operands[0], row);
    return Array.isArray(value) ? value.length > 0 : value !== null;
  }
  if (operator === 'and' || operator === 'or')
    return logic(
      operator,
      call.operands.map((operand) => evaluate(operand, row)),
    );
  if (operator === 'conditional') return conditional(call, row);
  const values = call.operands.map((operand) => evaluate(operand, row));
  if (values[0] === null || (operator !== 'in' && values.includes(null))) return null;
  if (operator === 'in') {
    // An integer that no double holds has no answer beside doubles, even where the list is empty.
    if (call.operands[1].type === 'double' && typeof values[0] === 'bigint' && isWide(values[0])) return null;
    const members = Array.isArray(values[1]) ? (values[1] as Value[]) : values.slice(1);
    const tests = members.map((member) => compare('eq', values[0], member));
    return tests.includes(null) ? null : tests.includes(true);
  }
  if (operator === 'not') return !values[0];
  if (['eq', 'ne', 'lt', 'le', 'gt', 'ge'].includes(operator)) return compare(operator, values[0], values[1]);
  if (operator === 'size' && call.operands[0].type === 'string' && values[0] instanceof Uint8Array)
    return sizeOfText(values[0]);
  const result = callFunction(operator, call.type, values);
  return result === undefined ? arithmetic(operator, values) : result;
}

function logic(operator: 'and' | 'or', values: readonly Value[]): boolean | null {
  const decisive = operator === 'or';
  if (values.includes(decisive)) return decisive;
  return values.includes(null) ? null : !decisive;
}

function conditional(call: Call, row: Row): Value {
  const condition = evaluate(call.operands[0], row);
  if (condition === null) return null;
  const value = evaluate(call.operands[condition ? 1 : 2], row);
  if (typeof value !== 'bigint') return value;
  return isWide(value) ? null : call.type === 'double' ? Number(value) : value;
}

function isWide(value: bigint): boolean {
  return value >= LIMIT || value <= -LIMIT;
}

function compare(operator: ExpressionOperator, a: Value, b: Value): boolean | null {
  if (a instanceof Uint8Array) return ordered(operator, Buffer.compare(a, b as Uint8Array), 0);
  if (typeof a === 'bigint' && typeof b === 'bigint') return ordered(operator, a, b);
  if (typeof a === 'boolean') return ordered(operator, Number(a), Number(b));
  if ((typeof a === 'bigint' && isWide(a)) || (typeof b === 'bigint' && isWide(b))) return null;
  return ordered(operator, Number(a), Number(b));
}

function ordered<T>(operator: ExpressionOperator, a: T, b: T): boolean {
  switch (operator) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'lt':
      return a < b;
    case 'le':
      return a <= b;
    case 'gt':
      return a > b;
    default:
      return a >= b;
  }
}

function arithmetic(operator: ExpressionOperator, values: readonly Value[]): Value {
  if (values.some((value) => typeof value === 'bigint' && isWide(value))) return null;
  if (operator !== 'ratio' && values.every((value) => typeof value === 'bigint'))
    return integers(operator, values as bigint[]);
  const [a, b] = values.map(Number);
  switch (operator) {
    case 'neg':
      return -a;
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'mod':
      return a % b;
    case 'ratio':
      return b === 0 ? null : a / b;
    default:
      return a / b;
  }
}

function integers(operator: ExpressionOperator, [a, b]: readonly bigint[]): bigint | null {
  if ((operator === 'div' || operator === 'mod') && b === 0n) return null;
  const results: Partial<Record<ExpressionOperator, () => bigint>> = {
    neg: () => -a,
    add: () => a + b,
    sub: () => a - b,
    mul: () => a * b,
    div: () => a / b,
    mod: () => a % b,
  };
  const result = results[operator]!();
  return isWide(result) ? null : result;
}
