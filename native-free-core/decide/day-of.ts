/**
 * The day of any time as a column of days has it (plan/plan.ts, `FeaturePlan.dayColumn`), for reads at a time at which there
 * is no event whose columns could be computed. Made once by decider.ts.
 */

import { DAY_MS } from '../base/time.ts';
import type { Plan } from '../plan/plan.ts';
import { zoneCursor } from '../language/expression/emitter.ts';
import { zoneOffset } from '../language/expression/runtime-time.ts';

const UTC = 'UTC';

/**
 * `column`: one that the plan computes as a `local_day`; `time`: ms UTC. Returns days since 1970-01-01 on that zone's
 * calendar.
 */
export function compileDayOf(plan: Plan): (column: number, time: number) => number {
  const offsets = new Map<number, (time: number) => number>();
  for (const { column, expression } of plan.computed ?? []) {
    if (expression.node !== 'call' || expression.operator !== 'local_day') continue;
    const zone = expression.operands[1];
    const name = zone?.node === 'constant' ? String(zone.value) : UTC;
    const cursor = name === UTC ? null : zoneCursor(plan, name);
    offsets.set(column, (time) => (cursor === null ? 0 : zoneOffset(cursor, time)));
  }
  return (column, time) => Math.floor((time + offsets.get(column)!(time)) / DAY_MS);
}
