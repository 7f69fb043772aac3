/**
 * A message as its JSON reader knows it: fields by the bytes of both of their names, their paths for people, and which of
 * protobuf's own types it is. Made once for each message of a plan. Used by event.ts.
 */

import type { FieldPlan, MessagePlan } from '../../plan/plan.ts';
import { utf8Bytes, writeUtf8 } from '../utf8.ts';

export interface JsonField {
  readonly field: FieldPlan;
  /** `dig.depth`, in the names of the .proto. */
  readonly path: string;
  /** Where it is a message. */
  readonly message: JsonMessage | null;
  /** Fields that exclude each other have the same number, all others -1. */
  readonly oneof: number;
  /** Number of the message instance in which it was read last: within one it may come once. */
  seenIn: number;
}

interface Name {
  readonly bytes: Uint8Array;
  readonly field: JsonField;
}

/** Messages whose JSON form is not an object of their fields (protobuf's JSON mapping). */
export type WellKnown = 'duration' | 'wrapper' | 'field-mask' | 'any' | null;

export interface JsonMessage {
  readonly plan: MessagePlan;
  /** `dig.` or ''. */
  readonly prefix: string;
  readonly wellKnown: WellKnown;
  readonly fields: readonly JsonField[];
  /** Open addressing by hashName; a power of two. */
  readonly names: readonly (Name | null)[];
}

const WELL_KNOWN: ReadonlyMap<string, WellKnown> = new Map<string, WellKnown>([
  ['Duration', 'duration'],
  ['FieldMask', 'field-mask'],
  ['Any', 'any'],
  ...['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'].map(
    (scalar): [string, WellKnown] => [`${scalar}Value`, 'wrapper'],
  ),
]);
const GOOGLE = 'google.protobuf.';

const messages = new WeakMap<MessagePlan, JsonMessage>();

export function jsonMessage(plan: MessagePlan): JsonMessage {
  let message = messages.get(plan);
  if (message === undefined) messages.set(plan, (message = makeMessage(plan, '')));
  return message;
}

function makeMessage(plan: MessagePlan, prefix: string): JsonMessage {
  const fields = plan.fields.map((field): JsonField => {
    const path = `${prefix}${field.name}`;
    const message = field.message === undefined ? null : makeMessage(field.message, `${path}.`);
    const oneof = field.branch > 0 ? 0 : field.oneof < 0 ? -1 : field.oneof + 1;
    return { field, path, message, oneof, seenIn: 0 };
  });
  let slots = 4;
  while (slots < fields.length * 4) slots *= 2;
  const names: (Name | null)[] = Array.from<Name | null>({ length: slots }).fill(null);
  // A field's name in the .proto goes before another one's JSON name.
  for (const field of fields) addName(names, field.field.name, field);
  for (const field of fields) addName(names, field.field.jsonName, field);
  const wellKnown = plan.name.startsWith(GOOGLE) ? (WELL_KNOWN.get(plan.name.slice(GOOGLE.length)) ?? null) : null;
  return { plan, prefix, wellKnown, fields, names };
}

function addName(names: (Name | null)[], text: string, field: JsonField): void {
  const bytes = new Uint8Array(utf8Bytes(text));
  writeUtf8(bytes, 0, text);
  let slot = hashName(bytes, 0, bytes.length) & (names.length - 1);
  for (; names[slot] !== null; slot = (slot + 1) & (names.length - 1)) {
    if (isName(names[slot]!.bytes, bytes, 0, bytes.length)) return;
  }
  names[slot] = { bytes, field };
}

function hashName(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let p = start; p < end; p++) hash = Math.imul(hash ^ bytes[p], 0x01000193);
  return hash ^ (hash >>> 15);
}

function isName(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}

/** The field whose name is bytes[start, end), or null. */
export function fieldNamed(message: JsonMessage, bytes: Uint8Array, start: number, end: number): JsonField | null {
  const { names } = message;
  let slot = hashName(bytes, start, end) & (names.length - 1);
  for (let name = names[slot]; name !== null; name = names[slot]) {
    if (isName(name.bytes, bytes, start, end)) return name.field;
    slot = (slot + 1) & (names.length - 1);
  }
  return null;
}
