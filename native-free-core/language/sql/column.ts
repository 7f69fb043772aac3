/**
 * Columns of `events` as values of the plan. ClickHouse stores the names of codes and enums, and texts by dictionary;
 * the plan compares their numbers.
 */

import type { ColumnPlan } from '../../plan/plan.ts';
import { EXACT_LIMIT, type SqlCode, type SqlContext, type SqlNumber } from './context.ts';
import { textLiteral } from './literal.ts';

const INT32_BOUND = 2147483648;
const UINT32_BOUND = 4294967295;

/** `isDouble`: what the expression takes the column for; computed integers are stored as doubles. */
export function numberColumn(context: SqlContext, index: number, isDouble: boolean): SqlNumber {
  const plan = context.column(index);
  const name = context.columnName(index);
  const { nullable } = plan;
  switch (plan.kind) {
    case 'u8':
      return { sql: name, nullable, type: 'narrow', bound: 255 };
    case 'i32':
      return { sql: name, nullable, type: 'narrow', bound: INT32_BOUND };
    case 'u32':
      return { sql: name, nullable, type: 'narrow', bound: UINT32_BOUND };
    case 'code':
    case 'enum':
      return { sql: codeOf(plan, name), nullable, type: 'narrow', bound: INT32_BOUND };
    case 'f32':
      return { sql: `toFloat64(${name})`, nullable, type: 'Float64', bound: Infinity, wild: true };
    case 'f64':
      return isDouble
        ? { sql: name, nullable, type: 'Float64', bound: Infinity, wild: true }
        : { sql: `toInt64(${name})`, nullable, type: 'narrow', bound: EXACT_LIMIT - 1 };
    case 'u64':
      return { sql: name, nullable, type: 'UInt64', bound: Infinity };
    case 'i64':
      return { sql: name, nullable, type: 'Int64', bound: Infinity };
    case 'time':
      return { sql: `toUnixTimestamp64Milli(${name})`, nullable, type: 'Int64', bound: Infinity };
    case 'string':
    case 'bytes':
    case 'dictionary':
      throw new Error(`a text column is no number: column=${plan.name}`);
  }
}

/** An unknown enum number is stored as its decimal text. */
function codeOf(plan: ColumnPlan, name: string): string {
  const names = labelsOf(plan);
  const texts = names.map(([, text]) => textLiteral(text)).join(', ');
  const codes = names.map(([code]) => `${code}`).join(', ');
  const type = plan.nullable ? 'Nullable(Int64)' : 'Int64';
  const text = `CAST(${name}, '${plan.nullable ? 'Nullable(String)' : 'String'}')`;
  const otherwise = plan.nullable ? `toInt32OrNull(${text})` : `toInt32OrZero(${text})`;
  if (names.length === 0) return otherwise;
  return `CAST(transform(${text}, [${texts}], CAST([${codes}], 'Array(Int32)'), ${otherwise}), '${type}')`;
}

function labelsOf(plan: ColumnPlan): readonly (readonly [number, string])[] {
  return plan.kind === 'code' ? (plan.labels ?? []).map((label, code) => [code, label]) : (plan.enumNames ?? []);
}

/** What a `code` or `enum` column stores for a number. The last of several names for one number is the one stored. */
export function storedName(plan: ColumnPlan, code: bigint | number): string {
  const named = new Map(labelsOf(plan)).get(Number(code));
  return textLiteral(named ?? String(code));
}

/** A text column as String; `raw`: as it is stored, which compares faster. */
export function textColumn(context: SqlContext, index: number, raw: boolean): SqlCode {
  const { kind, nullable } = context.column(index);
  const name = context.columnName(index);
  if (kind === 'string' || kind === 'bytes') return { sql: name, nullable };
  if (raw) return { sql: name, nullable, lowCardinality: true };
  return { sql: `CAST(${name}, '${nullable ? 'Nullable(String)' : 'String'}')`, nullable };
}

/** A constant list or map is never absent; has() asks whether it holds anything. */
export function hasElements(context: SqlContext, index: number): string {
  return `notEmpty(${context.columnName(index)})`;
}

export function isLabelled(plan: ColumnPlan): boolean {
  return plan.kind === 'code' || plan.kind === 'enum';
}
