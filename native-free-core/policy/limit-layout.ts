/**
 * Where the takes of limits lie: for each entity that a limit counts by, a table of its own beside the entity's features,
 * of which a key gets a row when it first takes something. Read by limit-takes.ts; src/memory makes the tables by it.
 *
 *   row   word 0-3   key            of the entity
 *         f64 2      seq            takes so far, over all limits of the entity: the next one's `<decision>_seq`
 *         f64 3      life           epoch that created the row: `<decision>_life`
 *         f64 4      entity life    the newest among the events that took
 *         f64 5      last seen      received_at of the last take, ms
 *         f64 6      replay epoch   the epoch that recovery applies, or the last that it applied
 *         f64 7      replay base    seq before that epoch
 *         f64 8 ...  limits, each in the smaller of two forms:
 *                    newest   `count` f64: the hops of the newest takes, plus one; 0: none
 *                    ring     f64: the newest hop plus one, 0: none; then an Int32 for each hop of the window
 */

import { ROW_SEEN_SLOT, ROW_SEQ_SLOT, ROW_LIFE_SLOT } from '../layout/entity-layout.ts';
import type { LimitPlan, Plan } from '../plan/plan.ts';

export const TAKE_SEQ_SLOT = ROW_SEQ_SLOT;
export const TAKE_LIFE_SLOT = ROW_LIFE_SLOT;
export const TAKE_ENTITY_LIFE_SLOT = 4;
export const TAKE_SEEN_SLOT = ROW_SEEN_SLOT;
export const REPLAY_EPOCH_SLOT = 6;
export const REPLAY_BASE_SLOT = 7;
const CELLS_SLOT = 8;

/** One limit within the row. */
export interface LimitCells {
  readonly count: number;
  readonly hopMs: number;
  /** Hops of the window before the one in which its end lies. */
  readonly hops: number;
  /** f64 offset within the row. */
  readonly at: number;
  /** f64 slots. */
  readonly slots: number;
  readonly isRing: boolean;
}

export interface RuleCells {
  /** Indices into `Plan.decisions` and its rules. */
  readonly decision: number;
  readonly rule: number;
  readonly cells: LimitCells;
}

export interface LimitTableLayout {
  /** Index into `Plan.entities`. */
  readonly entity: number;
  readonly rowBytes: number;
  readonly rules: readonly RuleCells[];
}

/** One table for each entity with limits, in the order of `Plan.entities`. */
export function layOutLimits(plan: Plan): LimitTableLayout[] {
  const tables: LimitTableLayout[] = [];
  for (let entity = 0; entity < plan.entities.length; entity++) {
    const rules = layOutEntity(plan, entity);
    const last = rules.at(-1)?.cells;
    if (last !== undefined) tables.push({ entity, rowBytes: (last.at + last.slots) * 8, rules });
  }
  return tables;
}

/** Whether a limit counts by this entity. */
export function isLimited(plan: Plan, entity: number): boolean {
  return plan.decisions.some((decision) => decision.rules.some((rule) => rule.limit?.entity === entity));
}

function layOutEntity(plan: Plan, entity: number): RuleCells[] {
  const placed: RuleCells[] = [];
  let at = CELLS_SLOT;
  plan.decisions.forEach((decision, d) =>
    decision.rules.forEach(({ limit }, rule) => {
      if (limit === undefined || limit.entity !== entity) return;
      const cells = layOutCells(limit, at);
      placed.push({ decision: d, rule, cells });
      at += cells.slots;
    }),
  );
  return placed;
}

function layOutCells({ count, perMs, hopMs }: LimitPlan, at: number): LimitCells {
  const hops = perMs / hopMs;
  const ringSlots = 1 + Math.ceil((hops + 1) / 2);
  const isRing = ringSlots < count;
  return { count, hopMs, hops, at, slots: isRing ? ringSlots : count, isRing };
}
