/** A plan as its rows are inserted: columns by the names that they are stored under. For the encoder; SQL knows both names. */

import type { Plan } from '../../../native-free-core/layout/plan.ts';

/** `storedNames`: what createTables found. */
export function storedPlan(plan: Plan, storedNames: ReadonlyMap<string, string>): Plan {
  if (!plan.columns.some(({ name }) => storedNames.has(name))) return plan;
  return {
    ...plan,
    columns: plan.columns.map((column) => ({ ...column, name: storedNames.get(column.name) ?? column.name })),
  };
}
