/**
 * min(a, b, …) and max(a, b, …): from left to right `b < a ? b : a`, so that of equal ones (0 and -0) the first is taken.
 */

import type { EmitContext } from '../expression/emit-context.ts';
import type { NumberCode } from '../expression/emitted-code.ts';
import * as kernel from '../expression/operand.ts';
import type { SqlContext, SqlNumber } from '../sql/sql-context.ts';
import * as sql from '../sql/operands.ts';
import { numbersOf, type CallSite } from './call-site.ts';
import type { NumberFunction } from './function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { calledFunction } from './phrase.ts';
import { call, type Typed } from './typed.ts';

export const minFunction = extreme('min', '<', 'smallest', '1');
export const maxFunction = extreme('max', '>', 'largest', '3');

type Operator = 'min' | 'max';

function extreme(operator: Operator, sign: string, which: string, value: string): NumberFunction {
  return {
    written: [
      {
        name: operator,
        form: 'function',
        check: (site) => check(site, operator),
        documentation: {
          syntax: `${operator}(a, b, …)`,
          meaning: `The ${which} of two or more numbers; absent where one is absent.`,
          example: [`${operator}(2, 1, 3)`, value],
        },
      },
    ],
    repeats: 'exact',
    number: {
      kernel: (context, of) => emitKernel(context, of, sign),
      sql: (context, of) => emitSql(context, of, sign),
    },
    phrase: calledFunction(operator),
  };
}

function check(site: CallSite, operator: Operator): Typed | null {
  if (site.arguments.length < 2) return site.refuse(`${operator} takes two numbers or more: ${operator}(a, b)`);
  const numbers = numbersOf(site.arguments);
  if (numbers === null) return null;
  const type = numbers.some((number) => number.type === 'double') ? 'double' : 'int';
  return { expression: call(type, operator, numbers) };
}

function emitKernel(context: EmitContext, { operands, type }: Call, sign: string): NumberCode {
  const codes = operands.map((one) => kernel.emitOperand(context, one));
  const value = codes
    .map((code) => context.named(code.value))
    .reduce((best, next) => context.named(`(${next} ${sign} ${best} ? ${next} : ${best})`));
  return {
    value,
    absent: codes.flatMap((code) => code.absent),
    bound: Math.max(...codes.map((code) => code.bound)),
    integer: type !== 'double',
    wild: false,
    words: null,
  };
}

/** `least` has an order of its own. */
function emitSql(context: SqlContext, { operands, type }: Call, sign: string): SqlNumber {
  const codes = operands.map((operand) => sql.emitOperand(context, operand));
  const double = type === 'double';
  const texts = codes.map((code) => (double ? sql.asDouble(code) : code.sql));
  const text = texts.reduce((best, next, i) =>
    context.bind(next, (b) =>
      context.bind(best, (a) =>
        codes[i].nullable
          ? `multiIf(${b} ${sign} ${a}, ${b}, isNull(${b}), NULL, ${a})`
          : `if(${b} ${sign} ${a}, ${b}, ${a})`,
      ),
    ),
  );
  const nullable = codes.some((code) => code.nullable);
  return double
    ? sql.doubleCode(text, nullable)
    : sql.integerCode(text, nullable, Math.max(...codes.map((code) => code.bound)));
}
