/** abs(a). */

import type { SqlContext, SqlNumber } from '../sql/sql-context.ts';
import * as kernel from '../expression/operand.ts';
import * as sql from '../sql/operands.ts';
import { numbersOf } from './call-site.ts';
import type { NumberFunction } from './function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { calledFunction } from './phrase.ts';
import { call } from './typed.ts';

export const abs: NumberFunction = {
  written: [
    {
      name: 'abs',
      form: 'function',
      check: (site) => {
        if (site.arguments.length !== 1) return site.refuse('abs takes one number: abs(a)');
        const numbers = numbersOf(site.arguments);
        return numbers && { expression: call(numbers[0].type === 'double' ? 'double' : 'int', 'abs', numbers) };
      },
      documentation: {
        syntax: 'abs(a)',
        meaning: 'The number without its sign. Of an integer an integer.',
        example: ['abs(-3)', '3'],
      },
    },
  ],
  repeats: 'exact',
  number: {
    kernel: (context, { operands }) => {
      const of = kernel.emitLoose(context, operands[0]);
      return { ...of, value: `Math.abs(${of.value})`, words: null };
    },
    sql: emitSql,
  },
  phrase: calledFunction('abs'),
};

function emitSql(context: SqlContext, { operands }: Call): SqlNumber {
  const a = sql.emitLoose(context, operands[0]);
  if (a.type === 'Float64') return { ...a, sql: `abs(${a.sql})` };
  return sql.integerCode(`toInt64(abs(${a.sql}))`, a.nullable, a.bound);
}
