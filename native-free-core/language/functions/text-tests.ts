/** startsWith, endsWith and contains: all by bytes. */

import type { ExpressionOperator } from '../../plan/plan.ts';
import { argumentsOf, onText, testKernel } from '../expression/condition.ts';
import { textOf, type CallSite } from './call-site.ts';
import type { ConditionFunction, FunctionDocumentation } from './function.ts';
import { calledMethod } from './phrase.ts';
import { call, type Typed } from './typed.ts';

type Operator = Extract<ExpressionOperator, 'starts_with' | 'ends_with' | 'contains'>;

export const startsWithFunction = textTest('startsWith', 'starts_with', (a, b) => `startsWith(${a}, ${b})`, {
  syntax: "text.startsWith('a')",
  meaning: 'Whether the text begins with the other one.',
  example: ["'abc'.startsWith('ab')", 'true'],
});

export const endsWithFunction = textTest('endsWith', 'ends_with', (a, b) => `endsWith(${a}, ${b})`, {
  syntax: "text.endsWith('a')",
  meaning: 'Whether the text ends with the other one.',
  example: ["'abc'.endsWith('ab')", 'false'],
});

/** The part is a constant: looking for one event's text in another takes time that nothing bounds. */
export const contains = textTest('contains', 'contains', (a, b) => `(position(${a}, ${b}) > 0)`, {
  syntax: "text.contains('a')",
  meaning: 'Whether the other text lies anywhere in it. What is looked for is a constant.',
  example: ["'abc'.contains('bc')", 'true'],
});

function textTest(
  name: string,
  operator: Operator,
  sql: (text: string, part: string) => string,
  documentation: FunctionDocumentation,
): ConditionFunction {
  return {
    written: [{ name, form: 'method', check: (site) => check(site, name, operator), documentation }],
    repeats: 'exact',
    condition: {
      ...testKernel((context, { operands: [subject, other] }) => {
        const part = context.text(other);
        const constant = other.node === 'constant';
        return onText(context, subject, constant, part.absent, (text) => {
          return `$${name}(${argumentsOf(text)}, ${argumentsOf(part)})`;
        });
      }),
      sql: (context, { operands: [subject, other] }) => {
        const a = context.text(subject);
        const b = context.text(other);
        return { sql: sql(a.sql, b.sql), nullable: a.nullable || b.nullable };
      },
    },
    phrase: calledMethod(name),
  };
}

function check(site: CallSite, name: string, operator: Operator): Typed | null {
  const typed = checkTextPair(site, name, operator);
  if (typed === null || operator !== 'contains' || site.arguments[1].literalText !== null) return typed;
  return site.arguments[1].refuse(`contains takes a text in quotes: event.name.contains('a')`);
}

/** Two texts; `matches` takes them, too. */
export function checkTextPair(site: CallSite, name: string, operator: Operator | 'matches'): Typed | null {
  const [text, part] = site.arguments;
  if (text === undefined || part === undefined || site.arguments.length !== 2)
    return site.refuse(`${name} takes one text: event.name.${name}('a')`);
  const a = textOf(text);
  const b = textOf(part);
  return a && b && { expression: call('bool', operator, [a.expression, b.expression]) };
}
