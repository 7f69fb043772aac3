/** What becomes of columns: whether values of old rows can be read as the new plan reads them, and names that are taken. */

import { KINDS, widensTo } from '../../../native-free-core/language/kinds/index.ts';
import { columnAt, slotOf, VIEWS_FROM, type ColumnPlan, type Plan } from '../../../native-free-core/plan/plan.ts';
import { allIndexes, columnRoles } from './column-roles.ts';
import { mapColumns, type ColumnMap } from './column-map.ts';
import { columnsRead, keyDefinition } from './definition.ts';
import type { AddEdit, ChangeOptions } from './description.ts';
import { flatFields } from './fields.ts';
import { retype, fieldTypeText } from './retype.ts';

export function columnEdits(from: Plan, to: Plan, map: ColumnMap, options: ChangeOptions, add: AddEdit): void {
  takenNames(from, to, map, add);
  if (options.rollback !== true)
    for (const earlier of options.earlier ?? []) comparedToEarlier(earlier, from, to, map, add);
  sharing(from, to, add);
  for (const index of allIndexes(to)) {
    const old = map.oldIndex(index);
    if (old >= 0) compareColumns(columnAt(from, old), columnAt(to, index), map, options, add);
  }
  sortKeyEdits(from, to, map, add);
}

/** A name that stands for something else in stored rows would mix the two. */
function takenNames(from: Plan, to: Plan, map: ColumnMap, add: AddEdit): void {
  const before = new Map(allIndexes(from).map((index) => [columnAt(from, index).name, index]));
  for (const index of allIndexes(to)) {
    const { name } = columnAt(to, index);
    const old = before.get(name);
    if (old === undefined || old === map.oldIndex(index)) continue;
    if (map.newRoles.get(index) === map.oldRoles.get(old)) continue;
    const role = map.oldRoles.get(old)!;
    add(
      'refused',
      name,
      `column ${name} holds ${role} in stored rows and would hold ${map.newRoles.get(index)!}; take another name`,
    );
  }
}

/** Of what is new now, though the table has had it before. */
function comparedToEarlier(earlier: Plan, from: Plan, to: Plan, map: ColumnMap, add: AddEdit): void {
  if (earlier.versionNumber === from.versionNumber) return;
  namesOfEarlier(earlier, to, map, add);
  entitiesOfEarlier(earlier, from, to, add);
  const known = new Set(flatFields(from).map(({ numbers }) => numbers));
  const before = new Map(flatFields(earlier).map((field) => [field.numbers, field]));
  for (const { numbers, path, field } of flatFields(to)) {
    const was = before.get(numbers);
    if (was === undefined || known.has(numbers)) continue;
    if (was.field.name === field.name && retype(was.field, field).verdict !== 'refused') continue;
    add(
      'refused',
      `event.${path}`,
      `number ${field.number} was ${was.field.name} (${fieldTypeText(was.field)}) in version ${earlier.version}; take a number that was never used`,
    );
  }
}

/** An entity that comes back goes on with the columns that it had: they number events by its key. */
function entitiesOfEarlier(earlier: Plan, from: Plan, to: Plan, add: AddEdit): void {
  const { oldIndex } = mapColumns(earlier, to);
  for (const entity of to.entities) {
    const was = earlier.entities.find(({ name }) => name === entity.name);
    if (was === undefined || from.entities.some(({ name }) => name === entity.name)) continue;
    if (keyDefinition(earlier, was, (index) => index) === keyDefinition(to, entity, oldIndex)) continue;
    add(
      'refused',
      entity.name,
      `an entity of this name had the key ${was.keyTexts.join(', ')} in version ${earlier.version}; take another name`,
    );
  }
}

function namesOfEarlier(earlier: Plan, to: Plan, map: ColumnMap, add: AddEdit): void {
  const roles = columnRoles(earlier);
  const before = new Map(allIndexes(earlier).map((index) => [columnAt(earlier, index).name, roles.get(index)!]));
  for (const index of allIndexes(to)) {
    const { name } = columnAt(to, index);
    const [was, is] = [before.get(name), map.newRoles.get(index)!];
    if (map.oldIndex(index) >= 0 || was === undefined || was === is) continue;
    add(
      'refused',
      name,
      `column ${name} holds ${was} in rows of version ${earlier.version} and would hold ${is}; take another name`,
    );
  }
}

/** Whether branches share columns is decided for the whole table. */
function sharing(from: Plan, to: Plan, add: AddEdit): void {
  const before = new Map(flatFields(from).map((field) => [field.numbers, field]));
  for (const { numbers, path, index, field } of flatFields(to)) {
    const old = before.get(numbers);
    if (old === undefined || index < 0 || old.index < 0) continue;
    const [was, is] = [old.index >= VIEWS_FROM, index >= VIEWS_FROM];
    if (was !== is) {
      const keep = was ? 'shared' : 'own';
      add(
        'refused',
        `event.${path}`,
        `its values would move ${is ? 'into' : 'out of'} a column that branches share; write events.branch_columns: ${keep}`,
      );
      return;
    }
    const same = from.columns[slotOf(from, old.index)]!.name === to.columns[slotOf(to, index)]!.name;
    if (is && !same && old.field.type !== field.type)
      add(
        'refused',
        `event.${path}`,
        'a field whose column branches share cannot change its type, since each type has a column of its own; add a field with a number of its own instead',
      );
  }
}

function compareColumns(
  old: ColumnPlan,
  column: ColumnPlan,
  { newRoles }: ColumnMap,
  options: ChangeOptions,
  add: AddEdit,
): void {
  const role = newRoles.get(column.index)!;
  const isField = role.startsWith('field ');
  if (old.kind === column.kind && old.shape === column.shape) return;
  if (isField && isTextPair(old, column)) {
    const [was, is] = KINDS[column.kind].isInterned ? ['strings', 'a dictionary'] : ['a dictionary', 'strings'];
    add('safe', `events.fields.${column.name}`, `stored as ${is} instead of ${was}: the same texts`);
    return;
  }
  // Changes of type are classed by messageEdits.
  if (isField || role.startsWith('shared ')) return;
  const widens = old.shape === column.shape && widensTo(old.kind, column.kind) && (column.nullable || !old.nullable);
  if (!widens && options.rollback !== true)
    add(
      'refused',
      column.name,
      `column ${column.name} holds ${old.clickhouseType} in stored rows and would hold ${column.clickhouseType}; give it another name in the pipeline`,
    );
}

/** Each holds what the other does: strings beside the row, and in the dictionary. */
function isTextPair(a: ColumnPlan, b: ColumnPlan): boolean {
  return widensTo(a.kind, b.kind) && widensTo(b.kind, a.kind);
}

/** The table is sorted by what the primary entity's key reads. */
function sortKeyEdits(from: Plan, to: Plan, map: ColumnMap, add: AddEdit): void {
  const primary = to.entities.find((entity) => entity.primary);
  const read = new Set((primary?.key ?? []).flatMap(columnsRead));
  for (const index of read) {
    const old = map.oldIndex(index);
    if (old < 0) continue;
    const [was, is] = [columnAt(from, old), columnAt(to, index)];
    if (was.clickhouseType !== is.clickhouseType)
      add(
        'refused',
        is.name,
        `the table of events is sorted by column ${was.name}, which cannot change from ${was.clickhouseType} to ${is.clickhouseType}; add a field with a number of its own instead`,
      );
  }
}
