/**
 * The fields of an event that the load generator fills anew, and how many keys each draws from: found in the plan, by the
 * columns that id, time and the keys of entities name.
 */

import type { Expression, FieldPlan, MessagePlan, Plan } from '../../../../native-free-core/plan/plan.ts';
import { columnAt, VIEWS_FROM } from '../../../../native-free-core/plan/plan.ts';
import { fail } from '../../../../native-free-core/base/fail.ts';
import { nearest } from '../../../../native-free-core/base/nearest.ts';
import { OperatingError } from '../../../errors.ts';
import { isKeySlot } from './key-slots.ts';

/** A field and the messages around it, outermost first; the field is the last. */
export type FieldPath = readonly FieldPlan[];

export interface KeyField {
  readonly path: FieldPath;
  /** How many different keys are drawn. */
  readonly keys: number;
}

export interface EventFields {
  /** null: the pipeline has no event id. */
  readonly id: FieldPath | null;
  readonly time: FieldPath;
  readonly keys: readonly KeyField[];
  /** Fields without which an event is refused or is none of its entity, and the messages around them. */
  readonly required: ReadonlySet<FieldPlan>;
}

/** Keys of an entity, where --keys does not say: the primary one's, and those of others. */
const KEYS_PRIMARY = 200_000;
const KEYS_OTHER = 5000;
/** Other texts of the pipeline want a place in the dictionary, too. */
const DICTIONARY_SHARE = 0.5;

/** Keys by entity; '' is the primary one. */
export type KeyCounts = Readonly<Record<string, number>>;

export function eventFields(plan: Plan, asked: KeyCounts): EventFields {
  const id = pathOf(plan, plan.system.eventId);
  const time = pathOf(plan, plan.system.eventTime);
  if (time === null) return fail('load_time_field', plan.system.eventTime);
  const counts = keyCounts(plan, asked);
  const keys = new Map<FieldPlan, KeyField>();
  const required = new Set<FieldPlan>([...(id ?? []), ...time]);
  for (const { name, primary, key } of plan.entities) {
    const columns = [...new Set(key.flatMap((part) => columnsOf(plan, part)))];
    for (const column of columns) {
      const path = pathOf(plan, column);
      const field = path?.at(-1);
      if (path === null || field === undefined) continue;
      if (primary) for (const one of path) required.add(one);
      if (field === id?.at(-1) || field === time.at(-1) || !isKeySlot(field)) continue;
      // Parts of a key are drawn apart: together they make about as many keys.
      const wanted = Math.max(1, Math.round(counts.get(name)! ** (1 / columns.length)));
      const found = keys.get(field);
      // An entity of this field alone says how many.
      if (found !== undefined && columns.length > 1) continue;
      keys.set(field, { path, keys: boundedBy(plan, column, wanted) });
    }
  }
  return { id, time, keys: [...keys.values()], required };
}

/** How many keys of each entity are asked for, as far as they are drawn. */
export function keyCounts(plan: Plan, asked: KeyCounts): ReadonlyMap<string, number> {
  const names = plan.entities.map(({ name }) => name);
  for (const name of Object.keys(asked)) {
    if (name === '' || names.includes(name)) continue;
    const meant = nearest(name, names);
    const advice = meant === undefined ? `; it has ${names.join(', ')}` : `; did you mean ${meant}?`;
    throw new OperatingError('bad_option', `the pipeline has no such entity: entity=${name}${advice}`);
  }
  const given = new Map(Object.entries(asked));
  return new Map(
    plan.entities.map(({ name, primary, max }) => {
      const count = given.get(name) ?? (primary ? given.get('') : undefined);
      return [name, count ?? Math.min(max, primary ? KEYS_PRIMARY : KEYS_OTHER)];
    }),
  );
}

function boundedBy(plan: Plan, column: number, keys: number): number {
  const { kind } = columnAt(plan, column);
  if (kind !== 'dictionary') return keys;
  const dictionaries = plan.columns.filter((one) => one.kind === 'dictionary').length;
  return Math.max(1, Math.min(keys, Math.floor((plan.dictionaryMax * DICTIONARY_SHARE) / dictionaries)));
}

/** Columns of events that an expression reads, those behind computed columns included. */
export function columnsOf(plan: Plan, expression: Expression): readonly number[] {
  switch (expression.node) {
    case 'constant':
      return [];
    case 'call':
      return expression.operands.flatMap((operand) => columnsOf(plan, operand));
    case 'column': {
      const computed = plan.computed?.find(({ column }) => column === expression.column);
      return computed === undefined ? [expression.column] : columnsOf(plan, computed.expression);
    }
  }
}

/** null where the column is no field's own. */
export function pathOf(plan: Plan, column: number): FieldPath | null {
  if (column < VIEWS_FROM) return pathWithin(plan.message, column, -1, -1);
  const { slot, branch } = plan.views![column - VIEWS_FROM]!;
  return pathWithin(plan.message, slot, branch, -1);
}

/** `branch`: of the type oneof that the field must lie in, -1: any; `around`: the one that `message` lies in. */
function pathWithin(message: MessagePlan, column: number, branch: number, around: number): FieldPath | null {
  for (const field of message.fields) {
    const within = field.branch >= 0 ? field.branch : around;
    if (field.type !== 'message') {
      if (field.column === column && (branch < 0 || within === branch)) return [field];
      continue;
    }
    const inside = pathWithin(field.message!, column, branch, within);
    if (inside !== null) return [field, ...inside];
  }
  return null;
}
