/** The fields of a plan's message as a flat map by their numbers, which stay as names change. */

import { VIEWS_FROM, type FieldPlan, type MessagePlan, type Plan } from '../../../native-free-core/plan/plan.ts';

export interface FlatField {
  /** Field numbers from the event down: `20.1`. */
  readonly numbers: string;
  /** Names from the event down: `dig.depth`. */
  readonly path: string;
  readonly field: FieldPlan;
  /** What expressions call it: a column or a view; -1 for a message. */
  readonly index: number;
}

export function flatFields(plan: Plan): FlatField[] {
  const views = new Map((plan.views ?? []).map((view, i) => [view.name, VIEWS_FROM + i]));
  const walk = (message: MessagePlan, numbers: readonly number[], path: readonly string[]): FlatField[] =>
    message.fields.flatMap((field) => {
      const ownNumbers = [...numbers, field.number];
      const ownPath = [...path, field.name];
      const inner = field.message === undefined ? [] : walk(field.message, ownNumbers, ownPath);
      const index = field.column < 0 ? -1 : (views.get(ownPath.join('_')) ?? field.column);
      return [{ numbers: ownNumbers.join('.'), path: ownPath.join('.'), field, index }, ...inner];
    });
  return walk(plan.message, [], []);
}
