/** `&& || !`, three-valued as in SQL: absent where the value depends on one that is absent. */

import * as kernel from '../expression/condition.ts';
import { conditionOf, type CallSite } from './call-site.ts';
import type { ConditionFunction, ConditionPart, FunctionDocumentation } from './function.ts';
import { AND, infix, OR, prefix } from './phrase.ts';
import { call, type Typed } from './typed.ts';

export const and: ConditionFunction = {
  written: [
    connective('&&', 'and', {
      syntax: 'a && b',
      meaning: 'Whether both are true. False where one is false, whatever the other is.',
      example: ['true && 1 < 2', 'true'],
    }),
  ],
  repeats: 'exact',
  condition: joined('&&', '||', 'and'),
  phrase: infix('&&', AND),
};

export const or: ConditionFunction = {
  written: [
    connective('||', 'or', {
      syntax: 'a || b',
      meaning: 'Whether one is true. True where one is true, whatever the other is.',
      example: ['false || 1 < 2', 'true'],
    }),
  ],
  repeats: 'exact',
  condition: joined('||', '&&', 'or'),
  phrase: infix('||', OR),
};

export const not: ConditionFunction = {
  written: [
    {
      name: '!_',
      form: 'operator',
      check: ({ arguments: [argument] }) => {
        const of = conditionOf(argument);
        return of && { expression: call('bool', 'not', [of.expression]) };
      },
      documentation: {
        syntax: '!a',
        meaning: 'Whether it is false. Absent where a is.',
        example: ['!(1 < 2)', 'false'],
      },
    },
  ],
  repeats: 'exact',
  condition: {
    kernel: (context, { operands: [of] }, wanted) => (wanted ? context.falsehood(of) : context.truth(of)),
    neverAbsent: kernel.operandsNeverAbsent,
    sql: (context, { operands }) => {
      const of = context.truth(operands[0]);
      return { ...of, sql: `(NOT ${of.sql})` };
    },
    compound: 'not',
  },
  phrase: prefix('!'),
};

function connective(
  sign: string,
  operator: 'and' | 'or',
  documentation: FunctionDocumentation,
): ConditionFunction['written'][number] {
  return { name: sign, form: 'operator', check: (site) => checkLogic(site, operator), documentation };
}

function checkLogic({ arguments: [left, right] }: CallSite, operator: 'and' | 'or'): Typed | null {
  const a = conditionOf(left);
  const b = conditionOf(right);
  return a && b && { expression: call('bool', operator, [a.expression, b.expression]) };
}

/** It is false where the other connective holds of the sides' falsehoods. */
function joined(whenTrue: string, whenFalse: string, compound: 'and' | 'or'): ConditionPart {
  return {
    kernel: (context, { operands: [a, b] }, wanted) =>
      wanted
        ? `(${context.truth(a)} ${whenTrue} ${context.truth(b)})`
        : `(${context.falsehood(a)} ${whenFalse} ${context.falsehood(b)})`,
    neverAbsent: kernel.operandsNeverAbsent,
    sql: (context, { operands }) => {
      const sides = operands.map((operand) => context.truth(operand));
      const sql = `(${sides.map((side) => side.sql).join(` ${compound.toUpperCase()} `)})`;
      return { sql, nullable: sides.some((side) => side.nullable) };
    },
    compound,
  };
}
