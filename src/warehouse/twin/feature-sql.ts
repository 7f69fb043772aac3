/**
 * The second compiler of features (docs/semantics.md §7): one query over `events` that gives, for every row of the entity,
 * the value that the kernel gave it, by (life, seq). Called by `hunt features`, `hunt verify` and whoever fills a feature in
 * for rows that are older than it.
 */

import { aggregateOf } from '../../../native-free-core/language/aggregates/index.ts';
import type { Step, Steps } from '../../../native-free-core/language/aggregates/sql-part.ts';
import { columnAt, type EntityPlan, type FeaturePlan, type Plan } from '../../../native-free-core/plan/plan.ts';
import { sqlOf, type ColumnName } from '../../../native-free-core/language/sql/index.ts';
import { contributedRows, identity, placedRows, rowsOf, type RowSource } from './placement.ts';
import { sessionSteps } from './session-windows.ts';

/** Rows of `chunk` out of `chunks`, by a hash of the key: all of an entity's rows are in the same. */
export interface Chunk {
  readonly chunk: number;
  readonly chunks: number;
}

export interface FeatureSqlOptions {
  readonly chunk?: Chunk;
  /** Further columns of each row: SQL over `events AS e`. */
  readonly carried?: readonly { readonly name: string; readonly sql: string }[];
}

/** Yields `_log, _batch, _row, key (key_1, key_2, …), life, seq, value`, one row for every row that has this entity. */
export function featureSql(
  plan: Plan,
  entity: EntityPlan,
  feature: FeaturePlan,
  options: FeatureSqlOptions = {},
): string {
  const source = rowSource(plan, entity, options);
  const steps = [...contributedRows(source, feature), ...valuedSteps(source, feature)];
  const columns = identity(source)
    .split(', ')
    .filter((name) => name !== 't');
  return joinSteps(steps, `SELECT ${columns.join(', ')}, value FROM valued`);
}

/**
 * From the rows of `contributed` to their values: where each stands in its window, then what its aggregate makes of that.
 */
export function valuedSteps(source: RowSource, feature: FeaturePlan): Step[] {
  const { life, window, session } = aggregateOf(feature).sql;
  const [placed, steps] =
    feature.session !== undefined
      ? [sessionSteps(source, feature), session]
      : feature.windowMs > 0 || feature.dayColumn !== undefined
        ? [placedRows(source, feature), window]
        : [[], life];
  return [...placed, ...taken(feature, steps)(rowsOf(source), feature)];
}

function taken({ name, aggregate }: FeaturePlan, steps: Steps | null): Steps {
  if (steps === null) throw new Error(`no such window: feature=${name} aggregate=${aggregate}`);
  return steps;
}

export function columnNameOf(plan: Plan): ColumnName {
  return (index) => `e.\`${columnAt(plan, index).name.replace(/[\\`]/g, '\\$&')}\``;
}

export function rowSource(plan: Plan, entity: EntityPlan, { chunk, carried = [] }: FeatureSqlOptions): RowSource {
  const name = columnNameOf(plan);
  const parts = entity.key.map((part) => sqlOf(plan, part, name));
  const keys = parts.map((sql, i) => ({ sql, name: parts.length === 1 ? 'key' : `key_${i + 1}` }));
  const isOne = chunk === undefined || chunk.chunks === 1;
  const where = isOne ? '' : `cityHash64(${parts.join(', ')}) % ${chunk.chunks} = ${chunk.chunk}`;
  return {
    keys,
    name,
    plan,
    seqColumn: entity.seqColumn,
    lifeColumn: entity.lifeColumn,
    timeColumn: plan.system.effectiveTime,
    carried,
    where,
  };
}

export function joinSteps(steps: readonly Step[], last: string): string {
  const parts = steps.map(([name, select]) => `  ${name} AS (\n    ${broken(select, 4)}\n  )`);
  return `WITH\n${parts.join(',\n')}\n${last}`;
}

/** One clause a line. */
function broken(select: string, indent: number): string {
  return select.replace(/ (FROM [a-z_]+(?: AS e)?\b|WHERE )/g, `\n${' '.repeat(indent)}$1`);
}
