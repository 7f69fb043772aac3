/** log(a), exp(a) and pow(a, b): close to the true value, and only that; the last bit differs from library to library. */

import type { SqlContext, SqlNumber } from '../sql/sql-context.ts';
import * as sql from '../sql/operands.ts';
import { doubleForm } from './double-form.ts';
import { doubleKernel } from './double-kernel.ts';
import type { NumberFunction } from './function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { calledFunction } from './phrase.ts';

export const log: NumberFunction = {
  written: [
    doubleForm('log', 'log', 1, 'log takes one number, of which it is the natural logarithm: log(a)', {
      syntax: 'log(a)',
      meaning: 'The natural logarithm; absent where a is 0 or negative.',
      example: ['log(1)', '0.0'],
    }),
  ],
  repeats: 'inexact',
  number: {
    kernel: doubleKernel('Math.log', { wild: true }),
    sql: (context, { operands }) => {
      const a = sql.emitLoose(context, operands[0]);
      return sql.doubleCode(`log(${sql.asDouble(a)})`, a.nullable, true);
    },
  },
  phrase: calledFunction('log'),
};

export const exp: NumberFunction = {
  written: [
    doubleForm('exp', 'exp', 1, 'exp takes one number: exp(a)', {
      syntax: 'exp(a)',
      meaning: 'e to the power of a; absent where it is beyond all doubles.',
      example: ['exp(0)', '1.0'],
    }),
  ],
  repeats: 'inexact',
  number: {
    kernel: doubleKernel('Math.exp', { wild: true, swallows: true }),
    sql: (context, { operands }) => {
      const finite = sql.present(context, sql.emitLoose(context, operands[0]));
      return sql.doubleCode(`exp(${sql.asDouble(finite)})`, finite.nullable, true);
    },
  },
  phrase: calledFunction('exp'),
};

export const pow: NumberFunction = {
  written: [
    doubleForm('pow', 'pow', 2, 'pow takes two numbers, base and exponent: pow(a, b)', {
      syntax: 'pow(a, b)',
      meaning: 'a to the power of b, as a double; absent where it is no finite number.',
      example: ['pow(2, 10)', '1024.0'],
    }),
  ],
  repeats: 'inexact',
  number: { kernel: doubleKernel('Math.pow', { wild: true, swallows: true }), sql: powerSql },
  phrase: calledFunction('pow'),
};

/** Far below any double; ClickHouse's own pow gives something like 1e-250 where the true value is 1e-(10^19). */
const VANISHING_EXPONENT = '-1e6';

function powerSql(context: SqlContext, { operands }: Call): SqlNumber {
  const [a, b] = operands.map((operand) => sql.emitOperand(context, operand));
  const power = (x: string, y: string): string => {
    const vanishing = `${y} * log2(abs(${x})) < ${VANISHING_EXPONENT}`;
    return `if(${vanishing}, 0.0 * pow(${x}, ${y}), pow(${x}, ${y}))`;
  };
  const text = context.bind(sql.asDouble(a), (x) => context.bind(sql.asDouble(b), (y) => power(x, y)));
  return sql.doubleCode(text, a.nullable || b.nullable, true);
}
