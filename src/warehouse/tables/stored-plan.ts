/**
 * A plan as its rows are inserted: columns by the names that they are stored under, and with what the table's columns can be
 * that another version needed otherwise. For the encoder; SQL knows both names.
 */

import type { ColumnPlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { storedNames, type ExistingColumn } from './migrate.ts';

/** Where a column of the table `events` is stored. */
export interface StoredColumn {
  readonly name: string;
  readonly nullable: boolean;
}

/** By the names that SQL knows. */
export type StoredColumns = ReadonlyMap<string, StoredColumn>;

export function storedColumns(existing: readonly ExistingColumn[]): StoredColumns {
  const names = storedNames(existing);
  const types = new Map(existing.map(({ name, type }) => [name, type]));
  const stored = new Map<string, StoredColumn>();
  for (const { name } of existing) {
    const own = names.get(name) ?? name;
    stored.set(name, { name: own, nullable: types.get(own)?.includes('Nullable(') === true });
  }
  return stored;
}

export function storedPlan(plan: Plan, stored: StoredColumns): Plan {
  const columns = plan.columns.map((column) => storedColumn(column, stored.get(column.name)));
  return columns.every((column, i) => column === plan.columns[i]) ? plan : { ...plan, columns };
}

function storedColumn(column: ColumnPlan, stored: StoredColumn | undefined): ColumnPlan {
  if (stored === undefined) return column;
  const widened = stored.nullable && !column.nullable && column.shape === 'scalar';
  if (stored.name === column.name && !widened) return column;
  return { ...column, name: stored.name, ...(widened ? { storedNullable: true } : {}) };
}
