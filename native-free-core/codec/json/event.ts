/**
 * JSON events as protobuf bytes, after protobuf's JSON mapping: names as in the .proto or in lowerCamelCase, 64-bit integers
 * as text or numbers, bytes in base64, enums by name or number, times in RFC 3339, null for absent. So there is one way into
 * the columns. Used by json-frame.ts on workers.
 */

import {
  EVENT_INVALID_UTF8,
  EVENT_MALFORMED,
  EVENT_NESTED_TOO_DEEP,
  EVENT_NUMBER_OUT_OF_RANGE,
  EVENT_REPEATED_FIELD,
  EVENT_UNKNOWN_FIELD,
  EVENT_WRONG_TYPE,
} from '../../base/outcomes.ts';
import { nearest } from '../../base/nearest.ts';
import type { FieldPlan } from '../../plan/plan.ts';
import { addUnknownField, unknownText } from '../unknown-fields.ts';
import { beginBlock, endBlock, putBlockOf, putTag, type ByteWriter } from '../byte-writer.ts';
import { WIRE_BYTES } from '../wire.ts';
import { failExpected, failWith } from './failure.ts';
import { fieldNamed, type JsonField, type JsonMessage } from './json-message.ts';
import { expectedOf, putScalar, type ScalarType } from './scalar.ts';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  JSON_SYNTAX,
  OPEN_BRACE,
  OPEN_BRACKET,
  skipValue,
  takeKey,
  takeNext,
  takeNull,
  takeOpening,
  type JsonCursor,
} from './scan.ts';
import { plainString, plainText, resolveText } from './json-text.ts';
import { putWellKnown, refuseAny } from './well-known-json.ts';
import type { JsonReading } from './reading.ts';

/** Instances of messages read so far: within one a field may come once. */
let instances = 0;

/**
 * Takes the value that is next as the message and appends it. Returns 0, JSON_SYNTAX, or an outcome whose details stand in
 * `jsonFailure`; after these, what has been appended is void and the cursor is somewhere in the event.
 */
export function takeMessage(r: JsonReading, message: JsonMessage, c: JsonCursor): number {
  const start = c.at;
  if (c.at >= c.end || c.bytes[c.at] !== OPEN_BRACE) return wrongKind(c, message.prefix.slice(0, -1), 'an object');
  const instance = ++instances;
  // Bit by oneof: of its members one may be set. Of a message with more oneofs the others are not checked.
  let oneofs = 0;
  let more = takeOpening(c, CLOSE_BRACE);
  while (more > 0) {
    const key = takeKey(c);
    if (key === JSON_SYNTAX) return key;
    if (key < 0 || !resolveText(c))
      return failWith(EVENT_INVALID_UTF8, message.prefix, `${message.prefix}: a key is not UTF-8`, start);
    const field = fieldNamed(message, plainText.bytes, plainText.start, plainText.end);
    let outcome: number;
    if (field === null) outcome = takeUnknown(r, message, c);
    else {
      const valueAt = c.at;
      if (field.seenIn === instance)
        return failWith(EVENT_REPEATED_FIELD, field.path, `${field.path}: the field is given twice`, valueAt);
      field.seenIn = instance;
      if (takeNull(c)) outcome = 0;
      else {
        if (field.oneof >= 0 && field.oneof < 32) {
          // Which of two members would win is not for the order of keys to say.
          const bit = 1 << field.oneof;
          if ((oneofs & bit) !== 0) return twoMembers(field, valueAt);
          oneofs |= bit;
        }
        outcome = takeField(r, field, c);
      }
    }
    if (outcome < 0) return outcome;
    more = takeNext(c, CLOSE_BRACE);
  }
  return more;
}

function twoMembers({ path, field }: JsonField, valueAt: number): number {
  const what = field.branch > 0 ? 'another event type is given, too' : 'another member of its oneof is given, too';
  return failWith(EVENT_MALFORMED, path, `${path}: ${what}`, valueAt);
}

/** The value is of another kind than the field's; what is no value is a mistake in the JSON. */
function wrongKind(c: JsonCursor, path: string, expected: string): number {
  const start = c.at;
  return skipValue(c) === JSON_SYNTAX ? JSON_SYNTAX : failExpected(EVENT_WRONG_TYPE, path, expected, start);
}

