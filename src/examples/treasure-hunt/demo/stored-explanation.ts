/**
 * A decision explained from what its row stores: the rule that decided, its condition, and the value of everything that the
 * condition reads, as it stood when it was decided. Called by demo.ts.
 */

import { lookup } from '../../../../native-free-core/base/lookup.ts';
import type { DecisionPlan, Expression, Plan } from '../../../../native-free-core/plan/plan.ts';

/** A row of `events`, as JSON has it. */
export type Row = Readonly<Record<string, unknown>>;

/** Condition of rows that one of the decision's rules decided, not its default. */
export function byRuleSql(decision: DecisionPlan): string {
  return `${decision.name}_rule NOT IN ('', 'default')`;
}

/** Names, as rules write them, and values of what the rule that decided has read; null where its default decided. */
export function groundsOf(plan: Plan, decision: DecisionPlan, row: Row): (readonly [string, string])[] | null {
  const rule = decision.rules.find(({ id }) => id === row[`${decision.name}_rule`]);
  if (rule === undefined) return null;
  return [...new Set(columnsOf(rule.when))].map((index) => {
    const value = lookup(row, plan.columns[index]!.name);
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return [nameOf(plan, index), value === null || value === undefined ? 'absent' : text];
  });
}

/** The key of the row's primary entity. */
export function keyOf(plan: Plan, row: Row): string {
  const entity = plan.entities.find(({ primary }) => primary)!;
  return entity.key
    .flatMap(columnsOf)
    .map((column) => String(lookup(row, plan.columns[column]!.name)))
    .join(', ');
}

export function explain(plan: Plan, decision: DecisionPlan, row: Row): string[] {
  const rule = decision.rules.find(({ id }) => id === row[`${decision.name}_rule`]);
  const grounds = groundsOf(plan, decision, row);
  if (rule === undefined || grounds === null) return [];
  const column = (index: number): string => String(lookup(row, plan.columns[index]!.name));
  const entity = plan.entities.find(({ primary }) => primary)!;
  const type = plan.system.type < 0 ? 'event' : column(plan.system.type);
  const width = Math.max(...grounds.map(([name]) => name.length));
  return [
    `At ${column(plan.system.effectiveTime)} came “${type}” of ${entity.name} ${keyOf(plan, row)}, event ${column(entity.seqColumn)} of this ${entity.name}.`,
    `${decision.name} was “${String(lookup(row, decision.name))}”, by the rule ${rule.id}:`,
    `    ${rule.whenText.replace(/\s+/g, ' ').trim()}`,
    'because, when it was decided,',
    ...grounds.map(([name, value]) => `    ${name.padEnd(width)} = ${value}`),
  ];
}

/** As rules name it. */
function nameOf(plan: Plan, index: number): string {
  for (const entity of plan.entities) {
    const feature = entity.features.find(({ column }) => column === index);
    if (feature !== undefined) return `${entity.name}.${feature.name}`;
  }
  return index === plan.system.type ? 'event.type' : `event ${plan.columns[index]!.name}`;
}

function columnsOf(expression: Expression): number[] {
  if (expression.node === 'constant') return [];
  return expression.node === 'column' ? [expression.column] : expression.operands.flatMap(columnsOf);
}
