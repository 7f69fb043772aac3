/** Enum values: rows store their names, so a name must go on meaning the same number. */

import type { FieldPlan } from '../../../native-free-core/plan/plan.ts';
import type { Found } from './edits.ts';

export function enumEdits(old: FieldPlan, field: FieldPlan, path: string, found: Found): void {
  if (old.enumNames === undefined || field.enumNames === undefined) return;
  const before = new Map(old.enumNames);
  const after = new Map(field.enumNames);
  const numbers = new Map(field.enumNames.map(([number, name]) => [name, number]));
  for (const [number, name] of before) {
    const is = after.get(number);
    const now = numbers.get(name);
    if (is === name) continue;
    if (is !== undefined) found('enum_value_renamed', path, { number, was: name, is });
    else if (now !== undefined) found('enum_value_renumbered', path, { name, number, now });
    else if (isWithin(field.enumReserved, number)) found('enum_value_reserved', path, { name, number });
    else found('enum_value_removed', path, { name, number });
  }
  for (const [number, name] of after) {
    if (before.has(number) || [...before.values()].includes(name)) continue;
    found(isWithin(old.enumReserved, number) ? 'enum_number_reused' : 'enum_value_added', path, { name, number });
  }
}

/** Whether a number is in one of the ranges that a message or an enum reserves. */
export function isWithin(reserved: readonly (readonly [number, number])[] = [], number: number): boolean {
  return reserved.some(([first, last]) => number >= first && number <= last);
}
