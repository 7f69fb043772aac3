/**
 * Joins the limits of rules to the tables that hold their takes: for the decisions of a worker, and for recovery. Called
 * by decider.ts and replay.ts.
 */

import type { Column } from '../layout/column.ts';
import type { DecisionPlan, Plan } from '../plan/plan.ts';
import { RULE_DEFAULT, type RuleLimit } from '../policy/decision.ts';
import { layOutLimits } from '../policy/limit-layout.ts';
import { replayLimit } from '../policy/limit-takes.ts';
import type { StateLoops } from './state-loops.ts';
import type { Tables } from './shared-tables.ts';

/** By rule of the decision, null where it has no limit. */
export function openRuleLimits(
  plan: Plan,
  decision: DecisionPlan,
  columns: readonly Column[],
  state: StateLoops,
  tables: Tables,
): (RuleLimit | null)[] {
  const index = plan.decisions.indexOf(decision);
  const limits: (RuleLimit | null)[] = decision.rules.map(() => null);
  if (decision.seqColumn === undefined || decision.limitLifeColumn === undefined) return limits;
  const [seq, life] = [columns[decision.seqColumn], columns[decision.limitLifeColumn]];
  layOutLimits(plan).forEach(({ entity, rules }, i) => {
    const gate = {
      table: tables.limits![i],
      keys: state.keys[entity],
      present: state.present[entity],
      clocks: state.clocks[entity],
      effective: state.effective,
      entityLife: columns[plan.entities[entity].lifeColumn],
      seq,
      life,
    };
    for (const { decision: d, rule, cells } of rules) if (d === index) limits[rule] = { gate, cells };
  });
  return limits;
}

/** What recovery needs of one decision with limits. */
export interface LimitReplay {
  readonly rule: Uint16Array;
  /** Not 0 where the row took something. */
  readonly seq: Uint32Array;
  /** By code of the rule. */
  readonly limits: readonly (RuleLimit | null)[];
}

export function openLimitReplays(
  plan: Plan,
  columns: readonly Column[],
  state: StateLoops,
  tables: Tables,
): LimitReplay[] {
  return plan.decisions.flatMap((decision) => {
    if (decision.seqColumn === undefined) return [];
    const limits = openRuleLimits(plan, decision, columns, state, tables);
    return [
      {
        rule: columns[decision.ruleColumn].u16,
        seq: columns[decision.seqColumn].u32,
        limits: [...Array.from({ length: RULE_DEFAULT + 1 }, () => null), ...limits],
      },
    ];
  });
}

/** Adds the takes that the rows [0, rows) of a stored block tell of. */
export function replayLimits(
  { rule, seq, limits }: LimitReplay,
  rows: number,
  epoch: number,
  receivedAt: number,
): void {
  for (let r = 0; r < rows; r++) {
    const limit = seq[2 * r] === 0 && seq[2 * r + 1] === 0 ? null : limits[rule[r]];
    if (limit !== null) replayLimit(limit.gate, limit.cells, r, epoch, receivedAt);
  }
}
