/**
 * JSON events as protobuf bytes, after protobuf's JSON mapping: names as in the .proto or in lowerCamelCase, 64-bit integers
 * as text or exact numbers, bytes in base64, enums by name or number, times in RFC 3339, null for absent. So there is one way
 * into the columns. Used by json-frame.ts on workers, and by `hunt send`.
 */

import { EVENT_MALFORMED, EVENT_WRONG_TYPE } from '../base/outcomes.ts';
import type { FieldPlan, MessagePlan, ProtoScalar } from '../layout/plan.ts';
import { beginBlock, endBlock, type ByteWriter } from './byte-writer.ts';
import { putScalar, putTimestamp } from './json-scalar.ts';

/** What an event brought beyond its message. */
export interface JsonCounters {
  unknownFields: number;
}

const fieldsOfMessage = new WeakMap<MessagePlan, Map<string, FieldPlan>>();

/** A message's fields under both of their names. */
export function fieldsByName(message: MessagePlan): ReadonlyMap<string, FieldPlan> {
  let fields = fieldsOfMessage.get(message);
  if (fields !== undefined) return fields;
  fields = new Map();
  for (const field of message.fields) fields.set(field.jsonName, field);
  for (const field of message.fields) fields.set(field.name, field);
  fieldsOfMessage.set(message, fields);
  return fields;
}

/** Appends the event to `w`. Returns 0 or an outcome; after an outcome what has been appended is void. */
export function transcodeEvent(message: MessagePlan, value: unknown, w: ByteWriter, counters: JsonCounters): number {
  if (!isObject(value)) return EVENT_WRONG_TYPE;
  const fields = fieldsByName(message);
  let members: Set<number> | null = null;
  for (const key of Object.keys(value)) {
    const inner = value[key];
    const field = fields.get(key);
    if (field === undefined) counters.unknownFields++;
    if (field === undefined || inner === null) continue;
    if (field.branch > 0 || field.oneof >= 0) {
      // Which of two members would win is not for the order of keys to say.
      const oneof = field.branch > 0 ? -1 : field.oneof;
      members ??= new Set();
      if (members.has(oneof)) return EVENT_MALFORMED;
      members.add(oneof);
    }
    const outcome = putField(field, inner, w, counters);
    if (outcome < 0) return outcome;
  }
  return 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function putField(field: FieldPlan, value: unknown, w: ByteWriter, counters: JsonCounters): number {
  if (field.type === 'message') return putMessage(field.number, field.message!, value, w, counters);
  if (field.type === 'map') return putMap(field, value, w);
  if (!field.repeated) return putOne(field, field.type, value, w);
  if (!Array.isArray(value)) return EVENT_WRONG_TYPE;
  for (const one of value) {
    const outcome = putOne(field, field.type, one, w);
    if (outcome < 0) return outcome;
  }
  return 0;
}

function putOne(field: FieldPlan, type: ProtoScalar | 'enum' | 'timestamp', value: unknown, w: ByteWriter): number {
  return type === 'timestamp'
    ? putTimestamp(w, field.number, value)
    : putScalar(w, field.number, type, field.enumNames, value);
}

function putMessage(
  number: number,
  message: MessagePlan,
  value: unknown,
  w: ByteWriter,
  counters: JsonCounters,
): number {
  const begin = beginBlock(w, number);
  const outcome = transcodeEvent(message, value, w, counters);
  endBlock(w, begin);
  return outcome;
}

function putMap(field: FieldPlan, value: unknown, w: ByteWriter): number {
  if (!isObject(value)) return EVENT_WRONG_TYPE;
  for (const key of Object.keys(value)) {
    const begin = beginBlock(w, field.number);
    let outcome = putScalar(w, 1, 'string', undefined, key);
    if (outcome === 0) outcome = putScalar(w, 2, field.mapValue ?? 'string', field.enumNames, value[key]);
    if (outcome < 0) return outcome;
    endBlock(w, begin);
  }
  return 0;
}
