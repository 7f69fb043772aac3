/** The written form of a function that takes a fixed count of numbers and gives a double. */

import type { ExpressionOperator } from '../../plan/plan.ts';
import { numbersOf } from './call-site.ts';
import type { FunctionDocumentation, WrittenForm } from './function.ts';
import { call } from './typed.ts';

export function doubleForm(
  name: string,
  operator: ExpressionOperator,
  count: number,
  usage: string,
  documentation: FunctionDocumentation,
): WrittenForm {
  return {
    name,
    form: 'function',
    check: (site) => {
      if (site.arguments.length !== count) return site.refuse(usage);
      const numbers = numbersOf(site.arguments);
      return numbers && { expression: call('double', operator, numbers) };
    },
    documentation,
  };
}
