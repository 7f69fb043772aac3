/**
 * The sort key of `events`: the columns that the primary entity's key reads, then the effective time, so that an entity's
 * rows lie together in time order. Where the key is an expression (a ternary over two fields, say), its columns in the order
 * in which it names them come nearest to that; `<entity>_seq` would scatter an entity over the whole part.
 */

import type { Expression, Plan } from '../../../native-free-core/plan/plan.ts';

export interface SortKey {
  readonly columns: readonly string[];
  /** ClickHouse wants to be told when a key can be NULL. */
  readonly nullable: boolean;
}

export function sortKey(plan: Plan): SortKey {
  const primary = plan.entities.find((entity) => entity.primary);
  const read = (primary?.key ?? []).flatMap(columnsRead);
  const indexes = [...new Set([...read, plan.system.effectiveTime])];
  const columns = indexes.map((index) => plan.columns[index]!).filter((column) => column.shape === 'scalar');
  return { columns: columns.map((column) => column.name), nullable: columns.some((column) => column.nullable) };
}

function columnsRead(expression: Expression): number[] {
  switch (expression.node) {
    case 'constant':
      return [];
    case 'column':
      return [expression.column];
    case 'call':
      return expression.operands.flatMap(columnsRead);
  }
}
