/**
 * What becomes of a pipeline's columns and state when another version takes its place while it runs. Plain data, like the
 * plan: `src/config/change` makes it from two plans; workers, backfill and recovery act on it.
 */

import type { Plan } from './plan.ts';

export interface PlanChange {
  /** For each column of the new plan: the old plan's column whose stored values are its own, too, or -1. */
  readonly columns: readonly number[];
  /** For each entity of the new plan. */
  readonly entities: readonly EntityChange[];
  /** For each limited rule of the new plan. */
  readonly limits: readonly LimitChange[];
}

export interface EntityChange {
  /** Index of the same entity in the old plan; -1: a new one, which begins empty. */
  readonly from: number;
  /** The very tables go on: same row layout, same features in the same order, same maximum. */
  readonly keepsTable: boolean;
  /**
   * For each feature of the new entity: index of the old entity's feature of the same definition, whose state moves over
   * (its name may differ); -1: backfilled from stored rows.
   */
  readonly features: readonly number[];
}

/** Takes of a limit go on where rule, count, period and entity are the same. */
export interface LimitChange {
  readonly decision: number;
  readonly rule: number;
  /** In the old plan; -1: it begins unused. */
  readonly fromDecision: number;
  readonly fromRule: number;
}

/**
 * A column that has another name in the new plan. In ClickHouse it goes on under the name it was created with, and the new
 * name is an alias of it, so that rows of both versions answer under both names and both versions can be inserted.
 */
export interface ColumnRename {
  readonly from: string;
  readonly to: string;
}

/** Features of the new entity that need backfilling, by index. */
export function backfilled(change: EntityChange): number[] {
  if (change.from < 0 || change.keepsTable) return [];
  return change.features.flatMap((from, feature) => (from < 0 ? [feature] : []));
}

/** Entities of the new plan that have something to backfill. */
export function backfilledEntities(change: PlanChange): number[] {
  return change.entities.flatMap((one, entity) => (backfilled(one).length > 0 ? [entity] : []));
}

/**
 * What a backfill's side tables are laid out by: the new plan with the entities of `backfilledEntities`, in that order, and
 * of them the features to backfill only.
 */
export function backfillPlan(plan: Plan, change: PlanChange): Plan {
  const entities = backfilledEntities(change).map((entity, index) => {
    const own = plan.entities[entity]!;
    const wanted = new Set(backfilled(change.entities[entity]!));
    return { ...own, index, features: own.features.filter((_, feature) => wanted.has(feature)) };
  });
  return { ...plan, entities, decisions: [] };
}