function takeUnknown(r: JsonReading, message: JsonMessage, c: JsonCursor): number {
  const valueAt = c.at;
  const { prefix } = message;
  // What is in it stands beside `@type`, in fields of a message that the server does not know.
  if (message.wellKnown === 'any') return refuseAny(prefix.slice(0, -1), valueAt);
  if (r.policy === 'ignore') r.unknown.count++;
  else {
    const path = prefix + plainString();
    const known = (): readonly string[] => message.fields.map((field) => field.path);
    if (r.policy === 'reject')
      return failWith(EVENT_UNKNOWN_FIELD, path, unknownText(path, nearest(path, known()) ?? ''), valueAt);
    addUnknownField(r.unknown, path, known);
  }
  const outcome = skipValue(c);
  if (outcome >= 0 || outcome === JSON_SYNTAX) return outcome;
  const what = outcome === EVENT_NESTED_TOO_DEEP ? 'nested too deep' : 'a text is not UTF-8';
  return failWith(outcome, `${prefix}…`, `a field that is not known: ${what}`, valueAt);
}

function takeField(r: JsonReading, json: JsonField, c: JsonCursor): number {
  const { field, path } = json;
  if (field.type === 'message') return takeSubMessage(r, json, c);
  if (field.type === 'map') return takeMap(r, json, c);
  if (!field.repeated) return takeScalar(r.w, field.number, field.type, field, path, c);
  return takeList(r.w, field, field.type, path, c);
}

function takeScalar(
  w: ByteWriter,
  number: number,
  type: ScalarType,
  { enumNames }: FieldPlan,
  path: string,
  c: JsonCursor,
): number {
  const valueAt = c.at;
  const outcome = putScalar(w, number, type, enumNames, c);
  if (outcome >= 0 || outcome === JSON_SYNTAX) return outcome;
  return failScalar(outcome, path, type, enumNames, valueAt);
}

function failScalar(
  outcome: number,
  path: string,
  type: ScalarType,
  names: FieldPlan['enumNames'],
  valueAt: number,
): number {
  if (outcome === EVENT_INVALID_UTF8) return failExpected(outcome, path, 'text in UTF-8', valueAt);
  const expected = expectedOf(type, names);
  return failExpected(
    outcome,
    path,
    outcome === EVENT_NUMBER_OUT_OF_RANGE ? `${expected} in its range` : expected,
    valueAt,
  );
}

function takeList(w: ByteWriter, field: FieldPlan, type: ScalarType, path: string, c: JsonCursor): number {
  if (c.at >= c.end || c.bytes[c.at] !== OPEN_BRACKET)
    return wrongKind(c, path, `a list of ${expectedOf(type, field.enumNames)}`);
  let more = takeOpening(c, CLOSE_BRACKET);
  for (let i = 0; more > 0; i++) {
    const valueAt = c.at;
    const outcome = putScalar(w, field.number, type, field.enumNames, c);
    if (outcome === JSON_SYNTAX) return outcome;
    if (outcome < 0) return failScalar(outcome, `${path}[${i}]`, type, field.enumNames, valueAt);
    more = takeNext(c, CLOSE_BRACKET);
  }
  return more;
}

function takeSubMessage(r: JsonReading, { field, path, message }: JsonField, c: JsonCursor): number {
  const begin = beginBlock(r.w, field.number);
  const isObject = c.at < c.end && c.bytes[c.at] === OPEN_BRACE;
  const special = message!.wellKnown !== null && !isObject;
  const outcome = special ? putWellKnown(r, message!, path, c) : takeMessage(r, message!, c);
  endBlock(r.w, begin);
  return outcome;
}

function takeMap(r: JsonReading, { field, path }: JsonField, c: JsonCursor): number {
  if (c.at >= c.end || c.bytes[c.at] !== OPEN_BRACE) return wrongKind(c, path, 'an object, key by key');
  const type = field.mapValue ?? 'string';
  let more = takeOpening(c, CLOSE_BRACE);
  while (more > 0) {
    const key = takeKey(c);
    if (key === JSON_SYNTAX) return key;
    if (key < 0 || !resolveText(c)) return failWith(EVENT_INVALID_UTF8, path, `${path}: a key is not UTF-8`, c.at);
    const begin = beginBlock(r.w, field.number);
    putTag(r.w, 1, WIRE_BYTES);
    putBlockOf(r.w, plainText.bytes, plainText.start, plainText.end);
    const [textStart, textEnd, escaped, valueAt] = [c.textStart, c.textEnd, c.escaped, c.at];
    const outcome = putScalar(r.w, 2, type, field.enumNames, c);
    if (outcome === JSON_SYNTAX) return outcome;
    if (outcome < 0) {
      Object.assign(c, { textStart, textEnd, escaped });
      resolveText(c);
      return failScalar(outcome, `${path}[${JSON.stringify(plainString())}]`, type, field.enumNames, valueAt);
    }
    endBlock(r.w, begin);
    more = takeNext(c, CLOSE_BRACE);
  }
  return more;
}
