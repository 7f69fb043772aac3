/**
 * Protobuf's own messages in the JSON form that they have instead of an object: google.protobuf.Duration as "1.500s", the
 * nine wrappers as the value alone, FieldMask as "a,b.cD". The object form ({"seconds": …}, {"value": …}) is taken, too.
 * Used by event.ts.
 */

import { EVENT_INVALID_UTF8, EVENT_NUMBER_OUT_OF_RANGE, EVENT_WRONG_TYPE } from '../../base/outcomes.ts';
import { WORD } from '../../base/words.ts';
import { putLong, putTag, appendText } from '../byte-writer.ts';
import { WIRE_BYTES, WIRE_VARINT } from '../wire.ts';
import type { JsonReading } from './reading.ts';
import { failExpected, failWith } from './failure.ts';
import type { JsonMessage } from './json-message.ts';
import { JSON_SYNTAX, QUOTE, skipValue, takeString, type JsonCursor } from './scan.ts';
import { expectedOf, putScalar, type ScalarType } from './scalar.ts';
import { plainString, resolveText } from './json-text.ts';

/** Some 10,000 years, as its definition has it. */
const DURATION_SECONDS_MAX = 315_576_000_000;
const DURATION = /^(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s$/;
const MASK_PATH = /^[a-zA-Z][a-zA-Z0-9]*(\.[a-zA-Z][a-zA-Z0-9]*)*$/;

/** Takes the value that is next, which is no object, and writes the message's content. As takeMessage. */
export function putWellKnown(r: JsonReading, message: JsonMessage, path: string, c: JsonCursor): number {
  switch (message.wellKnown) {
    case 'duration':
      return putDuration(r, path, c);
    case 'wrapper':
      return putWrapped(r, message, path, c);
    case 'field-mask':
      return putFieldMask(r, path, c);
    default: {
      const valueAt = c.at;
      return skipValue(c) === JSON_SYNTAX ? JSON_SYNTAX : refuseAny(path, valueAt);
    }
  }
}

/** The text of the string that is next; null where it is none, with the outcome in `failed`. */
let failed = 0;
function takeText(path: string, expected: string, c: JsonCursor): string | null {
  const valueAt = c.at;
  const isString = c.at < c.end && c.bytes[c.at] === QUOTE;
  failed = isString ? takeString(c) : skipValue(c);
  if (failed === JSON_SYNTAX) return null;
  if (!isString) failed = failExpected(EVENT_WRONG_TYPE, path, expected, valueAt);
  else if (failed < 0 || !resolveText(c)) failed = failExpected(EVENT_INVALID_UTF8, path, 'text in UTF-8', valueAt);
  return failed < 0 ? null : plainString();
}

function putDuration({ w }: JsonReading, path: string, c: JsonCursor): number {
  const expected = 'a duration such as "1.5s"';
  const valueAt = c.at;
  const text = takeText(path, expected, c);
  if (text === null) return failed;
  const match = DURATION.exec(text);
  if (match === null) return failExpected(EVENT_WRONG_TYPE, path, expected, valueAt);
  const sign = match[1] === '-' ? -1 : 1;
  const seconds = Number(match[2]);
  const nanos = sign * Number((match[3] ?? '').padEnd(9, '0'));
  if (seconds > DURATION_SECONDS_MAX) return failExpected(EVENT_NUMBER_OUT_OF_RANGE, path, expected, valueAt);
  putTag(w, 1, WIRE_VARINT);
  putLong(w, (sign * seconds) % WORD, Math.floor((sign * seconds) / WORD));
  putTag(w, 2, WIRE_VARINT);
  putLong(w, nanos, nanos < 0 ? -1 : 0);
  return 0;
}

/** `value` is the one field of all nine. */
function putWrapped({ w }: JsonReading, message: JsonMessage, path: string, c: JsonCursor): number {
  const { number, type } = message.fields[0].field;
  const valueAt = c.at;
  const outcome = putScalar(w, number, type as ScalarType, undefined, c);
  if (outcome >= 0 || outcome === JSON_SYNTAX) return outcome;
  return failExpected(outcome, path, expectedOf(type as ScalarType, undefined), valueAt);
}

function putFieldMask({ w }: JsonReading, path: string, c: JsonCursor): number {
  const expected = 'paths such as "name,address.zipCode"';
  const valueAt = c.at;
  const text = takeText(path, expected, c);
  if (text === null) return failed;
  if (text === '') return 0;
  for (const one of text.split(',')) {
    if (!MASK_PATH.test(one)) return failExpected(EVENT_WRONG_TYPE, path, expected, valueAt);
    putTag(w, 1, WIRE_BYTES);
    appendText(
      w,
      one.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    );
  }
  return 0;
}

/** Its JSON names a type that the server would have to know; as an object of its two fields it is bytes. */
export function refuseAny(path: string, valueAt: number): number {
  const advice = `${path}: this form of google.protobuf.Any is not taken; send {"typeUrl": …, "value": base64}, or protobuf`;
  return failWith(EVENT_WRONG_TYPE, path, advice, valueAt);
}
