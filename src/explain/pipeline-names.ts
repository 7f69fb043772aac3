/**
 * What a plan's columns are called in the pipeline file: `event.dig.depth`, `player.digs_5m`, `derived.speed`. Made once per
 * plan; read by the texts of expressions and by the answer.
 */

import { slotOf, type FieldPlan, type MessagePlan, type Plan } from '../../native-free-core/plan/plan.ts';

/** A field of the event as rules name it. */
export interface NamedField {
  readonly name: string;
  /** Column or view. */
  readonly column: number;
  /** Code of the event type that it belongs to, or -1. */
  readonly branch: number;
}

export interface Names {
  /** In the order of the message. */
  readonly fields: readonly NamedField[];
  /** By column or view; what the compiler made for itself has none. */
  readonly columns: ReadonlyMap<number, string>;
}

export function namesOf(plan: Plan): Names {
  const fields = namedFields(plan, plan.message, 'event', -1);
  const columns = new Map<number, string>();
  const { system } = plan;
  columns.set(system.receivedAt, 'received_at');
  columns.set(system.effectiveTime, 'effective_time');
  if (system.type >= 0) columns.set(system.type, 'event.type');
  for (const { column, name } of fields) columns.set(column, name);
  for (const entity of plan.entities) {
    for (const feature of entity.features) columns.set(feature.column, `${entity.name}.${feature.name}`);
  }
  for (const { name, column } of plan.computed ?? []) if (name !== '') columns.set(column, name);
  for (const { name, column } of plan.models ?? []) columns.set(column, `model.${name}`);
  for (const { name, column } of plan.experiments ?? []) columns.set(column, `experiment.${name}`);
  return { fields, columns };
}

function namedFields(plan: Plan, message: MessagePlan, path: string, branch: number): NamedField[] {
  return message.fields.flatMap((field) => {
    const name = `${path}.${field.name}`;
    const inside = field.branch > 0 ? field.branch : branch;
    if (field.message !== undefined) return namedFields(plan, field.message, name, inside);
    return [{ name, column: columnOf(plan, field, inside), branch: inside }];
  });
}

/** Of a field that shares its column with other types': the view. */
function columnOf(plan: Plan, field: FieldPlan, branch: number): number {
  const view = plan.views?.find((one) => one.branch === branch && slotOf(plan, one.index) === field.column);
  return view?.index ?? field.column;
}
