/**
 * Reads a serialised event once more, slowly, to say what the decoder found wrong with it, or which fields it does not know.
 * Called by decide/tell-refusals.ts for events that were refused and for the first few with unknown fields; never for what
 * was simply taken.
 */

import { WORD } from '../base/words.ts';
import { LIST_ELEMENTS_MAX, STRING_BYTES_MAX } from '../layout/limits.ts';
import type { FieldPlan, MessagePlan, UnknownFieldPolicy } from '../plan/plan.ts';
import { expectedGot, rejection, shownText, VALUE_BYTES_MAX, type RejectionDetail } from './rejection.ts';
import { addUnknownField, type UnknownFields } from './unknown-fields.ts';
import { isUtf8, readUtf8 } from './utf8.ts';
import { wireTypeOf } from './wire-types.ts';
import {
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_GROUP,
  WIRE_GROUP_END,
  WIRE_VARINT,
  readLength,
  readLong,
  readTag,
  readWords,
  skipField,
} from './wire.ts';

export interface EventWalk {
  /** READ_MARGIN bytes behind the event are there. */
  readonly bytes: Uint8Array;
  /** Where the event begins: offsets are told from here. */
  readonly begin: number;
  readonly policy: UnknownFieldPolicy;
  /** Where fields that nobody knows are noted; null: nowhere. */
  readonly unknown: UnknownFields | null;
  /** Whether a text of a dictionary field has its place in the dictionary. */
  readonly isInDictionary: (column: number, start: number, length: number) => boolean;
}

const WIRE_NAMES = ['a varint', '8 bytes', 'bytes with a length', 'a group', 'the end of a group', '4 bytes'];
const SECONDS_MIN = -62135596800;
const SECONDS_MAX = 253402300799;

/** The first thing that is wrong with the message bytes[at, end); null: nothing is. */
export function walkMessage(
  walk: EventWalk,
  message: MessagePlan,
  prefix: string,
  at: number,
  end: number,
  depth = 0,
): RejectionDetail | null {
  const counts = new Map<number, number>();
  let p = at;
  while (p < end) {
    const start = p;
    p = readTag(walk.bytes, p);
    if (p < 0 || p > end) return broken(walk, prefix, start, 'a field’s tag does not end');
    const tag = readWords[0];
    const number = tag >>> 3;
    const field = message.fields.find((one) => one.number === number);
    const isKnown = field !== undefined && accepts(field, tag & 7);
    const problem = isKnown
      ? walkField(walk, { field, wire: tag & 7, path: `${prefix}${field.name}`, counts }, p, end, depth)
      : walkUnknown(walk, message, prefix, tag, p, end, depth);
    if (problem !== null) return problem;
    p = isKnown ? valueEnd(walk.bytes, p, tag & 7) : skipField(walk.bytes, p, end, tag, depth);
  }
  return null;
}

function broken({ begin }: EventWalk, prefix: string, at: number, what: string): RejectionDetail {
  const field = prefix.replace(/\.$/, '');
  return rejection(field, '', `${field === '' ? '' : `${field}: `}${what}, at byte ${at - begin} of the event`);
}

/** What the decoder takes as this field: other wire types are unknown fields to it. */
function accepts(field: FieldPlan, wire: number): boolean {
  if (wire === wireTypeOf(field)) return true;
  return field.repeated && wire === WIRE_BYTES;
}

/** Of a value that has been walked. */
function valueEnd(bytes: Uint8Array, at: number, wire: number): number {
  if (wire === WIRE_FIXED32) return at + 4;
  if (wire === WIRE_FIXED64) return at + 8;
  if (wire === WIRE_VARINT) return readLong(bytes, at);
  const from = readLength(bytes, at);
  return from + readWords[0];
}

function walkUnknown(
  walk: EventWalk,
  message: MessagePlan,
  prefix: string,
  tag: number,
  at: number,
  end: number,
  depth: number,
): RejectionDetail | null {
  const number = tag >>> 3;
  const wire = tag & 7;
  const known = message.fields.find((field) => field.number === number);
  const name = known === undefined ? `${prefix}field ${number}` : `${prefix}${known.name}`;
  if (number === 0 || wire === WIRE_GROUP_END || wire > WIRE_FIXED32) {
    return broken(walk, prefix, at - 1, `no field can begin with the tag ${tag >>> 0}`);
  }
  const asWhat = known === undefined ? WIRE_NAMES[wire] : `${WIRE_NAMES[wire]}, where the message has ${known.type}`;
  if (walk.policy === 'reject')
    return rejection(name, '', `${name}: no such field in ${message.name}: it came as ${asWhat}`);
  if (walk.unknown !== null)
    addUnknownField(walk.unknown, known === undefined ? name : `${name} (as ${asWhat})`, () => []);
  if (skipField(walk.bytes, at, end, tag, depth) >= 0) return null;
  const what =
    wire === WIRE_GROUP ? 'a group that is nested too deep or does not end' : 'it does not end within its message';
  return broken(walk, `${name}.`, at, what);
}

