/** Strings and bytes: constants, columns, the choice between two, and geohashes. */

import type { Expression } from '../../plan/plan.ts';
import { textColumn } from './column.ts';
import type { SqlCode, SqlContext } from './context.ts';
import { geoTile } from './geo.ts';
import { textLiteral } from './literal.ts';
import { emitChoice } from './operands.ts';

export function emitText(context: SqlContext, expression: Expression): SqlCode {
  if (expression.node === 'constant') return { sql: textLiteral(String(expression.value)), nullable: false };
  if (expression.node === 'column') return textColumn(context, expression.column, false);
  const { operator, operands } = expression;
  if (operator === 'geo_tile') return geoTile(context, operands);
  if (operator !== 'conditional') throw new Error(`no text comes of operator=${operator}`);
  const [condition, first, second] = operands as readonly [Expression, Expression, Expression];
  const [a, b] = [context.text(first), context.text(second)];
  const chosen = emitChoice(context, condition, a.sql, b.sql);
  return { ...chosen, nullable: chosen.nullable || a.nullable || b.nullable };
}

/** For comparisons, which need no String: a dictionary column is compared by its own dictionary. */
export function comparableText(context: SqlContext, expression: Expression): SqlCode {
  return expression.node === 'column' ? textColumn(context, expression.column, true) : context.text(expression);
}
