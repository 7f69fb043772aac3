/**
 * Columns of `events` as values of the plan. ClickHouse stores the names of codes and enums, and texts by dictionary;
 * the plan compares their numbers.
 */

import type { ColumnPlan } from '../../plan/plan.ts';
import { KINDS } from '../kinds/index.ts';
import type { SqlCode, SqlContext, SqlNumber } from './sql-context.ts';
import { textLiteral } from './sql-literal.ts';

/** `isDouble`: what the expression takes the column for; computed integers are stored as doubles. */
export function numberColumn(context: SqlContext, index: number, isDouble: boolean): SqlNumber {
  const plan = context.column(index);
  const { sql } = KINDS[plan.kind];
  if (sql === null) throw new Error(`a text column is no number: column=${plan.name}`);
  return { ...sql(plan, context.columnName(index), isDouble), nullable: plan.nullable };
}

/** What a `code` or `enum` column stores for a number. The last of several names for one number is the one stored. */
export function storedName(plan: ColumnPlan, code: bigint | number): string {
  const named = new Map(KINDS[plan.kind].names(plan)).get(Number(code));
  return textLiteral(named ?? String(code));
}

/** A text column as String; `raw`: as it is stored, which compares faster. */
export function textColumn(context: SqlContext, index: number, raw: boolean): SqlCode {
  const { kind, nullable } = context.column(index);
  const name = context.columnName(index);
  if (!KINDS[kind].clickhouse.isLowCardinality) return { sql: name, nullable };
  if (raw) return { sql: name, nullable, lowCardinality: true };
  return { sql: `CAST(${name}, '${nullable ? 'Nullable(String)' : 'String'}')`, nullable };
}

/** A constant list or map is never absent; has() asks whether it holds anything. */
export function hasElements(context: SqlContext, index: number): string {
  return `notEmpty(${context.columnName(index)})`;
}

export function isLabelled(plan: ColumnPlan): boolean {
  return KINDS[plan.kind].names(plan) !== null;
}