/** A field as it came: `wire` tells packed numbers from single ones. `counts`: elements by field number so far. */
interface Occurrence {
  readonly field: FieldPlan;
  readonly wire: number;
  readonly path: string;
  readonly counts: Map<number, number>;
}

function walkField(walk: EventWalk, one: Occurrence, at: number, end: number, depth: number): RejectionDetail | null {
  const { bytes } = walk;
  const { field, path, counts } = one;
  const isList = field.repeated || field.type === 'map';
  const index = counts.get(field.number) ?? 0;
  if (isList && index >= LIST_ELEMENTS_MAX)
    return rejection(path, '', `${path}: more than ${LIST_ELEMENTS_MAX} elements, the most that a field may have`);
  counts.set(field.number, index + 1);
  if (one.wire !== WIRE_BYTES) {
    const stop = valueEnd(bytes, at, one.wire);
    return stop < 0 || stop > end ? broken(walk, `${path}.`, at, 'the value does not end within its message') : null;
  }
  const from = readLength(bytes, at);
  const length = readWords[0];
  if (from < 0 || from + length > end)
    return broken(walk, `${path}.`, at, 'the length goes beyond the end of its message');
  if (wireTypeOf(field) !== WIRE_BYTES) return walkPacked(walk, one, index, from, from + length);
  const element = field.repeated ? `${path}[${index}]` : path;
  switch (field.type) {
    case 'message':
      return walkMessage(walk, field.message!, `${path}.`, from, from + length, depth + 1);
    case 'map':
      return walkEntry(walk, field, path, from, from + length, depth + 1);
    case 'timestamp':
      return walkTimestamp(walk, element, from, from + length, depth + 1);
    default:
      return walkText(walk, field.type === 'string', field.repeated ? -1 : field.column, element, from, length);
  }
}

function walkPacked(
  walk: EventWalk,
  { field, path, counts }: Occurrence,
  before: number,
  from: number,
  stop: number,
): RejectionDetail | null {
  let count = 0;
  for (let p = from; p < stop; count++) {
    p = valueEnd(walk.bytes, p, wireTypeOf(field));
    if (p < 0 || p > stop)
      return broken(walk, `${path}[${before + count}].`, from, 'the value does not end within its field');
  }
  counts.set(field.number, before + count);
  if (before + count <= LIST_ELEMENTS_MAX) return null;
  const value = String(before + count);
  return rejection(path, value, `${path}: ${value} elements, the most that a field may have are ${LIST_ELEMENTS_MAX}`);
}

function walkEntry(
  walk: EventWalk,
  field: FieldPlan,
  path: string,
  at: number,
  end: number,
  depth: number,
): RejectionDetail | null {
  const value: FieldPlan = { ...field, name: 'value', number: 2, type: field.mapValue ?? 'string', column: -1 };
  const key: FieldPlan = {
    number: 1,
    name: 'key',
    jsonName: 'key',
    type: 'string',
    repeated: false,
    column: -1,
    branch: -1,
    oneof: -1,
  };
  return walkMessage(walk, { name: `an entry of ${path}`, fields: [key, value] }, `${path}.`, at, end, depth);
}

function walkTimestamp(walk: EventWalk, path: string, at: number, end: number, depth: number): RejectionDetail | null {
  const { bytes } = walk;
  let seconds = 0;
  for (let p = at; p < end;) {
    const start = p;
    p = readTag(bytes, p);
    if (p < 0 || p > end) return broken(walk, `${path}.`, start, 'a field’s tag does not end');
    const tag = readWords[0];
    if (tag === 8 && readLong(bytes, p) >= 0) seconds = (readWords[0] >>> 0) + readWords[1] * WORD;
    p = skipField(bytes, p, end, tag, depth);
    if (p < 0) return broken(walk, `${path}.`, start, 'it is no google.protobuf.Timestamp');
  }
  if (seconds >= SECONDS_MIN && seconds <= SECONDS_MAX) return null;
  return expectedGot(path, 'a time in the years 1 to 9999', `${seconds} seconds since 1970`);
}

/** `column` -1: not in a dictionary. */
function walkText(
  walk: EventWalk,
  isText: boolean,
  column: number,
  path: string,
  from: number,
  length: number,
): RejectionDetail | null {
  const { bytes } = walk;
  const shown = (): string =>
    isText ? shownText(readUtf8(bytes, from, Math.min(length, VALUE_BYTES_MAX))) : `${length} bytes`;
  if (length > STRING_BYTES_MAX)
    return rejection(path, shown(), `${path}: ${length} bytes, at most ${STRING_BYTES_MAX} are taken: ${shown()}`);
  if (isText && !isUtf8(bytes, from, length)) return expectedGot(path, 'text in UTF-8', shown());
  if (column < 0 || length === 0 || walk.isInDictionary(column, from, length)) return null;
  return rejection(
    path,
    shown(),
    `${path}: the dictionary has no room for another text (events.dictionary_max): ${shown()}`,
  );
}
