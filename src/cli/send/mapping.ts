/** Which column or key of a file becomes which field of the event: by the pipeline's `import`, else by the same name. */

import { enter, lookup } from '../../../native-free-core/base/lookup.ts';
import type { FieldPlan, MessagePlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { asTime, converterOf } from './convert.ts';

type Json = Record<string, unknown>;

/** Where a value goes: names of messages on the way, and of the field in the last. */
interface Target {
  readonly path: readonly string[];
  readonly field: FieldPlan;
}

export interface CsvMapping {
  /** The event of one record. Its values stand in the order of the header. */
  toEvent(record: readonly string[]): Json;
  /** Columns that no field takes. */
  readonly unused: readonly string[];
  /** Fields of `import` whose column is not there. */
  readonly missing: readonly string[];
  /** Fields that several columns would fill, as `player_id: player_id, playerId`. */
  readonly twice: readonly string[];
}

export type ImportMap = Readonly<Record<string, string>>;

export function csvMapping(plan: Plan, importMap: ImportMap, header: readonly string[]): CsvMapping {
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
      const event: Json = {};
      for (let i = 0; i < setters.length; i++) {
        const text = record[i];
        if (text === undefined || text === '') continue;
        for (const { path, convert } of setters[i]!) put(event, path, convert(text));
      }
      return event;
    },
  };
}

function fieldsTwice(header: readonly string[], columns: readonly (readonly Target[])[]): string[] {
  const byField = new Map<FieldPlan, string[]>();
  columns.forEach((targets, i) => {
    for (const { field } of targets) byField.set(field, [...(byField.get(field) ?? []), header[i]!]);
  });
  return [...byField].flatMap(([field, names]) => (names.length > 1 ? [`${field.name}: ${names.join(', ')}`] : []));
}

/** The event of one JSON object; null where the lines are events as they stand. */
export function jsonMapping(plan: Plan, importMap: ImportMap): ((object: Json) => Json) | null {
  const mapped = targetsBySource(plan, importMap);
  if (mapped.size === 0) return null;
  return (object) => {
    const event: Json = {};
    for (const [key, value] of Object.entries(object)) if (!mapped.has(key)) enter(event, key, value);
    for (const [key, targets] of mapped) {
      const value = lookup(object, key);
      if (value === undefined || value === null) continue;
      for (const { path, field } of targets)
        put(event, path, field.type === 'timestamp' && typeof value === 'string' ? asTime(value) : value);
    }
    return event;
  };
}

function targetsBySource(plan: Plan, importMap: ImportMap): Map<string, Target[]> {
  const targets = new Map<string, Target[]>();
  for (const [path, source] of Object.entries(importMap)) {
    const target = targetOf(plan.message, path);
    if (target !== null) targets.set(source, [...(targets.get(source) ?? []), target]);
  }
  return targets;
}

/** `dig.depth`, in the names of the .proto or in lowerCamelCase. */
function targetOf(message: MessagePlan, path: string): Target | null {
  const names = path.split('.');
  let within: MessagePlan | undefined = message;
  let field: FieldPlan | undefined;
  for (const name of names) {
    field = within?.fields.find((one) => one.name === name || one.jsonName === name);
    within = field?.message;
  }
  return field === undefined ? null : { path: names, field };
}

function put(event: Json, path: readonly string[], value: unknown): void {
  let within = event;
  for (const name of path.slice(0, -1)) {
    const inner = (lookup<unknown>(within, name) ?? {}) as Json;
    enter<unknown>(within, name, inner);
    within = inner;
  }
  enter(within, path.at(-1)!, value);
}
