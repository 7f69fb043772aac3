/** sqrt(a). */

import * as sql from '../sql/operands.ts';
import { doubleForm } from './double-form.ts';
import { doubleKernel } from './double-kernel.ts';
import type { NumberFunction } from './function.ts';
import { calledFunction } from './phrase.ts';

export const sqrt: NumberFunction = {
  written: [
    doubleForm('sqrt', 'sqrt', 1, 'sqrt takes one number: sqrt(a)', {
      syntax: 'sqrt(a)',
      meaning: 'The square root, exact to the last bit; absent where a is negative.',
      example: ['sqrt(2.25)', '1.5'],
    }),
  ],
  repeats: 'exact',
  number: {
    kernel: doubleKernel('Math.sqrt', { wild: true }),
    sql: (context, { operands }) => {
      const a = sql.emitLoose(context, operands[0]);
      return sql.doubleCode(`sqrt(${sql.asDouble(a)})`, a.nullable, true);
    },
  },
  phrase: calledFunction('sqrt'),
};
