/**
 * What an aggregate is in ClickHouse: pure text. The twin (src/warehouse/twin) makes the rows that come before, and joins
 * the steps:
 *
 *   contributed  rows that have the entity, by (life, seq), with t and x; x is NULL where a row does not contribute
 *   placed       the same with head, place, direct, entered, enter and leave: where the window stands at the row, and when the row is inside
 *   seen         rows by session and part, each once where is_row and once more for each part that it is in; part_x instead of x
 *
 * Every list of steps ends with `valued`: the rows' own columns and `value`.
 */

import type { FeaturePlan } from '../../plan/plan.ts';

/** One `name AS (SELECT …)` of a query. */
export type Step = readonly [name: string, select: string];

/** Columns of every step, with commas between them. */
export interface Rows {
  /** Parts of the key. */
  readonly keys: string;
  /** All that is handed on: row, key, life, seq, t and what the caller carries. */
  readonly identity: string;
}

export type Steps = (rows: Rows, feature: FeaturePlan) => readonly Step[];

export interface SqlPart {
  /** From `contributed`; null: it always has a window. */
  readonly life: Steps | null;
  /** A window of a duration or a calendar day, from `placed`. */
  readonly window: Steps;
  /** From `seen`; null: it is never in a session. */
  readonly session: Steps | null;
}

export const PRECEDING = 'ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW';
export const BEFORE = 'ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING';

/** The rows that a row sees, in an order that ends with seq. */
export function frameOf(feature: FeaturePlan): string {
  return feature.excludesCurrent === true ? BEFORE : PRECEDING;
}

/** The rows of one part of a session, by seq. */
export function partOf({ keys }: Rows): string {
  return `PARTITION BY ${keys}, life, session, part`;
}
