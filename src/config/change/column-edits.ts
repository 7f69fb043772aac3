/** What becomes of columns: whether values of old rows can be read as the new plan reads them, and names that are taken. */

import { KINDS, widensTo } from '../../../native-free-core/language/kinds/index.ts';
import { columnAt, slotOf, VIEWS_FROM, type ColumnPlan, type Plan } from '../../../native-free-core/plan/plan.ts';
import { allIndexes, columnRoles } from './column-roles.ts';
import { mapColumns, type ColumnMap } from './column-map.ts';
import { columnsRead, keyDefinition } from './definition.ts';
import type { Comparison, Found } from './edits.ts';
import { flatFields } from './fields.ts';
import { retype, fieldTypeText } from './retype.ts';

export function columnEdits(comparison: Comparison, earlier: readonly Plan[]): void {
  const { from, to, map, found } = comparison;
  takenNames(comparison);
  for (const plan of earlier) comparedToEarlier(plan, comparison);
  sharing(comparison);
  for (const index of allIndexes(to)) {
    const old = map.oldIndex(index);
    if (old >= 0) compareColumns(columnAt(from, old), columnAt(to, index), map, found);
  }
  sortKeyEdits(comparison);
}

/** A name that stands for something else in stored rows would mix the two. */
function takenNames({ from, to, map, found }: Comparison): void {
  const before = new Map(allIndexes(from).map((index) => [columnAt(from, index).name, index]));
  for (const index of allIndexes(to)) {
    const { name } = columnAt(to, index);
    const old = before.get(name);
    if (old === undefined || old === map.oldIndex(index)) continue;
    if (map.newRoles.get(index) === map.oldRoles.get(old)) continue;
    found('column_taken', name, { name, was: map.oldRoles.get(old)!, is: map.newRoles.get(index)! });
  }
}

/** Of what is new now, though the table has had it before. */
function comparedToEarlier(earlier: Plan, comparison: Comparison): void {
  const { from, to, found } = comparison;
  if (earlier.versionNumber === from.versionNumber) return;
  namesOfEarlier(earlier, comparison);
  entitiesOfEarlier(earlier, comparison);
  const known = new Set(flatFields(from).map(({ numbers }) => numbers));
  const before = new Map(flatFields(earlier).map((field) => [field.numbers, field]));
  for (const { numbers, path, field } of flatFields(to)) {
    const was = before.get(numbers);
    if (was === undefined || known.has(numbers)) continue;
    if (was.field.name === field.name && retype(was.field, field).verdict !== 'refused') continue;
    found('number_taken_earlier', `event.${path}`, {
      number: field.number,
      was: `${was.field.name} (${fieldTypeText(was.field)})`,
      version: earlier.version,
    });
  }
}

/** An entity that comes back goes on with the columns that it had: they number events by its key. */
function entitiesOfEarlier(earlier: Plan, { from, to, found }: Comparison): void {
  const { oldIndex } = mapColumns(earlier, to);
  for (const entity of to.entities) {
    const was = earlier.entities.find(({ name }) => name === entity.name);
    if (was === undefined || from.entities.some(({ name }) => name === entity.name)) continue;
    if (keyDefinition(earlier, was, (index) => index) === keyDefinition(to, entity, oldIndex)) continue;
    found('entity_taken_earlier', entity.name, { key: was.keyTexts.join(', '), version: earlier.version });
  }
}

function namesOfEarlier(earlier: Plan, { to, map, found }: Comparison): void {
  const roles = columnRoles(earlier);
  const before = new Map(allIndexes(earlier).map((index) => [columnAt(earlier, index).name, roles.get(index)!]));
  for (const index of allIndexes(to)) {
    const { name } = columnAt(to, index);
    const [was, is] = [before.get(name), map.newRoles.get(index)!];
    if (map.oldIndex(index) >= 0 || was === undefined || was === is) continue;
    found('column_taken_earlier', name, { name, was, is, version: earlier.version });
  }
}

/** Whether branches share columns is decided for the whole table. */
function sharing({ from, to, found }: Comparison): void {
  const before = new Map(flatFields(from).map((field) => [field.numbers, field]));
  for (const { numbers, path, index, field } of flatFields(to)) {
    const old = before.get(numbers);
    if (old === undefined || index < 0 || old.index < 0) continue;
    const [was, is] = [old.index >= VIEWS_FROM, index >= VIEWS_FROM];
    if (was !== is) {
      found(is ? 'sharing_begun' : 'sharing_ended', `event.${path}`);
      return;
    }
    const same = from.columns[slotOf(from, old.index)]!.name === to.columns[slotOf(to, index)]!.name;
    if (is && !same && old.field.type !== field.type) found('shared_retyped', `event.${path}`);
  }
}

function compareColumns(old: ColumnPlan, column: ColumnPlan, { newRoles }: ColumnMap, found: Found): void {
  const role = newRoles.get(column.index)!;
  const isField = role.startsWith('field ');
  if (old.kind === column.kind && old.shape === column.shape) return;
  if (isField && isTextPair(old, column)) {
    const kind = KINDS[column.kind].isInterned ? 'dictionary_begun' : 'dictionary_ended';
    found(kind, `events.fields.${column.name}`);
    return;
  }
  // Changes of type are found by messageEdits.
  if (isField || role.startsWith('shared ')) return;
  const { name, clickhouseType: is } = column;
  const widens = old.shape === column.shape && widensTo(old.kind, column.kind) && (column.nullable || !old.nullable);
  if (!widens) found('column_retyped', name, { name, was: old.clickhouseType, is });
}

/** Each holds what the other does: strings beside the row, and in the dictionary. */
function isTextPair(a: ColumnPlan, b: ColumnPlan): boolean {
  return widensTo(a.kind, b.kind) && widensTo(b.kind, a.kind);
}

/** The table is sorted by what the primary entity's key reads. */
function sortKeyEdits({ from, to, map, found }: Comparison): void {
  const primary = to.entities.find((entity) => entity.primary);
  const read = new Set((primary?.key ?? []).flatMap(columnsRead));
  for (const index of read) {
    const old = map.oldIndex(index);
    if (old < 0) continue;
    const [was, is] = [columnAt(from, old), columnAt(to, index)];
    if (was.clickhouseType === is.clickhouseType) continue;
    found('sort_key_retyped', is.name, { name: was.name, was: was.clickhouseType, is: is.clickhouseType });
  }
}
