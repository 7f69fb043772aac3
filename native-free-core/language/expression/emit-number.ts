/**
 * Emits integers, doubles and times. Integers are doubles below 2^53; a result beyond that is absent, never rounded.
 * A double that is no finite number is absent, too: it is asked where it would be seen, since sums and products of it are
 * none either. 64-bit columns keep their two words, so that they can be compared exactly.
 */

import type { Expression, ExpressionOperator } from '../../plan/plan.ts';
import { EXACT_LIMIT, nullCondition, type EmitContext, type NumberCode } from './context.ts';
import { emitFunction } from './emit-function.ts';
import { emitTimePart, TIME_PARTS } from './emit-time.ts';

type Call = Extract<Expression, { node: 'call' }>;
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

/** An operand of arithmetic: beyond 2^53 it is absent, and where it is no finite number. */
export function emitOperand(context: EmitContext, expression: Expression): NumberCode {
  return guarded(context, context.number(expression));
}

/** An operand of what gives no finite number where the operand is none: it is asked of the result. */
export function emitLoose(context: EmitContext, expression: Expression): NumberCode {
  const code = context.number(expression);
  return code.integer ? guarded(context, code) : code;
}

/** A double that is absent where it is no finite number; anything else as it is. */
export function present(context: EmitContext, code: NumberCode): NumberCode {
  if (!code.wild) return code;
  const value = context.named(code.value);
  return { ...code, value, absent: [...code.absent, `!(${value} - ${value} === 0)`], wild: false };
}

export function guarded(context: EmitContext, code: NumberCode): NumberCode {
  if (!code.integer) return present(context, code);
  if (code.bound < EXACT_LIMIT) return code;
  const value = context.named(code.value);
  const beyond = `!(${value} < ${EXACT_LIMIT} && ${value} > -${EXACT_LIMIT})`;
  return { ...code, value, absent: [...code.absent, beyond], bound: EXACT_LIMIT - 1, words: null };
}

function emitCall(context: EmitContext, call: Call): NumberCode {
  const operands = call.operands;
  switch (call.operator) {
    case 'add':
    case 'sub':
    case 'mul':
      return emitArithmetic(context, call.operator, emitLoose(context, operands[0]), emitLoose(context, operands[1]));
    case 'div':
    case 'mod':
    case 'ratio':
      return emitDivision(context, call.operator, emitLoose(context, operands[0]), emitOperand(context, operands[1]));
    case 'neg': {
      const of = emitLoose(context, operands[0]);
      return { ...of, value: of.integer ? `(0 - ${of.value})` : `(-${of.value})`, words: null };
    }
    case 'conditional':
      return emitConditional(context, call);
    default: {
      const part = TIME_PARTS[call.operator];
      if (part !== undefined) return emitTimePart(context, part, emitOperand(context, operands[0]), operands[1]);
      const code = emitFunction(context, call, { operand: emitOperand, loose: emitLoose });
      if (code === null) throw new Error(`no number comes of operator=${call.operator}`);
      return code;
    }
  }
}

const SIGNS: Readonly<Partial<Record<ExpressionOperator, string>>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  mod: '%',
  ratio: '/',
};

function emitArithmetic(
  context: EmitContext,
  operator: 'add' | 'sub' | 'mul',
  a: NumberCode,
  b: NumberCode,
): NumberCode {
  const absent = [...a.absent, ...b.absent];
  const value = `(${a.value} ${SIGNS[operator]} ${b.value})`;
  if (!a.integer || !b.integer) return { value, absent, bound: Infinity, integer: false, wild: true, words: null };
  const bound = operator === 'mul' ? a.bound * b.bound : a.bound + b.bound;
  // 0 times a negative is -0 in JavaScript; + 0 makes it the integer 0.
  const exact = operator === 'mul' ? `(${value} + 0)` : value;
  return guarded(context, { value: exact, absent, bound, integer: true, wild: false, words: null });
}

function emitDivision(
  context: EmitContext,
  operator: 'div' | 'mod' | 'ratio',
  a: NumberCode,
  b: NumberCode,
): NumberCode {
  const integer = operator !== 'ratio' && a.integer && b.integer;
  const constant = /^\(?-?[\d.e+-]+\)?$/.test(b.value);
  const divisor = constant ? b.value : context.named(b.value);
  const byZero = integer || operator === 'ratio' ? zeroCondition(divisor, constant) : [];
  const absent = [...a.absent, ...b.absent, ...byZero];
  const quotient = `(${a.value} ${SIGNS[operator]} ${divisor})`;
  // Of two integers the quotient is finite, as it is where ratio() makes doubles of them.
  const wild = !a.integer || !b.integer;
  if (!integer) return { value: quotient, absent, bound: Infinity, integer: false, wild, words: null };
  // Below 2^53 the rounded quotient never reaches the next integer, so truncating it is exact.
  if (operator === 'div')
    return { value: `(Math.trunc${quotient} + 0)`, absent, bound: a.bound, integer: true, wild: false, words: null };
  const bound = Math.min(a.bound, b.bound);
  return { value: `(${quotient} + 0)`, absent, bound, integer: true, wild: false, words: null };
}

function zeroCondition(divisor: string, constant: boolean): string[] {
  if (!constant) return [`${divisor} === 0`];
  return Number(divisor.replace(/[()]/g, '')) === 0 ? ['true'] : [];
}

function emitConditional(context: EmitContext, { type, operands }: Call): NumberCode {
  const yes = context.named(context.truth(operands[0]));
  const no = context.named(context.falsehood(operands[0]));
  const a = emitLoose(context, operands[1]);
  const b = emitLoose(context, operands[2]);
  return {
    value: `(${yes} ? ${a.value} : ${b.value})`,
    absent: chosenAbsent(yes, no, a.absent, b.absent),
    bound: Math.max(a.bound, b.bound),
    integer: type !== 'double',
    wild: a.wild || b.wild,
    words: null,
  };
}

/** Where a conditional is absent: its condition is, or the operand that it chooses. */
export function chosenAbsent(yes: string, no: string, a: readonly string[], b: readonly string[]): string[] {
  const absent = [`!${yes} && !${no}`];
  if (a.length > 0) absent.push(`${yes} && (${a.join(' || ')})`);
  if (b.length > 0) absent.push(`${no} && (${b.join(' || ')})`);
  return absent;
}
