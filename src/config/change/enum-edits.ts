/** Enum values: rows store their names, so a name must go on meaning the same number. */

import type { FieldPlan } from '../../../native-free-core/plan/plan.ts';
import type { AddEdit } from './description.ts';

export function enumEdits(old: FieldPlan, field: FieldPlan, path: string, rollback: boolean, add: AddEdit): void {
  if (old.enumNames === undefined || field.enumNames === undefined) return;
  const before = new Map(old.enumNames);
  const after = new Map(field.enumNames);
  const numbers = new Map(field.enumNames.map(([number, name]) => [name, number]));
  for (const [number, name] of before) {
    const now = after.get(number);
    if (now === name) continue;
    if (now !== undefined) {
      add(
        'refused',
        path,
        `enum value ${number} renamed from ${name} to ${now}: stored rows carry the old name, and a rule on the new one would not see them; keep the name ${name}`,
      );
    } else if (numbers.has(name)) {
      add(
        'refused',
        path,
        `enum value ${name} changed its number from ${number} to ${numbers.get(name)}: events of producers with the old schema would be misread; keep the number ${number}`,
      );
    } else if (rollback) {
      add(
        'safe',
        path,
        `enum value ${name} is unknown to this version: rows keep it; events with ${number} are stored with the number as text`,
      );
    } else if ((field.enumReserved ?? []).some(([first, last]) => number >= first && number <= last)) {
      add(
        'safe',
        path,
        `enum value ${name} removed, its number ${number} reserved: rows keep the name; events that still carry it are stored with the number as text`,
      );
    } else {
      add(
        'refused',
        path,
        `enum value ${name} removed, and its number ${number} may be used again for something else; write in the enum: reserved ${number};`,
      );
    }
  }
  for (const [number, name] of after) {
    if (before.has(number) || [...before.values()].includes(name)) continue;
    if (!rollback && (old.enumReserved ?? []).some(([first, last]) => number >= first && number <= last)) {
      add(
        'refused',
        path,
        `number ${number} was reserved: an earlier version used it for another enum value; take one that was never used`,
      );
    } else {
      add('safe', path, `enum value ${name} added: rows that came with ${number} before keep the number as text`);
    }
  }
}
