/**
 * JSON values of protobuf's scalar types, as its JSON mapping defines them, written as wire values. Strict: a value of
 * another type is refused, never converted; numbers may stand in quotes. Used by event.ts.
 */

import { EVENT_INVALID_UTF8, EVENT_NUMBER_OUT_OF_RANGE, EVENT_WRONG_TYPE } from '../../base/outcomes.ts';
import { WORD } from '../../base/words.ts';
import type { FieldPlan, ProtoScalar } from '../../plan/plan.ts';
import { putBase64 } from '../base64.ts';
import {
  beginBlock,
  putBlockOf,
  putDouble,
  putFixed32,
  putFixed64,
  putFloat,
  putLong,
  putTag,
  putVarint,
  type ByteWriter,
  endBlock,
} from '../byte-writer.ts';
import { readRfc3339, timestampOf } from '../rfc3339.ts';
import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from '../wire.ts';
import {
  INT32,
  INT64,
  UINT32,
  UINT64,
  integerWords,
  readDouble,
  readInteger,
  type IntegerRange,
} from './json-number.ts';
import {
  JSON_SYNTAX,
  QUOTE,
  numberEnd,
  skipValue,
  takeFalse,
  takeNumber,
  takeString,
  takeTrue,
  type JsonCursor,
} from './scan.ts';
import { plainString, plainText, resolveText } from './json-text.ts';

export type ScalarType = ProtoScalar | 'enum' | 'timestamp';
export type EnumNames = FieldPlan['enumNames'];

/** Takes the value that is next and writes it under a tag; returns 0, JSON_SYNTAX or an outcome. */
export function putScalar(w: ByteWriter, number: number, type: ScalarType, names: EnumNames, c: JsonCursor): number {
  switch (type) {
    case 'int32':
    case 'sint32':
    case 'sfixed32':
      return putInteger(w, number, type, INT32, c);
    case 'uint32':
    case 'fixed32':
      return putInteger(w, number, type, UINT32, c);
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return putInteger(w, number, type, INT64, c);
    case 'uint64':
    case 'fixed64':
      return putInteger(w, number, type, UINT64, c);
    case 'enum':
      return putEnum(w, number, names, c);
    case 'float':
    case 'double':
      return putReal(w, number, type, c);
    case 'bool':
      return putBool(w, number, c);
    case 'string':
      return putString(w, number, c);
    case 'bytes':
      return putBytes(w, number, c);
    case 'timestamp':
      return putTimestamp(w, number, c);
  }
}

/** What people are told to write. */
export function expectedOf(type: ScalarType, names: EnumNames): string {
  switch (type) {
    case 'enum':
      return enumExpectation(names);
    case 'bytes':
      return 'bytes in base64';
    case 'float':
    case 'double':
      return `${type} (a number)`;
    case 'timestamp':
      return 'a time such as "2026-01-31T12:00:00Z"';
    default:
      return type;
  }
}

const NAMES_SHOWN_MAX = 6;

function enumExpectation(names: EnumNames): string {
  const known = (names ?? []).map(([, name]) => name);
  const more = known.length > NAMES_SHOWN_MAX ? ', …' : '';
  return `one of ${known.slice(0, NAMES_SHOWN_MAX).join(', ')}${more}, or a number`;
}

/** Takes the next value, a string or a number, for its characters; another kind of value is EVENT_WRONG_TYPE. */
function takeCharacters(c: JsonCursor): number {
  if (c.at < c.end && c.bytes[c.at] === QUOTE) return takeString(c);
  const b = c.at < c.end ? c.bytes[c.at] : -1;
  if (b === 0x2d || (b >= 0x30 && b <= 0x39)) return takeNumber(c);
  return wrongType(c);
}

/** The value is of another kind; what is no value at all is a mistake in the JSON. */
function wrongType(c: JsonCursor): number {
  return skipValue(c) === JSON_SYNTAX ? JSON_SYNTAX : EVENT_WRONG_TYPE;
}

function takeQuoted(c: JsonCursor): number {
  return c.at < c.end && c.bytes[c.at] === QUOTE ? takeString(c) : wrongType(c);
}

function putInteger(w: ByteWriter, number: number, type: ProtoScalar, range: IntegerRange, c: JsonCursor): number {
  const taken = takeCharacters(c);
  if (taken < 0) return taken;
  const outcome = readInteger(c.bytes, c.textStart, c.textEnd, range);
  if (outcome < 0) return outcome;
  putIntegerWords(w, number, type);
  return 0;
}

