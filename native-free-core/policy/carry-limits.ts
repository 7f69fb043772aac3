/**
 * Which words of a key's row of limits move where when the limits change: what `adoptRow` copies. Main thread, for each
 * change.
 */

import type { PlanChange } from '../plan/change-plan.ts';
import type { Plan } from '../plan/plan.ts';
import { layOutLimits, type LimitTableLayout } from './limit-layout.ts';

/** Key, counters and clocks at the start of the row, in Int32 words. */
const HEAD_WORDS = 16;

export interface LimitTableChange {
  /** Index of the old plan's table for the same entity, -1: none. */
  readonly from: number;
  readonly keepsTable: boolean;
  /** Triples of Int32 words: from, to, how many. */
  readonly copies: Int32Array;
}

/** For each limit table of the new plan, in the order of `layOutLimits`. */
export function carryLimits(from: Plan, to: Plan, change: PlanChange): LimitTableChange[] {
  const before = layOutLimits(from);
  return layOutLimits(to).map((table) => {
    const entity = change.entities[table.entity]!.from;
    const index = before.findIndex((one) => one.entity === entity);
    if (index < 0) return { from: -1, keepsTable: false, copies: new Int32Array(0) };
    const words: (readonly [number, number, number])[] = [[0, 0, HEAD_WORDS]];
    for (const { decision, rule, cells } of table.rules) {
      const source = sourceOf(before[index]!, change, decision, rule);
      if (source !== undefined) words.push([source.at * 2, cells.at * 2, cells.slots * 2]);
    }
    const same =
      before[index]!.rowBytes === table.rowBytes &&
      before[index]!.rules.length === table.rules.length &&
      words.length === table.rules.length + 1 &&
      words.every(([source, target]) => source === target) &&
      from.entities[entity]!.max === to.entities[table.entity]!.max;
    return { from: index, keepsTable: same, copies: Int32Array.from(words.flat()) };
  });
}

function sourceOf(before: LimitTableLayout, change: PlanChange, decision: number, rule: number) {
  const origin = change.limits.find((one) => one.decision === decision && one.rule === rule);
  if (origin === undefined || origin.fromRule < 0) return undefined;
  return before.rules.find((one) => one.decision === origin.fromDecision && one.rule === origin.fromRule)?.cells;
}
