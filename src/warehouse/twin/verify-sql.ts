/**
 * The question whether the kernel and the twin agree: one query for a feature (and a chunk of the keys) that counts the
 * rows where they do not, doubles compared by their bits, and shows the first of them.
 */

import { aggregateOf } from '../../../native-free-core/language/aggregates/index.ts';
import { isTextInput } from '../../../native-free-core/language/aggregates/sql-value.ts';
import type { EntityPlan, FeaturePlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { ROW_POSITION } from '../../contract/events-source.ts';
import { eventTimeSql } from './event-time.ts';
import { columnNameOf, featureSql, type Chunk, type FeatureSqlOptions } from './feature-sql.ts';

export interface VerifyRange {
  readonly chunk?: Chunk;
  /** Of arrival, ms UTC; rows before `sinceMs` still feed the windows. Absent: all. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Rows of these versions of the pipeline are compared, all rows feed the windows. Absent: all. */
  readonly versions?: readonly number[];
}

/** One line. The example's columns mean something only where `different` is not 0. */
export interface VerifyLine {
  readonly rows: number;
  readonly different: number;
  readonly example_log: number;
  readonly example_batch: number;
  readonly example_row: number;
  readonly example_key: string;
  readonly example_life: number;
  readonly example_seq: number;
  /** '' where it is NULL. */
  readonly example_stored: string;
  readonly example_recomputed: string;
}

export function verifySql(plan: Plan, entity: EntityPlan, feature: FeaturePlan, range: VerifyRange = {}): string {
  const query = featureSql(plan, entity, feature, rowsOf(plan, feature, range));
  const keys = entity.key.length === 1 ? ['key'] : entity.key.map((_, i) => `key_${i + 1}`);
  const example = (sql: string): string => `argMinIf(${sql}, (${ROW_POSITION.join(', ')}), NOT same)`;
  return `SELECT
  countIf(asked) AS rows,
  countIf(asked AND NOT same) AS different,
  ${example('_log')} AS example_log,
  ${example('_batch')} AS example_batch,
  ${example('_row')} AS example_row,
  ${example(`concat(${keys.map((key) => `toString(${key})`).join(", ', ', ")}, '')`)} AS example_key,
  ${example('life')} AS example_life,
  ${example('seq')} AS example_seq,
  ${example("ifNull(toString(stored), '')")} AS example_stored,
  ${example("ifNull(toString(value), '')")} AS example_recomputed
FROM (
SELECT *, NOT asked OR ${sameSql(feature, 'stored', 'value')} AS same
FROM (
${query}
))`;
}

/** One line, `different`: rows that a recomputation by event time gets different. */
export function skewSql(plan: Plan, entity: EntityPlan, feature: FeaturePlan, range: VerifyRange = {}): string {
  const query = eventTimeSql(plan, entity, feature, rowsOf(plan, feature, range));
  return `SELECT countIf(asked AND NOT ${sameSql(feature, 'stored', 'value')}) AS different\nFROM (\n${query}\n)`;
}

function rowsOf(plan: Plan, feature: FeaturePlan, range: VerifyRange): FeatureSqlOptions {
  const { chunk } = range;
  const carried = [
    { name: 'stored', sql: columnNameOf(plan)(feature.column) },
    { name: 'asked', sql: askedSql(plan, range) },
  ];
  return { carried, ...(chunk === undefined ? {} : { chunk }) };
}

function askedSql(plan: Plan, { sinceMs, untilMs, versions }: VerifyRange): string {
  const arrival = columnNameOf(plan)(plan.system.receivedAt);
  const bounds = [
    ...(sinceMs === undefined ? [] : [`${arrival} >= fromUnixTimestamp64Milli(${sinceMs}, 'UTC')`]),
    ...(untilMs === undefined ? [] : [`${arrival} < fromUnixTimestamp64Milli(${untilMs}, 'UTC')`]),
    ...(versions === undefined ? [] : [`_pipeline IN (${versions.join(', ')})`]),
  ];
  return bounds.length === 0 ? 'true' : bounds.join(' AND ');
}

/** NULL is the same as NULL only; doubles by their bits. */
export function sameSql(feature: FeaturePlan, a: string, b: string): string {
  const isWhole = aggregateOf(feature).check.result === 'count';
  const bits = (value: string): string =>
    isTextInput(feature)
      ? `CAST(${value}, 'Nullable(String)')`
      : isWhole
        ? value
        : `reinterpretAsUInt64(toFloat64(ifNull(${value}, 0)))`;
  return `if(isNull(${a}) OR isNull(${b}), isNull(${a}) AND isNull(${b}), ifNull(${bits(a)} = ${bits(b)}, false))`;
}
