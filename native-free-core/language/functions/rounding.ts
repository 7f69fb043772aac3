/** floor(a) and ceil(a): a double that is a whole number. */

import * as sql from '../sql/operands.ts';
import { doubleForm } from './double-form.ts';
import { doubleKernel } from './double-kernel.ts';
import type { NumberFunction } from './function.ts';
import { calledFunction } from './phrase.ts';

export const floor = rounding('floor', 'largest whole number that is not above a', ['floor(2.7)', '2.0']);
export const ceil = rounding('ceil', 'smallest whole number that is not below a', ['ceil(2.1)', '3.0']);

function rounding(name: 'floor' | 'ceil', what: string, example: readonly [string, string]): NumberFunction {
  return {
    written: [
      doubleForm(name, name, 1, `${name} takes one number: ${name}(a)`, {
        syntax: `${name}(a)`,
        meaning: `The ${what}, as a double; int() makes an integer of it.`,
        example,
      }),
    ],
    repeats: 'exact',
    number: {
      kernel: doubleKernel(`Math.${name}`),
      sql: (context, { operands }) => {
        const a = sql.emitLoose(context, operands[0]);
        return sql.doubleCode(`${name}(${sql.asDouble(a)})`, a.nullable, a.wild);
      },
    },
    phrase: calledFunction(name),
  };
}
