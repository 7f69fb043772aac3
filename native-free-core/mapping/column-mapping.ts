/** Records of a table (CSV) as events: which column becomes which field, and what is odd about the header. */

import type { ImportMap } from '../plan/import-map.ts';
import type { FieldPlan, Plan } from '../plan/plan.ts';
import { converterOf } from './field-value.ts';
import { putValue, targetOf, targetsBySource, type JsonObject, type FieldTarget } from './field-targets.ts';

export interface ColumnMapping {
  /** The event of one record. Its values stand in the order of the header. */
  toEvent(record: readonly string[]): JsonObject;
  /** Columns that no field takes. */
  readonly unused: readonly string[];
  /** Fields of `import` whose column is not there. */
  readonly missing: readonly string[];
  /** Fields that several columns would fill, as `player_id: player_id, playerId`. */
  readonly twice: readonly string[];
}

export function columnMapping(plan: Plan, importMap: ImportMap, header: readonly string[]): ColumnMapping {
  const mapped = targetsBySource(plan, importMap);
  const named = new Set(Object.keys(importMap));
  const columns = header.map((column) => {
    const targets = mapped.get(column) ?? [];
    const same = targets.length > 0 || named.has(column) ? null : targetOf(plan.message, column);
    return same === null ? targets : [same];
  });
  const setters = columns.map((targets) =>
    targets.map((target) => ({ ...target, convert: converterOf(target.field) })),
  );
  return {
    unused: header.filter((_, i) => columns[i]!.length === 0),
    twice: fieldsTwice(header, columns),
    missing: Object.entries(importMap).flatMap(([field, column]) => (header.includes(column) ? [] : [field])),
    toEvent(record) {
      const event: JsonObject = {};
      for (let i = 0; i < setters.length; i++) {
        const text = record[i];
        if (text === undefined || text === '') continue;
        for (const { path, convert } of setters[i]!) putValue(event, path, convert(text));
      }
      return event;
    },
  };
}

function fieldsTwice(header: readonly string[], columns: readonly (readonly FieldTarget[])[]): string[] {
  const byField = new Map<FieldPlan, string[]>();
  columns.forEach((targets, i) => {
    for (const { field } of targets) byField.set(field, [...(byField.get(field) ?? []), header[i]!]);
  });
  return [...byField].flatMap(([field, names]) => (names.length > 1 ? [`${field.name}: ${names.join(', ')}`] : []));
}
