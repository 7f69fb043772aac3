/** Strings and bytes: constants, columns, and what functions make. */

import type { Expression } from '../../plan/plan.ts';
import { FUNCTIONS } from '../functions/index.ts';
import { textColumn } from './sql-column.ts';
import type { SqlCode, SqlContext } from './sql-context.ts';
import { textLiteral } from './sql-literal.ts';

export function emitText(context: SqlContext, expression: Expression): SqlCode {
  if (expression.node === 'constant') return { sql: textLiteral(String(expression.value)), nullable: false };
  if (expression.node === 'column') return textColumn(context, expression.column, false);
  const part = FUNCTIONS[expression.operator].text;
  if (part === undefined) throw new Error(`no text comes of operator=${expression.operator}`);
  return part.sql(context, expression);
}
