/**
 * Which old column feeds which new one: what SQL shows for a row of the old version under the new version's name of a
 * column. Same role first (column-roles.ts); then features and computed values that kept their definition under another
 * name.
 */

import type { ColumnRename } from '../../../native-free-core/plan/change-plan.ts';
import { columnAt, VIEWS_FROM, type Plan } from '../../../native-free-core/plan/plan.ts';
import { allIndexes, columnRoles } from './column-roles.ts';
import { expressionDefinition, featureDefinition, type OldIndex } from './definition.ts';

export interface ColumnMap {
  readonly oldIndex: OldIndex;
  readonly oldRoles: ReadonlyMap<number, string>;
  readonly newRoles: ReadonlyMap<number, string>;
}

export function mapColumns(from: Plan, to: Plan): ColumnMap {
  const oldRoles = columnRoles(from);
  const newRoles = columnRoles(to);
  const byRole = new Map([...oldRoles].map(([index, role]) => [role, index]));
  const map = new Map<number, number>();
  for (const [index, role] of newRoles) {
    const old = byRole.get(role);
    // A view and a column of its own are not one place in the table; that change is refused.
    if (old !== undefined && old >= VIEWS_FROM === index >= VIEWS_FROM) map.set(index, old);
  }
  const oldIndex: OldIndex = (index) => map.get(index) ?? -1;
  renamedComputed(from, to, map, oldIndex);
  renamedFeatures(from, to, map, oldIndex);
  return { oldIndex, oldRoles, newRoles };
}

/** The name in the old plan is gone and the new plan's was not there. */
function unclaimed(from: Plan, to: Plan): { gone: ReadonlySet<string>; fresh: ReadonlySet<string> } {
  const before = names(from);
  const after = names(to);
  const without = (all: ReadonlySet<string>, others: ReadonlySet<string>): Set<string> =>
    new Set([...all].filter((name) => !others.has(name)));
  return { gone: without(before, after), fresh: without(after, before) };
}

function names(plan: Plan): Set<string> {
  return new Set(allIndexes(plan).map((index) => columnAt(plan, index).name));
}

/** In the order of evaluation, so that what one reads is mapped before it. */
function renamedComputed(from: Plan, to: Plan, map: Map<number, number>, oldIndex: OldIndex): void {
  const { gone, fresh } = unclaimed(from, to);
  const definition = (plan: Plan, column: number, text: string): string =>
    `${plan.columns[column]!.kind} ${plan.columns[column]!.nullable} ${text}`;
  const byDefinition = new Map<string, number>();
  for (const { column, expression } of from.computed ?? []) {
    if (gone.has(from.columns[column]!.name))
      byDefinition.set(
        definition(
          from,
          column,
          expressionDefinition(from, expression, (i) => i),
        ),
        column,
      );
  }
  for (const { column, expression } of to.computed ?? []) {
    if (map.has(column) || !fresh.has(to.columns[column]!.name)) continue;
    take(byDefinition, definition(to, column, expressionDefinition(to, expression, oldIndex)), column, map);
  }
}

function renamedFeatures(from: Plan, to: Plan, map: Map<number, number>, oldIndex: OldIndex): void {
  const { gone, fresh } = unclaimed(from, to);
  for (const entity of to.entities) {
    const old = from.entities.find(({ name }) => name === entity.name);
    if (old === undefined) continue;
    const byDefinition = new Map<string, number>();
    for (const feature of old.features) {
      if (gone.has(from.columns[feature.column]!.name))
        byDefinition.set(
          featureDefinition(from, feature, (i) => i),
          feature.column,
        );
    }
    for (const feature of entity.features) {
      if (map.has(feature.column) || !fresh.has(to.columns[feature.column]!.name)) continue;
      take(byDefinition, featureDefinition(to, feature, oldIndex), feature.column, map);
    }
  }
}

/** Each old column has one new name. */
function take(byDefinition: Map<string, number>, definition: string, column: number, map: Map<number, number>): void {
  const old = byDefinition.get(definition);
  if (old === undefined) return;
  map.set(column, old);
  byDefinition.delete(definition);
}

/** Of stored columns; views are aliases anyway, and keep answering under either name. */
export function renamesOf(from: Plan, to: Plan, { oldIndex }: ColumnMap): ColumnRename[] {
  return to.columns.flatMap(({ index, name }) => {
    const old = oldIndex(index);
    return old < 0 || from.columns[old]!.name === name ? [] : [{ from: from.columns[old]!.name, to: name }];
  });
}
