/**
 * JSON values of protobuf's scalar types, as its JSON mapping defines them, written as wire values. Strict: a value of another
 * type is refused, never converted. Used by json-event.ts.
 */

import { EVENT_INVALID_UTF8, EVENT_NUMBER_OUT_OF_RANGE, EVENT_WRONG_TYPE } from '../base/outcomes.ts';
import type { FieldPlan, ProtoScalar } from '../layout/plan.ts';
import { base64Bytes } from './base64.ts';
import {
  beginBlock,
  endBlock,
  putBlock,
  putDouble,
  putFixed32,
  putFixed64,
  putFloat,
  putLong,
  putTag,
  putText,
  putVarint,
  type ByteWriter,
} from './byte-writer.ts';
import { isWellFormed } from './utf8.ts';
import { readRfc3339, timestampOf } from './rfc3339.ts';
import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from './wire.ts';

type EnumNames = FieldPlan['enumNames'];

const INTEGER = /^-?(0|[1-9][0-9]*)$/;
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
/** Longer texts are out of every range; reading them as a BigInt would take long. */
const INTEGER_TEXT_MAX = 24;

interface Range {
  readonly least: bigint;
  readonly most: bigint;
}

const I32: Range = { least: -(2n ** 31n), most: 2n ** 31n - 1n };
const U32: Range = { least: 0n, most: 2n ** 32n - 1n };
const I64: Range = { least: -(2n ** 63n), most: 2n ** 63n - 1n };
const U64: Range = { least: 0n, most: 2n ** 64n - 1n };

/** Writes tag and value of one scalar; returns 0 or an outcome. */
export function putScalar(
  w: ByteWriter,
  number: number,
  type: ProtoScalar | 'enum',
  names: EnumNames,
  value: unknown,
): number {
  switch (type) {
    case 'int32':
    case 'sint32':
    case 'sfixed32':
      return putInteger(w, number, type, value, I32);
    case 'uint32':
    case 'fixed32':
      return putInteger(w, number, type, value, U32);
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return putInteger(w, number, type, value, I64);
    case 'uint64':
    case 'fixed64':
      return putInteger(w, number, type, value, U64);
    case 'enum':
      return putEnum(w, number, names, value);
    case 'float':
    case 'double':
      return putReal(w, number, type, value);
    case 'bool':
      if (typeof value !== 'boolean') return EVENT_WRONG_TYPE;
      putTag(w, number, WIRE_VARINT);
      putVarint(w, value ? 1 : 0);
      return 0;
    case 'string':
      if (typeof value !== 'string') return EVENT_WRONG_TYPE;
      if (!isWellFormed(value)) return EVENT_INVALID_UTF8;
      putTag(w, number, WIRE_BYTES);
      putText(w, value);
      return 0;
    case 'bytes':
      return putBytes(w, number, value);
  }
}

function putBytes(w: ByteWriter, number: number, value: unknown): number {
  const bytes = typeof value === 'string' ? base64Bytes(value) : null;
  if (bytes === null) return EVENT_WRONG_TYPE;
  putTag(w, number, WIRE_BYTES);
  putBlock(w, bytes);
  return 0;
}

/** A whole number, as a JSON number that is exact or as decimal text; or an outcome. */
function integerOf(value: unknown, range: Range): bigint | number {
  let integer: bigint;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return EVENT_NUMBER_OUT_OF_RANGE;
    if (!Number.isInteger(value)) return EVENT_WRONG_TYPE;
    // Beyond 2^53 the digits that were written are gone.
    if (!Number.isSafeInteger(value)) return EVENT_NUMBER_OUT_OF_RANGE;
    integer = BigInt(value);
  } else {
    if (typeof value !== 'string' || !INTEGER.test(value)) return EVENT_WRONG_TYPE;
    if (value.length > INTEGER_TEXT_MAX) return EVENT_NUMBER_OUT_OF_RANGE;
    integer = BigInt(value);
  }
  return integer < range.least || integer > range.most ? EVENT_NUMBER_OUT_OF_RANGE : integer;
}

function putInteger(w: ByteWriter, number: number, type: ProtoScalar, value: unknown, range: Range): number {
  const integer = integerOf(value, range);
  if (typeof integer === 'number') return integer;
  const bits = BigInt.asUintN(64, type.startsWith('sint') ? (integer << 1n) ^ (integer >> 63n) : integer);
  const low = Number(bits & 0xffffffffn);
  const high = Number(bits >> 32n);
  if (type.endsWith('fixed32')) {
    putTag(w, number, WIRE_FIXED32);
    putFixed32(w, low);
  } else if (type.endsWith('fixed64')) {
    putTag(w, number, WIRE_FIXED64);
    putFixed64(w, low, high);
  } else {
    putTag(w, number, WIRE_VARINT);
    putLong(w, low, high);
  }
  return 0;
}

function putEnum(w: ByteWriter, number: number, names: EnumNames, value: unknown): number {
  if (typeof value !== 'string') return putInteger(w, number, 'int32', value, I32);
  const known = names?.find(([, name]) => name === value);
  return known === undefined ? EVENT_WRONG_TYPE : putInteger(w, number, 'int32', known[0], I32);
}

function realOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return null;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  return NUMBER.test(value) ? Number(value) : null;
}

function putReal(w: ByteWriter, number: number, type: 'float' | 'double', value: unknown): number {
  const real = realOf(value);
  if (real === null) return EVENT_WRONG_TYPE;
  // Digits that make an infinity are too large; an infinity is written in letters.
  const inLetters = typeof value === 'string' && value.endsWith('y');
  const stored = type === 'float' ? Math.fround(real) : real;
  if (!inLetters && (stored === Infinity || stored === -Infinity)) return EVENT_NUMBER_OUT_OF_RANGE;
  putTag(w, number, type === 'float' ? WIRE_FIXED32 : WIRE_FIXED64);
  if (type === 'float') putFloat(w, real);
  else putDouble(w, real);
  return 0;
}

/** A google.protobuf.Timestamp, which in JSON is RFC 3339 text and nothing else. */
export function putTimestamp(w: ByteWriter, number: number, value: unknown): number {
  if (typeof value !== 'string' || !readRfc3339(value)) return EVENT_WRONG_TYPE;
  const { seconds, nanos } = timestampOf;
  const begin = beginBlock(w, number);
  putTag(w, 1, WIRE_VARINT);
  putLong(w, seconds % 4294967296, Math.floor(seconds / 4294967296));
  putTag(w, 2, WIRE_VARINT);
  putVarint(w, nanos);
  endBlock(w, begin);
  return 0;
}
