/**
 * Numbers of a JSON text, exactly: integers from their digits, not by way of a double, whatever form they are written in
 * (12,
 * 12.0, 1.2e1); doubles to the last bit. Used by scalar.ts.
 */

import { EVENT_NUMBER_OUT_OF_RANGE, EVENT_WRONG_TYPE } from '../../base/outcomes.ts';
import { latinOrUtf8 } from './json-text.ts';
import { numberEnd } from './scan.ts';
import { WORD } from '../../base/words.ts';

/** The last integer that `readInteger` read, as the 64 bits of two's complement. */
export const integerWords = { low: 0, high: 0 };

export interface IntegerRange {
  readonly least: bigint;
  readonly most: bigint;
  /** The same as doubles; where they are no integers of a double, what is compared stays far below. */
  readonly leastNumber: number;
  readonly mostNumber: number;
}

function rangeOf(least: bigint, most: bigint): IntegerRange {
  return { least, most, leastNumber: Number(least), mostNumber: Number(most) };
}

export const INT32 = rangeOf(-(2n ** 31n), 2n ** 31n - 1n);
export const UINT32 = rangeOf(0n, 2n ** 32n - 1n);
export const INT64 = rangeOf(-(2n ** 63n), 2n ** 63n - 1n);
export const UINT64 = rangeOf(0n, 2n ** 64n - 1n);

const MINUS = 0x2d;
/** So many digits are exact as a double. */
const EXACT_DIGITS = 15;
/** A number of more digits before the point is beyond every range. */
const INTEGER_DIGITS_MAX = 24;
/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

/**
 * Reads bytes[start, end) into `integerWords`. Returns 0, EVENT_WRONG_TYPE where it is no whole number, or
 * EVENT_NUMBER_OUT_OF_RANGE.
 */
export function readInteger(bytes: Uint8Array, start: number, end: number, range: IntegerRange): number {
  const negative = start < end && bytes[start] === MINUS;
  const first = negative ? start + 1 : start;
  if (end - first > EXACT_DIGITS || end === first || (bytes[first] === 0x30 && end - first > 1))
    return readLongInteger(bytes, start, end, range);
  let value = 0;
  for (let p = first; p < end; p++) {
    const digit = bytes[p] - 0x30;
    if (digit < 0 || digit > 9) return readLongInteger(bytes, start, end, range);
    value = value * 10 + digit;
  }
  if (negative) value = -value;
  if (value < range.leastNumber || value > range.mostNumber) return EVENT_NUMBER_OUT_OF_RANGE;
  const high = Math.floor(value / WORD);
  integerWords.low = value - high * WORD;
  integerWords.high = high;
  return 0;
}

/** Many digits, a point or an exponent. */
function readLongInteger(bytes: Uint8Array, start: number, end: number, range: IntegerRange): number {
  if (numberEnd(bytes, start, end) !== end) return EVENT_WRONG_TYPE;
  const value = wholeNumber(latinOrUtf8(bytes, start, end));
  if (typeof value === 'number') return value;
  if (value < range.least || value > range.most) return EVENT_NUMBER_OUT_OF_RANGE;
  const bits = BigInt.asUintN(64, value);
  integerWords.low = Number(bits & 0xffffffffn);
  integerWords.high = Number(bits >> 32n);
  return 0;
}

/** The integer that a number in JSON's grammar is, or an outcome. */
function wholeNumber(text: string): bigint | number {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(
    text,
  )!;
  const digits = (whole + fraction).replace(/0+$/, '');
  if (digits.replace(/^0+/, '') === '') return 0n;
  // The point stands so many digits behind the first one.
  const point = whole.length + Number(exponent);
  if (digits.length > point) return EVENT_WRONG_TYPE;
  const significant = digits.replace(/^0+/, '');
  const zeros = point - digits.length;
  if (significant.length + zeros > INTEGER_DIGITS_MAX) return EVENT_NUMBER_OUT_OF_RANGE;
  return BigInt(`${sign}${significant}${'0'.repeat(zeros)}`);
}

/**
 * The double that bytes[start, end), a number in JSON's grammar, is nearest to. Up to 15 digits and a small exponent are one
 * exact division or multiplication (Clinger, 1990); for the rest the platform knows how.
 */
export function readDouble(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === MINUS;
  let value = 0;
  let digits = 0;
  let behind = 0;
  let p = negative ? start + 1 : start;
  for (; p < end; p++) {
    const digit = bytes[p] - 0x30;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits++;
    } else if (bytes[p] === 0x2e) behind = digits;
    else break;
  }
  if (p < end || digits > EXACT_DIGITS) return Number(latinOrUtf8(bytes, start, end));
  const scaled = behind === 0 ? value : value / POWERS[digits - behind];
  return negative ? -scaled : scaled;
}
