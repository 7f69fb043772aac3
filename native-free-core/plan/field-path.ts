/** The path of a field by its names in the .proto (`dig.depth`), from the column that it fills. For messages to people. */

import type { MessagePlan, Plan } from './plan.ts';

/** '' where the column is no field's own. */
export function fieldPath(plan: Pick<Plan, 'message'>, column: number): string {
  return pathWithin(plan.message, column, '') ?? '';
}

function pathWithin(message: MessagePlan, column: number, prefix: string): string | null {
  for (const field of message.fields) {
    const path = `${prefix}${field.name}`;
    if (field.column === column && field.type !== 'message') return path;
    const inside = field.message === undefined ? null : pathWithin(field.message, column, `${path}.`);
    if (inside !== null) return inside;
  }
  return null;
}
