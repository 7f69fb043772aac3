/**
 * The edits of the .proto, field by field and by number: what was added, removed, renamed, retyped, moved into a oneof, and
 * what became of enum values.
 */

import type { FieldPlan, MessagePlan } from '../../../native-free-core/plan/plan.ts';
import type { EditClass } from './description.ts';
import type { Comparison, Found } from './edits.ts';
import { enumEdits, isWithin } from './enum-edits.ts';
import { retype, fieldTypeText } from './retype.ts';

interface Context {
  readonly found: Found;
  /** Whether the field's column can be NULL, in the old plan and in the new one. */
  readonly nullableBefore: (field: FieldPlan) => boolean;
  readonly nullableAfter: (field: FieldPlan) => boolean;
}

export function messageEdits({ from, to, found }: Comparison): void {
  compareMessages(from.message, to.message, 'event', {
    found,
    nullableBefore: (field) => from.columns[field.column]?.nullable ?? true,
    nullableAfter: (field) => to.columns[field.column]?.nullable ?? true,
  });
}

function compareMessages(from: MessagePlan, to: MessagePlan, path: string, c: Context): void {
  const before = new Map(from.fields.map((field) => [field.number, field]));
  const after = new Map(to.fields.map((field) => [field.number, field]));
  for (const old of from.fields) {
    const field = after.get(old.number);
    if (field === undefined) removed(old, from, to, path, c);
    else compareFields(old, field, from, to, path, c);
  }
  for (const field of to.fields) if (!before.has(field.number)) added(field, from, path, c);
}

function removed(old: FieldPlan, from: MessagePlan, to: MessagePlan, path: string, { found }: Context): void {
  const facts = { what: old.branch >= 0 ? 'branch' : 'field', number: old.number };
  const moved = to.fields.find(
    (field) => field.name === old.name && !from.fields.some((f) => f.number === field.number),
  );
  const name = `${path}.${old.name}`;
  if (moved !== undefined) found('field_renumbered', name, { ...facts, now: moved.number });
  else found(isReserved(to, old.number) ? 'field_reserved' : 'field_removed', name, facts);
}

function added(field: FieldPlan, from: MessagePlan, path: string, { found }: Context): void {
  const { name, number } = field;
  const text = field.branch >= 0 ? 'branch added to the type oneof' : `field added (${fieldTypeText(field)})`;
  const place = `${path}.${name}`;
  if (isReserved(from, number)) found('number_reused', place, { number, added: text });
  else if (from.reserved?.names.includes(name) === true) found('name_reused', place, { name, added: text });
  else found('field_added', place, { added: text });
}

function compareFields(
  old: FieldPlan,
  field: FieldPlan,
  from: MessagePlan,
  to: MessagePlan,
  path: string,
  c: Context,
): void {
  const name = `${path}.${field.name}`;
  compareNames(old, field, name, c);
  if (compareTypes(old, field, name, c) === 'refused') return;
  compareMembership(old, field, from, to, name, c);
  const [was, is] = [old.deprecated === true, field.deprecated === true];
  if (was !== is) c.found(is ? 'field_deprecated' : 'field_no_longer_deprecated', name);
  enumEdits(old, field, name, c.found);
  if (old.message !== undefined && field.message !== undefined) compareMessages(old.message, field.message, name, c);
}

function compareNames(old: FieldPlan, field: FieldPlan, path: string, { found }: Context): void {
  if (old.name === field.name) return;
  const renamed = field.message === undefined ? 'field_renamed' : 'message_field_renamed';
  found(old.branch >= 0 && field.branch >= 0 ? 'branch_renamed' : renamed, path, { was: old.name });
}

/** Of a field whose type is refused nothing more is told. */
function compareTypes(old: FieldPlan, field: FieldPlan, path: string, { found }: Context): EditClass {
  const type = retype(old, field);
  if (type.verdict === 'same') return 'safe';
  const facts = { was: fieldTypeText(old), is: fieldTypeText(field) };
  if (type.verdict === 'wider') return found('field_widened', path, { ...facts, note: type.note }).class;
  const former = old.name === field.name ? '' : ` (number ${field.number} was ${old.name})`;
  const why = { why: type.reason, former };
  return retype(field, old).verdict === 'wider'
    ? found('field_narrowed', path, { ...facts, ...why }).class
    : found('field_retyped', path, why).class;
}

/** Presence and oneofs. A field in a oneof or with `optional` can be absent, and its column NULL. */
function compareMembership(
  old: FieldPlan,
  field: FieldPlan,
  from: MessagePlan,
  to: MessagePlan,
  path: string,
  { found, nullableBefore, nullableAfter }: Context,
): void {
  if (old.branch >= 0 !== field.branch >= 0) {
    found(field.branch >= 0 ? 'type_joined' : 'type_left', path);
    return;
  }
  if (field.oneof >= 0) {
    const rival = to.fields.find(
      (other) => other !== field && other.oneof === field.oneof && wasApart(other, old, from),
    );
    if (rival !== undefined) found('oneof_shared', path, { rival: rival.name });
    else if (old.oneof < 0) found('oneof_entered', path);
    return;
  }
  const [was, has] = [nullableBefore(old), nullableAfter(field)];
  if (old.oneof >= 0 && has) found('oneof_left', path);
  else if (!was && has) found('optional_added', path);
  else if (was && !has) found(old.oneof >= 0 ? 'oneof_left_for_default' : 'optional_removed', path);
  else if (hasPresence(old) !== hasPresence(field))
    found(hasPresence(field) ? 'presence_added' : 'presence_removed', path);
}

/** Both were there, and could be set at once. */
function wasApart(other: FieldPlan, old: FieldPlan, from: MessagePlan): boolean {
  const before = from.fields.find(({ number }) => number === other.number);
  return before !== undefined && (before.oneof < 0 || before.oneof !== old.oneof);
}

function hasPresence(field: FieldPlan): boolean {
  return field.implicit !== true;
}

function isReserved(message: MessagePlan, number: number): boolean {
  return isWithin(message.reserved?.numbers, number);
}
