/** JSON objects (NDJSON, JSON) as events: which key becomes which field. Keys that the import does not name stay. */

import { enter, lookup } from '../base/lookup.ts';
import type { ImportMap } from '../plan/import-map.ts';
import type { Plan } from '../plan/plan.ts';
import { asTime } from './field-value.ts';
import { putValue, targetsBySource, type JsonObject, type FieldTarget } from './field-targets.ts';

/** Text of one JSON object -> text of its event; null where the text is no JSON object. */
export type KeyMapping = (text: string) => string | null;

/** null where the objects are events as they stand. */
export function keyMapping(plan: Plan, importMap: ImportMap): KeyMapping | null {
  const targets = targetsBySource(plan, importMap);
  if (targets.size === 0) return null;
  return (text) => {
    if (!isObject(parseJson(text))) return null;
    return JSON.stringify(eventOf(JSON.parse(quoteLongNumbers(text)) as JsonObject, targets));
  };
}

function eventOf(object: JsonObject, targetsByKey: ReadonlyMap<string, readonly FieldTarget[]>): JsonObject {
  const event: JsonObject = {};
  for (const [key, value] of Object.entries(object)) if (!targetsByKey.has(key)) enter(event, key, value);
  for (const [key, targets] of targetsByKey) {
    const value = lookup(object, key);
    if (value === undefined || value === null) continue;
    for (const { path, field } of targets)
      putValue(event, path, field.type === 'timestamp' && typeof value === 'string' ? asTime(value) : value);
  }
  return event;
}

/** undefined: it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Numbers of 16 digits and more in quotes, which mean the same to the server and keep their digits in a JavaScript object.
 */
function quoteLongNumbers(text: string): string {
  if (!/\d{16}/.test(text)) return text;
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token.startsWith('"') || token.replace(/\D/g, '').length < 16 ? token : `"${token}"`,
  );
}
