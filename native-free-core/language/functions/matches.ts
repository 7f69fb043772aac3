/** text.matches(pattern): a regular expression as ClickHouse's `match` has it, see language/pattern/parse-pattern.ts. */

import type { Expression } from '../../plan/plan.ts';
import { argumentsOf, constantText, onText, testKernel } from '../expression/condition.ts';
import { compilePattern } from '../pattern/automaton.ts';
import { PatternProblem } from '../pattern/parse-pattern.ts';
import { textLiteral } from '../sql/sql-literal.ts';
import type { CallSite } from './call-site.ts';
import type { ConditionFunction } from './function.ts';
import { calledMethod } from './phrase.ts';
import { checkTextPair } from './text-tests.ts';
import type { Typed } from './typed.ts';

export const matches: ConditionFunction = {
  written: [
    {
      name: 'matches',
      form: 'method',
      check,
      documentation: {
        syntax: "text.matches('^a+$')",
        meaning: 'Whether the pattern, a constant, matches anywhere in the text; see Patterns.',
        example: ["'aab'.matches('^a+b$')", 'true'],
      },
    },
  ],
  repeats: 'exact',
  condition: {
    ...testKernel((context, { operands: [subject, pattern] }) => {
      const automaton = context.access.automaton(constantText(pattern));
      return onText(context, subject, true, [], (text) => `$matches(${automaton}, ${argumentsOf(text)})`);
    }),
    sql: (context, { operands: [subject, pattern] }) => {
      const text = context.text(subject);
      return { sql: `match(${text.sql}, ${patternLiteral(pattern)})`, nullable: text.nullable };
    },
  },
  phrase: calledMethod('matches'),
};

function check(site: CallSite): Typed | null {
  const typed = checkTextPair(site, 'matches', 'matches');
  if (typed === null) return null;
  const { literalText, refuse } = site.arguments[1];
  if (literalText === null) return refuse(`a pattern is a text in quotes: event.name.matches('^a+$')`);
  try {
    compilePattern(literalText);
    return typed;
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error;
    return refuse(`not a pattern, at its character ${error.at + 1}: ${error.message}`);
  }
}

/**
 * Before it asks RE2, ClickHouse looks for a text that it believes every match has, and reads some patterns wrongly there:
 * in `abc[[]|b` it takes the alternative for a part of the class, and drops what has no abc. Where a pattern names the flag
 * i it does not look; that the flag is off changes nothing.
 */
const NOT_SEARCHED_BEFORE = '(?-i)';

export function patternLiteral(pattern: Expression): string {
  if (pattern.node !== 'constant') throw new Error('a pattern is a constant');
  return textLiteral(NOT_SEARCHED_BEFORE + String(pattern.value));
}
