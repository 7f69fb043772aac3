/**
 * What a feature, a key or a computed value is by what it says, not by its name: texts that are equal exactly where the
 * stored rows make the same state. Columns go by the old plan's numbers, so that a renamed field is the same field.
 */

import {
  columnAt,
  type EntityPlan,
  type Expression,
  type FeaturePlan,
  type Plan,
} from '../../../native-free-core/plan/plan.ts';

/** The old plan's column or view that an index means; -1: it has none. */
export type OldIndex = (index: number) => number;

export function expressionDefinition(plan: Plan, expression: Expression, oldIndex: OldIndex): string {
  const text = (node: Expression, labels?: readonly string[]): string => {
    switch (node.node) {
      case 'constant': {
        // Codes are numbered in the order of their declaration, which may change; their names stay.
        const label = labels !== undefined && typeof node.value === 'number' ? labels[node.value] : undefined;
        return label === undefined
          ? `${node.type}:${JSON.stringify(node.exact ?? node.value)}`
          : `label:${JSON.stringify(label)}`;
      }
      case 'column':
        return columnDefinition(plan, node.column, oldIndex);
      case 'call': {
        const codes = labelsAmong(plan, node.operands);
        return `${node.operator}(${node.operands.map((operand) => text(operand, codes)).join(',')})`;
      }
    }
  };
  return text(expression);
}

function columnDefinition(plan: Plan, index: number, oldIndex: OldIndex): string {
  const { name, kind, shape } = columnAt(plan, index);
  const old = oldIndex(index);
  return `${old < 0 ? `new ${name}` : `#${old}`}:${kind}:${shape}`;
}

/** Labels of the code column among operands that are compared. */
function labelsAmong(plan: Plan, operands: readonly Expression[]): readonly string[] | undefined {
  for (const operand of operands) {
    if (operand.node !== 'column') continue;
    const { labels } = columnAt(plan, operand.column);
    if (labels !== undefined) return labels;
  }
  return undefined;
}

/** Everything but name and column. */
export function featureDefinition(plan: Plan, feature: FeaturePlan, oldIndex: OldIndex): string {
  const { name: _name, column: _column, of, where, dayColumn, ...rest } = feature;
  const ordered = Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    of && expressionDefinition(plan, of, oldIndex),
    where && expressionDefinition(plan, where, oldIndex),
    dayColumn === undefined ? null : columnDefinition(plan, dayColumn, oldIndex),
    ordered,
  ]);
}

export function keyDefinition(plan: Plan, entity: EntityPlan, oldIndex: OldIndex): string {
  return JSON.stringify(entity.key.map((part) => expressionDefinition(plan, part, oldIndex)));
}

/** Columns and views that an expression reads. */
export function columnsRead(expression: Expression | null): number[] {
  if (expression === null || expression.node === 'constant') return [];
  return expression.node === 'column' ? [expression.column] : expression.operands.flatMap(columnsRead);
}
