/**
 * What the parts of the SQL compiler share. Every operand is written once, however often its value is needed: ClickHouse
 * copies the tree behind an alias wherever the alias stands, so that aliases within aliases double at every level. A
 * value that is needed twice is bound by a lambda over an array of one element instead.
 */

import type { ColumnPlan, Expression, ZonePlan } from '../../plan/plan.ts';

/** A condition in three-valued logic, or a text. */
export interface SqlCode {
  readonly sql: string;
  /** Whether it is NULL where the value is absent; otherwise the value is never absent. */
  readonly nullable: boolean;
  /** Set for columns of type LowCardinality, which compare faster as they are. */
  readonly lowCardinality?: boolean;
}

/**
 * A number as it stands in comparisons. `narrow`: an integer below 2^53 of some smaller or computed type. `UInt64` and
 * `Int64` hold all bits of a 64-bit column or constant.
 */
export interface SqlNumber extends SqlCode {
  readonly type: 'narrow' | 'Int64' | 'UInt64' | 'Float64';
  /** Integers: no value is larger in magnitude. Doubles and 64-bit integers: Infinity. */
  readonly bound: number;
  /** A double that may be NaN or infinite, which counts as absent (`present` in operands.ts). */
  readonly wild?: boolean;
  /** An integer constant as a Float64. */
  readonly asDouble?: string;
}

export interface SqlContext {
  column(index: number): ColumnPlan;
  /** How the query names a column. */
  columnName(index: number): string;
  zone(name: string): ZonePlan;
  listEntries(name: string): readonly string[];
  truth(expression: Expression): SqlCode;
  number(expression: Expression): SqlNumber;
  text(expression: Expression): SqlCode;
  /** `body` over the value of `sql`, which it may name as often as it likes. */
  bind(sql: string, body: (name: string) => string): string;
}

/** Longer texts are bound to a name where they are needed twice. A column with its cast stays below. */
const INLINE_LENGTH_MAX = 60;

export function createBinder(): SqlContext['bind'] {
  let names = 0;
  return (sql, body) => {
    if (sql.length <= INLINE_LENGTH_MAX) return body(sql);
    const name = `_v${++names}`;
    return `arrayMap(${name} -> ${body(name)}, [${sql}])[1]`;
  };
}

/** `NULL` of a type: untyped ones would leave the type of what stands around them open. */
export function typedNull(type: 'Int64' | 'Float64' | 'String' | 'Bool'): string {
  return `CAST(NULL, 'Nullable(${type})')`;
}

/** A comparison with a LowCardinality column is LowCardinality itself, and so is what is made of it; cut off here. */
export function comparison(sql: string, ...sides: readonly SqlCode[]): SqlCode {
  const nullable = sides.some((side) => side.nullable);
  if (!sides.some((side) => side.lowCardinality)) return { sql, nullable };
  return { sql: `CAST(${sql}, '${nullable ? 'Nullable(Bool)' : 'Bool'}')`, nullable };
}
