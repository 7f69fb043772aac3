/**
 * The second compiler of expressions (docs/semantics.md §7): SQL over the columns of `events` that gives what the core's
 * emitter gives on every row. Called by the twin of the features and by whoever asks ClickHouse what the engine decided.
 */

import { columnAt, type Expression, type Plan } from '../../plan/plan.ts';
import { createBinder, type SqlCode, type SqlContext, type SqlNumber } from './sql-context.ts';
import { emitNumber } from './sql-number.ts';
import { present } from './operands.ts';
import { emitText } from './sql-strings.ts';
import { emitTruth } from './truth.ts';

/** How a query names a column of the plan. */
export type ColumnName = (index: number) => string;

/**
 * An SQL expression, NULL where the value is absent: Float64 for double, Int64 for int (UInt64 where it is a column of
 * that type), Int64 milliseconds for time, Bool for bool, String for string and bytes.
 */
export function sqlOf(plan: Plan, expression: Expression, columnName: ColumnName = plainName(plan)): string {
  const context = createContext(plan, columnName);
  switch (expression.type) {
    case 'bool':
      return context.truth(expression).sql;
    case 'string':
    case 'bytes':
      return context.text(expression).sql;
    default:
      return numberSql(expression, present(context, context.number(expression)));
  }
}

/** 1 where the expression is true, 0 where it is false or absent. */
export function conditionSql(plan: Plan, expression: Expression, columnName: ColumnName = plainName(plan)): string {
  const context = createContext(plan, columnName);
  const { sql, nullable } = context.truth(expression);
  return nullable ? `ifNull(${sql}, false)` : sql;
}

/** Whether `sqlOf` can be NULL at all. */
export function isNullable(plan: Plan, expression: Expression): boolean {
  return codeOf(createContext(plan, plainName(plan)), expression).nullable;
}

function codeOf(context: SqlContext, expression: Expression): SqlCode {
  if (expression.type === 'bool') return context.truth(expression);
  const isText = expression.type === 'string' || expression.type === 'bytes';
  return isText ? context.text(expression) : present(context, context.number(expression));
}

/** Small column types become the one that the doc above promises. */
function numberSql(expression: Expression, code: SqlNumber): string {
  if (expression.node === 'constant' && code.type !== 'Float64')
    return `to${code.type === 'UInt64' ? 'UInt64' : 'Int64'}(${code.sql})`;
  return expression.node === 'column' && code.type === 'narrow' ? `toInt64(${code.sql})` : code.sql;
}

function plainName(plan: Plan): ColumnName {
  return (index) => `\`${columnAt(plan, index).name.replace(/[\\`]/g, '\\$&')}\``;
}

function createContext(plan: Plan, columnName: ColumnName): SqlContext {
  const context: SqlContext = {
    column: (index) => columnAt(plan, index),
    columnName,
    zone: (name) =>
      found(
        plan.zones?.find((zone) => zone.name === name),
        `time zone: zone=${name}`,
      ),
    listEntries: (name) =>
      found(
        plan.lists?.find((list) => list.name === name),
        `list: list=${name}`,
      ).entries,
    truth: (expression) => emitTruth(context, expression),
    number: (expression) => emitNumber(context, expression),
    text: (expression) => emitText(context, expression),
    bind: createBinder(),
  };
  return context;
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the plan has no such ${what}`);
  return value;
}
