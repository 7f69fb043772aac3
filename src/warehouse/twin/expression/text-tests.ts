/** Conditions on texts beyond their order: beginnings, ends, parts and patterns. All by bytes. */

import type { Expression } from '../../../../native-free-core/layout/plan.ts';
import type { SqlCode, SqlContext } from './context.ts';

type Call = Extract<Expression, { node: 'call' }>;

export function textTest(context: SqlContext, { operator, operands }: Call): SqlCode {
  const a = context.text(operands[0]!);
  const b = context.text(operands[1]!);
  const nullable = a.nullable || b.nullable;
  switch (operator) {
    case 'starts_with':
      return { sql: `startsWith(${a.sql}, ${b.sql})`, nullable };
    case 'ends_with':
      return { sql: `endsWith(${a.sql}, ${b.sql})`, nullable };
    case 'contains':
      return { sql: `(position(${a.sql}, ${b.sql}) > 0)`, nullable };
    case 'matches':
      return { sql: `match(${a.sql}, ${b.sql})`, nullable };
    default:
      throw new Error(`no test of texts: operator=${operator}`);
  }
}
