/** `has(x)`: whether a value is present. The only function that is never absent. */

import type { Expression } from '../../plan/plan.ts';
import type { SqlCode, SqlContext } from '../sql/sql-context.ts';
import { hasElements } from '../sql/sql-column.ts';
import { present } from '../sql/operands.ts';
import type { CallSite } from './call-site.ts';
import type { ConditionFunction } from './function.ts';
import { calledFunction } from './phrase.ts';
import { call, type Typed } from './typed.ts';

export const has: ConditionFunction = {
  written: [
    {
      name: 'has',
      form: 'function',
      check,
      documentation: {
        syntax: 'has(event.lat)',
        meaning:
          'Whether the field or feature has a value; of a repeated field, whether it has elements. `has(event.dig)`, where `dig` is a branch of the event type, says whether the event is one. Never absent.',
        example: ['has(event.lat)', null],
      },
    },
  ],
  repeats: 'exact',
  condition: {
    kernel: (context, { operands: [of] }, wanted) => {
      const absent = context.absence(of);
      return wanted ? `!(${absent})` : `(${absent})`;
    },
    neverAbsent: () => true,
    compound: null,
    sql: (context, { operands: [of] }) => ({ sql: presence(context, of), nullable: false }),
  },
  phrase: calledFunction('has'),
};

function check(site: CallSite): Typed | null {
  const [operand] = site.arguments;
  if (operand === undefined || site.arguments.length !== 1 || operand.path === null)
    return site.refuse('has takes one field or feature: has(event.lat)');
  const ofBranch = site.branchCondition(operand.path);
  if (ofBranch !== null) return { expression: ofBranch };
  const typed = operand.check();
  return typed && { expression: call('bool', 'has', [typed.expression]) };
}

function presence(context: SqlContext, expression: Expression): string {
  if (expression.node === 'column' && context.column(expression.column).shape !== 'scalar')
    return hasElements(context, expression.column);
  const code = codeOf(context, expression);
  return code.nullable ? `isNotNull(${code.sql})` : 'true';
}

function codeOf(context: SqlContext, expression: Expression): SqlCode {
  if (expression.type === 'bool') return context.truth(expression);
  // A labelled column need not be turned into its code to be there.
  if (expression.node === 'column' && expression.type !== 'double')
    return { sql: context.columnName(expression.column), nullable: context.column(expression.column).nullable };
  return expression.type === 'string' || expression.type === 'bytes'
    ? context.text(expression)
    : present(context, context.number(expression));
}
