/**
 * What each column of a plan is there for, as a text that says the same in both plans: a field by its numbers, the engine's
 * columns by their part, the others by the name that the pipeline gives them. Columns of one role are one column of the
 * table.
 */

import { VIEWS_FROM, type Plan } from '../../../native-free-core/plan/plan.ts';
import { flatFields } from './fields.ts';

/** By index of column or view. Shared columns of branches go by their name, which is made of field numbers. */
export function columnRoles(plan: Plan): Map<number, string> {
  const roles = new Map<number, string>();
  const put = (index: number | undefined, role: string): void => {
    if (index !== undefined && index >= 0) roles.set(index, role);
  };
  for (const view of plan.views ?? []) put(view.slot, `shared ${plan.columns[view.slot]!.name}`);
  for (const { index, numbers } of flatFields(plan)) put(index, `field ${numbers}`);
  const { receivedAt, effectiveTime, type, producer, frameSeq, frameIndex, overflow } = plan.system;
  const system = { receivedAt, effectiveTime, type, producer, frameSeq, frameIndex, overflow };
  for (const [part, index] of Object.entries(system)) put(index, `engine ${part}`);
  for (const entity of plan.entities) {
    put(entity.seqColumn, `entity ${entity.name} seq`);
    put(entity.lifeColumn, `entity ${entity.name} life`);
    for (const feature of entity.features) put(feature.column, `feature ${entity.name}.${feature.name}`);
  }
  for (const computed of plan.computed ?? [])
    put(computed.column, computed.name === '' ? `computed ${plan.columns[computed.column]!.name}` : computed.name);
  for (const experiment of plan.experiments ?? []) put(experiment.column, `experiment.${experiment.name}`);
  for (const model of plan.models ?? []) put(model.column, `model.${model.name}`);
  for (const decision of plan.decisions) {
    put(decision.actionColumn, `decision ${decision.name}`);
    put(decision.ruleColumn, `rule of decision ${decision.name}`);
    put(decision.seqColumn, `order of decision ${decision.name}`);
    put(decision.limitLifeColumn, `limit life of decision ${decision.name}`);
  }
  for (const column of plan.columns) if (!roles.has(column.index)) roles.set(column.index, `column ${column.name}`);
  return roles;
}

/** All columns and views of a plan, by index. */
export function allIndexes(plan: Plan): number[] {
  return [...plan.columns.map((_, i) => i), ...(plan.views ?? []).map((_, i) => VIEWS_FROM + i)];
}
