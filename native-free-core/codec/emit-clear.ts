/**
 * JavaScript that makes columns of one row preset again: of a whole event that is refused, of a oneof's member that another
 * one replaces. Used by emit-message.ts.
 */

import { KINDS } from '../language/kinds/index.ts';
import type { ColumnPlan, FieldPlan, MessagePlan } from '../plan/plan.ts';
import type { Emission } from './emission.ts';

/** Columns of a field, those of its message included. */
export function fieldsBelow(field: FieldPlan): FieldPlan[] {
  return field.message === undefined ? [field] : messageFields(field.message);
}

export function messageFields(message: MessagePlan): FieldPlan[] {
  return message.fields.flatMap(fieldsBelow);
}

export function emitClearColumn(column: ColumnPlan): string {
  const c = `c${column.index}`;
  const k = `k${column.index}`;
  if (column.shape !== 'scalar') return `clearElements(${k}, row);`;
  const nulls = column.nullable ? `${c}_nulls[row] = 1; ` : '';
  return `${nulls}${KINDS[column.kind].decode.clear(c, k)}`;
}

/** Clears what the field wrote, and forgets what a timestamp would merge with. */
export function emitClearFields(e: Emission, fields: readonly FieldPlan[]): string {
  return fields
    .map((field) => {
      const slot = e.timeSlots.get(field);
      const column = e.plan.columns[field.column];
      return `if (k${column.index}.touched) { ${emitClearColumn(column)}${slot === undefined ? '' : ` S[${slot}] = 0;`} }`;
    })
    .join('\n');
}

/** `function name(member, row)`: clears the member with that number. */
export function emitClearMember(e: Emission, name: string, members: readonly (readonly [number, FieldPlan])[]): string {
  const cases = members.map(([number, field]) => `case ${number}:\n${emitClearFields(e, fieldsBelow(field))}\nbreak;`);
  return `function ${name}(member, row) {\nswitch (member) {\n${cases.join('\n')}\n}\n}`;
}
