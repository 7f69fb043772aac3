/** Conditions on texts beyond their order: beginnings, ends, parts and patterns. All by bytes. */

import type { Expression } from '../../plan/plan.ts';
import type { SqlCode, SqlContext } from './context.ts';
import { textLiteral } from './literal.ts';

type Call = Extract<Expression, { node: 'call' }>;

export function textTest(context: SqlContext, { operator, operands }: Call): SqlCode {
  const a = context.text(operands[0]!);
  if (operator === 'matches') return { sql: `match(${a.sql}, ${patternLiteral(operands[1]!)})`, nullable: a.nullable };
  const b = context.text(operands[1]!);
  const nullable = a.nullable || b.nullable;
  switch (operator) {
    case 'starts_with':
      return { sql: `startsWith(${a.sql}, ${b.sql})`, nullable };
    case 'ends_with':
      return { sql: `endsWith(${a.sql}, ${b.sql})`, nullable };
    case 'contains':
      return { sql: `(position(${a.sql}, ${b.sql}) > 0)`, nullable };
    default:
      throw new Error(`no test of texts: operator=${operator}`);
  }
}

/**
 * Before it asks RE2, ClickHouse looks for a text that it believes every match has, and reads some patterns wrongly there: in
 * `abc[[]|b` it takes the alternative for a part of the class, and drops what has no abc. Where a pattern names the flag i it
 * does not look; that the flag is off changes nothing.
 */
const NOT_SEARCHED_BEFORE = '(?-i)';

export function patternLiteral(pattern: Expression): string {
  if (pattern.node !== 'constant') throw new Error('a pattern is a constant');
  return textLiteral(NOT_SEARCHED_BEFORE + String(pattern.value));
}
