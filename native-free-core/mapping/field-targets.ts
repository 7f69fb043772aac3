/** Which field of the event a column or key becomes: by the pipeline's import, else by the same name. */

import { enter, lookup } from '../base/lookup.ts';
import type { ImportMap } from '../plan/import-map.ts';
import type { FieldPlan, MessagePlan, Plan } from '../plan/plan.ts';

/** One event in protobuf's JSON, or part of one. */
export type JsonObject = Record<string, unknown>;

/** Where a value goes: names of messages on the way, and of the field in the last. */
export interface FieldTarget {
  readonly path: readonly string[];
  readonly field: FieldPlan;
}

/** One column may fill several fields. */
export function targetsBySource(plan: Plan, importMap: ImportMap): Map<string, FieldTarget[]> {
  const targets = new Map<string, FieldTarget[]>();
  for (const [path, source] of Object.entries(importMap)) {
    const target = targetOf(plan.message, path);
    if (target !== null) targets.set(source, [...(targets.get(source) ?? []), target]);
  }
  return targets;
}

/** `dig.depth`, in the names of the .proto or in lowerCamelCase. */
export function targetOf(message: MessagePlan, path: string): FieldTarget | null {
  const names = path.split('.');
  let within: MessagePlan | undefined = message;
  let field: FieldPlan | undefined;
  for (const name of names) {
    field = within?.fields.find((one) => one.name === name || one.jsonName === name);
    within = field?.message;
  }
  return field === undefined ? null : { path: names, field };
}

export function putValue(event: JsonObject, path: readonly string[], value: unknown): void {
  let within = event;
  for (const name of path.slice(0, -1)) {
    const inner = (lookup<unknown>(within, name) ?? {}) as JsonObject;
    enter<unknown>(within, name, inner);
    within = inner;
  }
  enter(within, path.at(-1)!, value);
}
