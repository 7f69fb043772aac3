/** int(a) and double(a). */

import { EXACT_LIMIT } from '../exact-limit.ts';
import type { EmitContext } from '../expression/emit-context.ts';
import type { NumberCode } from '../expression/emitted-code.ts';
import * as kernel from '../expression/operand.ts';
import type { SqlNumber } from '../sql/sql-context.ts';
import * as sql from '../sql/operands.ts';
import { numbersOf, type CallSite } from './call-site.ts';
import { doubleForm } from './double-form.ts';
import { doubleKernel } from './double-kernel.ts';
import type { NumberFunction } from './function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { calledFunction } from './phrase.ts';
import { call, type Typed } from './typed.ts';

export const toInt: NumberFunction = {
  written: [
    {
      name: 'int',
      form: 'function',
      check: checkInteger,
      documentation: {
        syntax: 'int(a)',
        meaning: 'The number without its fraction, as an integer; absent from 2^53 on.',
        example: ['int(-2.7)', '-2'],
      },
    },
  ],
  repeats: 'exact',
  number: {
    kernel: truncatedKernel,
    sql: (context, { operands }) => {
      const a = sql.emitLoose(context, operands[0]);
      return a.type === 'Float64' ? truncatedSql(a) : a;
    },
  },
  phrase: calledFunction('int'),
};

export const toDouble: NumberFunction = {
  written: [
    doubleForm('double', 'to_double', 1, 'double takes one number: double(a)', {
      syntax: 'double(a)',
      meaning: 'The number as a double.',
      example: ['double(3)', '3.0'],
    }),
  ],
  repeats: 'exact',
  number: {
    kernel: doubleKernel(''),
    sql: (context, { operands }) => {
      const a = sql.emitLoose(context, operands[0]);
      return sql.doubleCode(sql.asDouble(a), a.nullable, a.wild);
    },
  },
  phrase: calledFunction('double'),
};

function checkInteger(site: CallSite): Typed | null {
  if (site.arguments.length !== 1) return site.refuse('int takes one number, whose fraction it drops: int(a)');
  const numbers = numbersOf(site.arguments);
  if (numbers === null) return null;
  // CEL's int(timestamp) counts seconds; times count milliseconds here, so neither is meant by silence.
  if (numbers[0].type === 'time')
    return site.arguments[0].refuse('a time counts in milliseconds already; subtract one from another');
  return { expression: call('int', 'to_int', numbers) };
}

function truncatedKernel(context: EmitContext, { operands }: Call): NumberCode {
  const of = kernel.emitLoose(context, operands[0]);
  if (of.integer) return of;
  const value = context.named(`(Math.trunc(${of.value}) + 0)`);
  const beyond = `!(${value} < ${EXACT_LIMIT} && ${value} > -${EXACT_LIMIT})`;
  return kernel.integerCode(value, [...of.absent, beyond], EXACT_LIMIT - 1);
}

/** NaN and what no Int64 holds become NULL in the cast, what no double holds exactly behind it. */
function truncatedSql(code: SqlNumber): SqlNumber {
  return sql.guarded(sql.integerCode(`accurateCastOrNull(trunc(${code.sql}), 'Int64')`, true, Infinity));
}
