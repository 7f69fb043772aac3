/** `+ - *` and the minus in front of a number. Integers are exact below 2^53; a result beyond is absent, never rounded. */

import { EXACT_LIMIT } from '../exact-limit.ts';
import type { ExpressionOperator } from '../../plan/plan.ts';
import type { EmitContext } from '../expression/emit-context.ts';
import type { NumberCode } from '../expression/emitted-code.ts';
import * as kernel from '../expression/operand.ts';
import { type SqlContext, type SqlNumber } from '../sql/sql-context.ts';
import * as sql from '../sql/operands.ts';
import { numberOf, type CallSite } from './call-site.ts';
import type { FunctionDocumentation, NumberFunction } from './function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { infixPhrase, prefix, PRODUCT, SUM } from './phrase.ts';
import { call, type Typed } from './typed.ts';

type Operator = Extract<ExpressionOperator, 'add' | 'sub' | 'mul'>;

export const add = arithmetic('add', '+', SUM, {
  syntax: 'a + b',
  meaning: 'The sum. Of two integers an integer, absent beyond 2^53; a double where one is a double.',
  example: ['1 + 2', '3'],
});

export const sub = arithmetic('sub', '-', SUM, {
  syntax: 'a - b',
  meaning: 'The difference, by the rules of the sum. Of two times it is milliseconds.',
  example: ['1.5 - 2', '-0.5'],
});

export const mul = arithmetic('mul', '*', PRODUCT, {
  syntax: 'a * b',
  meaning: 'The product, by the rules of the sum.',
  example: ['3 * 4', '12'],
});

export const neg: NumberFunction = {
  written: [
    {
      name: '-_',
      form: 'operator',
      check: checkNegation,
      documentation: { syntax: '-a', meaning: 'The number with the other sign.', example: ['-(1 + 2)', '-3'] },
    },
  ],
  repeats: 'exact',
  number: {
    kernel: (context, { operands }) => {
      const of = kernel.emitLoose(context, operands[0]);
      return { ...of, value: of.integer ? `(0 - ${of.value})` : `(-${of.value})`, words: null };
    },
    sql: (context, { operands }) => {
      const { sql: text, nullable, type, bound, wild = false } = sql.emitLoose(context, operands[0]);
      return { sql: `negate(${text})`, nullable, type, bound, wild };
    },
  },
  phrase: prefix('-'),
};

function arithmetic(
  operator: Operator,
  sign: string,
  strength: number,
  documentation: FunctionDocumentation,
): NumberFunction {
  return {
    written: [{ name: sign, form: 'operator', check: (site) => checkArithmetic(site, operator), documentation }],
    repeats: 'exact',
    number: {
      kernel: (context, of) => emitKernel(context, of, sign),
      sql: (context, of) => emitSql(context, of, sign),
    },
    phrase: ({ operands }, writer) =>
      (operator === 'sub' && isOne(operands[1]) ? writer.lessOne(operands[0]) : null) ??
      infixPhrase(sign, strength, operands, writer),
  };
}

/** A double where one operand is a double. */
export function checkArithmetic(site: CallSite, operator: ExpressionOperator): Typed | null {
  const [left, right] = site.arguments;
  const a = numberOf(left);
  const b = numberOf(right);
  if (a === null || b === null) return null;
  const isDouble = a.expression.type === 'double' || b.expression.type === 'double';
  if (isDouble && operator === 'mod') return left.refuse('% is for integers');
  return { expression: call(isDouble ? 'double' : 'int', operator, [a.expression, b.expression]) };
}

function checkNegation({ arguments: [argument] }: CallSite): Typed | null {
  const constant = argument.negated();
  if (constant !== null) return constant;
  const of = numberOf(argument);
  return of && { expression: call(of.expression.type === 'double' ? 'double' : 'int', 'neg', [of.expression]) };
}

function isOne(expression: Call['operands'][number]): boolean {
  return expression.node === 'constant' && expression.value === 1;
}

function emitKernel(context: EmitContext, { operator, operands }: Call, sign: string): NumberCode {
  const a = kernel.emitLoose(context, operands[0]);
  const b = kernel.emitLoose(context, operands[1]);
  const absent = [...a.absent, ...b.absent];
  const value = `(${a.value} ${sign} ${b.value})`;
  if (!a.integer || !b.integer) return kernel.doubleCode(value, absent, true);
  const bound = operator === 'mul' ? a.bound * b.bound : a.bound + b.bound;
  // 0 times a negative is -0 in JavaScript; + 0 makes it the integer 0.
  const exact = operator === 'mul' ? `(${value} + 0)` : value;
  return kernel.guarded(context, kernel.integerCode(exact, absent, bound));
}

function emitSql(context: SqlContext, { operator, operands }: Call, sign: string): SqlNumber {
  const a = sql.emitLoose(context, operands[0]);
  const b = sql.emitLoose(context, operands[1]);
  const nullable = a.nullable || b.nullable;
  if (a.type === 'Float64' || b.type === 'Float64')
    return sql.doubleCode(`(${sql.asDouble(a)} ${sign} ${sql.asDouble(b)})`, nullable, true);
  const bound = operator === 'mul' ? a.bound * b.bound : a.bound + b.bound;
  if (operator !== 'mul' || bound < EXACT_LIMIT) {
    // Both below 2^53: the sum fits an Int64.
    return sql.guarded(sql.integerCode(`(${a.sql} ${sign} ${b.sql})`, nullable, bound));
  }
  // A product may be far beyond 2^64; rounded to a double it stays on its side of 2^53.
  const product = `toFloat64(${a.sql}) * toFloat64(${b.sql})`;
  return sql.limited(`toInt64(least(greatest(${product}, -${EXACT_LIMIT}.0), ${EXACT_LIMIT}.0))`);
}