function putIntegerWords(w: ByteWriter, number: number, type: ProtoScalar): void {
  const { low, high } = integerWords;
  if (type.endsWith('fixed32')) {
    putTag(w, number, WIRE_FIXED32);
    putFixed32(w, low);
  } else if (type.endsWith('fixed64')) {
    putTag(w, number, WIRE_FIXED64);
    putFixed64(w, low, high);
  } else {
    putTag(w, number, WIRE_VARINT);
    if (type.startsWith('sint')) {
      // Zigzag of 64 bits; of a 32-bit number it is the same.
      const sign = high >> 31;
      putLong(w, (low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign);
    } else putLong(w, low, high);
  }
}

function putEnum(w: ByteWriter, number: number, names: EnumNames, c: JsonCursor): number {
  if (c.at >= c.end || c.bytes[c.at] !== QUOTE) return putInteger(w, number, 'int32', INT32, c);
  const taken = takeString(c);
  if (taken < 0) return taken;
  if (!resolveText(c)) return EVENT_INVALID_UTF8;
  const value = numberOfName(names, plainString());
  if (value === undefined) return EVENT_WRONG_TYPE;
  putTag(w, number, WIRE_VARINT);
  putLong(w, value, Math.floor(value / WORD));
  return 0;
}

const numbersByName = new WeakMap<NonNullable<EnumNames>, Map<string, number>>();

function numberOfName(names: EnumNames, name: string): number | undefined {
  if (names === undefined) return undefined;
  let numbers = numbersByName.get(names);
  if (numbers === undefined) {
    numbers = new Map(names.map(([number, one]) => [one, number]));
    numbersByName.set(names, numbers);
  }
  return numbers.get(name);
}

function putReal(w: ByteWriter, number: number, type: 'float' | 'double', c: JsonCursor): number {
  const quoted = c.at < c.end && c.bytes[c.at] === QUOTE;
  const taken = takeCharacters(c);
  if (taken < 0) return taken;
  const { bytes, textStart, textEnd } = c;
  let real: number;
  let inLetters = false;
  if (!quoted || numberEnd(bytes, textStart, textEnd) === textEnd) real = readDouble(bytes, textStart, textEnd);
  else {
    if (!resolveText(c)) return EVENT_INVALID_UTF8;
    const word = plainString();
    inLetters = word === 'NaN' || word === 'Infinity' || word === '-Infinity';
    if (!inLetters) return EVENT_WRONG_TYPE;
    real = Number(word);
  }
  const stored = type === 'float' ? Math.fround(real) : real;
  // Digits that make an infinity are too large; an infinity is written in letters.
  if (!inLetters && (stored === Infinity || stored === -Infinity)) return EVENT_NUMBER_OUT_OF_RANGE;
  putTag(w, number, type === 'float' ? WIRE_FIXED32 : WIRE_FIXED64);
  if (type === 'float') putFloat(w, real);
  else putDouble(w, real);
  return 0;
}

function putBool(w: ByteWriter, number: number, c: JsonCursor): number {
  const value = takeTrue(c);
  if (!value && !takeFalse(c)) return wrongType(c);
  putTag(w, number, WIRE_VARINT);
  putVarint(w, value ? 1 : 0);
  return 0;
}

function putString(w: ByteWriter, number: number, c: JsonCursor): number {
  const taken = takeQuoted(c);
  if (taken < 0) return taken;
  if (!resolveText(c)) return EVENT_INVALID_UTF8;
  putTag(w, number, WIRE_BYTES);
  putBlockOf(w, plainText.bytes, plainText.start, plainText.end);
  return 0;
}

function putBytes(w: ByteWriter, number: number, c: JsonCursor): number {
  const taken = takeQuoted(c);
  if (taken < 0) return taken;
  if (!resolveText(c)) return EVENT_INVALID_UTF8;
  const begin = beginBlock(w, number);
  if (!putBase64(w, plainText.bytes, plainText.start, plainText.end)) return EVENT_WRONG_TYPE;
  endBlock(w, begin);
  return 0;
}

/** A google.protobuf.Timestamp, which in JSON is RFC 3339 text and nothing else. */
function putTimestamp(w: ByteWriter, number: number, c: JsonCursor): number {
  const taken = takeQuoted(c);
  if (taken < 0) return taken;
  if (!resolveText(c)) return EVENT_INVALID_UTF8;
  if (!readRfc3339(plainString())) return EVENT_WRONG_TYPE;
  const { seconds, nanos } = timestampOf;
  const begin = beginBlock(w, number);
  putTag(w, 1, WIRE_VARINT);
  putLong(w, seconds % WORD, Math.floor(seconds / WORD));
  putTag(w, 2, WIRE_VARINT);
  putVarint(w, nanos);
  endBlock(w, begin);
  return 0;
}
