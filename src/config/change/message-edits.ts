/**
 * The edits of the .proto, field by field and by number: what was added, removed, renamed, retyped, moved into a oneof, and
 * what became of enum values. Each is classed by whether events of producers with the old schema and stored rows keep their
 * meaning.
 */

import type { FieldPlan, MessagePlan, Plan } from '../../../native-free-core/plan/plan.ts';
import type { AddEdit, ChangeOptions } from './description.ts';
import { enumEdits } from './enum-edits.ts';
import { retype, fieldTypeText } from './retype.ts';

interface Context {
  readonly add: AddEdit;
  readonly rollback: boolean;
  /** Whether the field's column can be NULL, in the old plan and in the new one. */
  readonly nullableBefore: (field: FieldPlan) => boolean;
  readonly nullableAfter: (field: FieldPlan) => boolean;
}

const NEW_FIELD = 'add a field with a number of its own instead, and let producers move to it';

export function messageEdits(from: Plan, to: Plan, options: ChangeOptions, add: AddEdit): void {
  compareMessages(from.message, to.message, 'event', {
    add,
    rollback: options.rollback === true,
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

function removed(old: FieldPlan, from: MessagePlan, to: MessagePlan, path: string, c: Context): void {
  const name = `${path}.${old.name}`;
  const what = old.branch >= 0 ? 'branch' : 'field';
  const stays = `rows keep what they have, and its columns are written no more`;
  const moved = to.fields.find(
    (field) => field.name === old.name && !from.fields.some((f) => f.number === field.number),
  );
  if (c.rollback) {
    c.add(
      'safe',
      name,
      `${what} ${old.number} is unknown to this version: ${stays}; events that carry it are accepted, the field is skipped and counted`,
    );
  } else if (moved !== undefined) {
    c.add(
      'refused',
      name,
      `${what} changed its number from ${old.number} to ${moved.number}: events of producers with the old schema would lose it; keep the number ${old.number}`,
    );
  } else if (isReserved(to, old.number)) {
    c.add('safe', name, `${what} removed, its number ${old.number} reserved: ${stays}`);
  } else {
    c.add(
      'refused',
      name,
      `${what} removed, and its number ${old.number} may be used again for something else; write: reserved ${old.number};`,
    );
  }
}

function added(field: FieldPlan, from: MessagePlan, path: string, c: Context): void {
  const name = `${path}.${field.name}`;
  if (!c.rollback && isReserved(from, field.number)) {
    c.add(
      'refused',
      name,
      `number ${field.number} was reserved: an earlier version used it for another field; take a number that was never used`,
    );
  } else if (!c.rollback && from.reserved?.names.includes(field.name) === true) {
    c.add(
      'refused',
      name,
      `the name ${field.name} was reserved: an earlier version used it for another field; take another name`,
    );
  } else {
    const what = field.branch >= 0 ? 'branch added to the type oneof' : `field added (${fieldTypeText(field)})`;
    c.add('safe', name, `${what}: new columns; rows so far have none of it`);
  }
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
  compareNames(old, field, path, c);
  const type = retype(old, field);
  if (type.verdict === 'refused' && c.rollback && retype(field, old).verdict === 'wider') {
    c.add(
      'safe',
      name,
      `${fieldTypeText(old)} becomes ${fieldTypeText(field)} again: the column stays as wide as it is; stored values beyond ${fieldTypeText(field)} are cut off where this version reads them`,
    );
  } else if (type.verdict === 'refused') {
    const reused = old.name === field.name ? '' : ` (number ${field.number} was ${old.name})`;
    c.add('refused', name, `${type.reason}${reused}; ${NEW_FIELD}`);
    return;
  }
  if (type.verdict === 'wider')
    c.add(
      'safe',
      name,
      `${fieldTypeText(old)} becomes ${fieldTypeText(field)}: every stored value fits, and so does what producers of the old schema send${type.note}`,
    );
  compareMembership(old, field, from, to, name, c);
  if (old.deprecated !== true && field.deprecated === true)
    c.add('safe', name, 'field deprecated: it is stored as before; reserve its number once no producer sends it');
  if (old.deprecated === true && field.deprecated !== true) c.add('safe', name, 'field no longer deprecated');
  enumEdits(old, field, name, c.rollback, c.add);
  if (old.message !== undefined && field.message !== undefined) compareMessages(old.message, field.message, name, c);
}

function compareNames(old: FieldPlan, field: FieldPlan, path: string, c: Context): void {
  if (old.name === field.name) return;
  const name = `${path}.${field.name}`;
  if (old.branch >= 0 && field.branch >= 0) {
    c.add(
      'refused',
      name,
      `branch renamed from ${old.name}: stored rows carry the old name as their type, and a rule on the new name would not see them; keep the name ${old.name}`,
    );
  } else {
    c.add(
      'safe',
      name,
      `renamed from ${old.name}: ${field.message === undefined ? 'its column keeps' : 'its columns keep'} the old name in the table, the new name is an alias, and both answer for old and new rows (SELECT * shows the old one); producers of JSON must write the new name`,
    );
  }
}

/** Presence and oneofs. A field in a oneof or with `optional` can be absent, and its column NULL. */
function compareMembership(
  old: FieldPlan,
  field: FieldPlan,
  from: MessagePlan,
  to: MessagePlan,
  name: string,
  c: Context,
): void {
  if (old.branch >= 0 !== field.branch >= 0) {
    const way =
      field.branch >= 0
        ? 'moved into the type oneof: rows so far have no such type'
        : 'moved out of the type oneof: rows so far have it as their type';
    c.add('refused', name, `${way}; ${NEW_FIELD}`);
    return;
  }
  if (field.oneof >= 0) {
    const rival = to.fields.find(
      (other) => other !== field && other.oneof === field.oneof && wasApart(other, old, from),
    );
    if (rival !== undefined && c.rollback) {
      c.add('safe', name, `in one oneof with ${rival.name} again: where an event sets both, the last one counts`);
      return;
    }
    if (rival !== undefined) {
      c.add(
        'refused',
        name,
        `now in one oneof with ${rival.name}: producers that set both would lose one of them; ${NEW_FIELD}`,
      );
      return;
    }
    if (old.oneof < 0)
      c.add('safe', name, 'moved into a oneof of its own: it can be absent from now on, and its column NULL');
    return;
  }
  const was = c.nullableBefore(old);
  const has = c.nullableAfter(field);
  if (old.oneof >= 0 && has)
    c.add('safe', name, 'moved out of its oneof: others of it can be set beside it from now on');
  else if (!was && has)
    c.add('safe', name, 'optional added: absence is NULL from now on; rows so far keep their values');
  else if (was && !has && c.rollback)
    c.add('safe', name, 'is not optional in this version: rows without it read as 0, false or empty');
  else if (was && !has) {
    const what = old.oneof >= 0 ? 'moved out of its oneof' : 'optional removed';
    c.add('refused', name, `${what}: rows without it would read as 0, false or empty; keep it optional`);
  } else if (hasPresence(old) !== hasPresence(field)) {
    const what = hasPresence(field) ? 'optional added' : 'optional removed';
    c.add(
      'safe',
      name,
      `${what}: where its message is there and it is not, it is ${hasPresence(field) ? 'NULL' : 'the default'} from now on`,
    );
  }
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
  return (message.reserved?.numbers ?? []).some(([first, last]) => number >= first && number <= last);
}
