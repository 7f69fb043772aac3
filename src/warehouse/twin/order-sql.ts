/**
 * Whether the stored order of an entity is whole, apart from its features: seq is 1, 2, 3, … in every life, epochs never
 * go back along it, and rows without the entity carry none of its features.
 */

import type { Step } from '../../../native-free-core/language/aggregates/sql-part.ts';
import type { EntityPlan, FeaturePlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { eventsSource, ROW_POSITION } from '../../contract/events-source.ts';
import { columnNameOf, joinSteps, rowSource, type Chunk } from './feature-sql.ts';
import { keyNames } from './placement.ts';

/** One line. */
export interface OrderLine {
  readonly rows: number;
  /** Rows whose seq is not the next of their life. */
  readonly misnumbered: number;
  /** Rows that became durable before the row of the same log whose seq precedes theirs. */
  readonly misplaced: number;
  readonly example_log: number;
  readonly example_batch: number;
  readonly example_row: number;
  readonly example_key: string;
  readonly example_life: number;
  readonly example_seq: number;
  readonly example_expected: number;
}

export function orderSql(plan: Plan, entity: EntityPlan, chunk?: Chunk): string {
  const source = rowSource(plan, entity, chunk === undefined ? {} : { chunk });
  const { name, where } = source;
  const keys = keyNames(source);
  const columns = [
    ...ROW_POSITION.map((name) => `e.${name} AS ${name}`),
    'e._epoch AS _epoch',
    ...source.keys.map((key) => `${key.sql} AS ${key.name}`),
    `assumeNotNull(${name(entity.lifeColumn)}) AS life`,
    `assumeNotNull(${name(entity.seqColumn)}) AS seq`,
  ];
  const over = `OVER (PARTITION BY ${keys}, life ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`;
  const steps: Step[] = [
    [
      'taken_in',
      `SELECT ${columns.join(', ')} FROM ${eventsSource('all').from} AS e WHERE ${name(entity.seqColumn)} > 0${where === '' ? '' : ` AND ${where}`}`,
    ],
    [
      'numbered',
      `SELECT *, row_number() ${over} AS expected, lagInFrame(_log) ${over} AS log_before, lagInFrame(_epoch) ${over} AS epoch_before FROM taken_in`,
    ],
    [
      'judged',
      'SELECT *, seq != expected AS is_misnumbered, _log = log_before AND _epoch < epoch_before AS is_misplaced FROM numbered',
    ],
  ];
  const example = (sql: string): string =>
    `argMinIf(${sql}, (life, seq, ${ROW_POSITION.join(', ')}), is_misnumbered OR is_misplaced)`;
  const text = `concat(${source.keys.map((key) => `toString(${key.name})`).join(", ', ', ")}, '')`;
  return joinSteps(
    steps,
    `SELECT
  count() AS rows,
  countIf(is_misnumbered) AS misnumbered,
  countIf(is_misplaced) AS misplaced,
  ${example('_log')} AS example_log,
  ${example('_batch')} AS example_batch,
  ${example('_row')} AS example_row,
  ${example(text)} AS example_key,
  ${example('life')} AS example_life,
  ${example('seq')} AS example_seq,
  ${example('expected')} AS example_expected
FROM judged`,
  );
}

/**
 * One line of one column a feature, `stray_0`, `stray_1`, …: rows that carry the feature and not the entity. `versionsOf`:
 * of these versions of the pipeline, where others have stored something else in its column.
 */
export function straySql(
  plan: Plan,
  entity: EntityPlan,
  versionsOf?: (feature: FeaturePlan) => readonly number[],
): string {
  const name = columnNameOf(plan);
  const counts = entity.features.map((feature, i) => {
    const { column } = feature;
    const carries = plan.columns[column]!.nullable ? `${name(column)} IS NOT NULL` : `${name(column)} != 0`;
    const versions = versionsOf?.(feature);
    if (versions?.length === 0) return `0 AS stray_${i}`;
    return `countIf(${carries}${versions === undefined ? '' : ` AND _pipeline IN (${versions.join(', ')})`}) AS stray_${i}`;
  });
  return `SELECT ${counts.join(', ')} FROM ${eventsSource('all').from} AS e WHERE ifNull(${name(entity.seqColumn)}, 0) = 0`;
}
