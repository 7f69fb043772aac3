/**
 * Reading JSON (RFC 8259) straight from bytes: white space, strings, numbers, and values that nobody wants. No objects in
 * between, so that no digit is lost, no key goes unseen, and whoever refuses something knows where it stands. Used by the
 * readers beside it.
 */

import { EVENT_INVALID_UTF8, EVENT_NESTED_TOO_DEEP } from '../../base/outcomes.ts';
import { isUtf8 } from '../utf8.ts';

/** The text is not JSON; `problem` says what was expected and `problemAt` where. */
export const JSON_SYNTAX = -1;

export interface JsonCursor {
  bytes: Uint8Array;
  /** The next byte to be read; nothing at `end` or behind it is looked at. */
  at: number;
  end: number;
  /** The last string or number: its characters without quotes, and whether a backslash is among them. */
  textStart: number;
  textEnd: number;
  escaped: boolean;
  /** Why the text is not JSON, '' where it is. */
  problem: string;
  problemAt: number;
}

export function createJsonCursor(): JsonCursor {
  const bytes = new Uint8Array(0);
  return { bytes, at: 0, end: 0, textStart: 0, textEnd: 0, escaped: false, problem: '', problemAt: 0 };
}

/** Deeper than this a value that nobody wants is refused: skipping it must not cost the stack. */
const DEPTH_MAX = 64;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const LOWER_E = 0x65;
const UPPER_E = 0x45;
const LOWER_U = 0x75;
const ESCAPES = '"\\/bfnrtu';

/** Remembers the first problem. */
export function syntaxError(c: JsonCursor, problem: string, at: number = c.at): number {
  c.problem = problem;
  c.problemAt = at;
  return JSON_SYNTAX;
}

export function skipSpace(c: JsonCursor): void {
  const { bytes, end } = c;
  let p = c.at;
  while (p < end && bytes[p] <= SPACE && (bytes[p] === SPACE || bytes[p] === 10 || bytes[p] === 13 || bytes[p] === 9))
    p++;
  c.at = p;
}

/** The byte that comes next behind white space, -1 at the end. */
export function peek(c: JsonCursor): number {
  skipSpace(c);
  return c.at < c.end ? c.bytes[c.at] : -1;
}

/**
 * Takes the string whose quote is next. Returns 0, JSON_SYNTAX, or EVENT_INVALID_UTF8 with the string taken all the same.
 */
export function takeString(c: JsonCursor): number {
  const { bytes, end } = c;
  let p = c.at + 1;
  let high = 0;
  c.textStart = p;
  c.escaped = false;
  for (;;) {
    if (p >= end) return syntaxError(c, 'a string does not end', c.at);
    const b = bytes[p];
    if (b === QUOTE) break;
    high |= b;
    if (b === BACKSLASH) {
      c.escaped = true;
      p = escapeEnd(c, p);
      if (p < 0) return JSON_SYNTAX;
    } else if (b < SPACE) return syntaxError(c, 'a string holds a control character that is not escaped', p);
    else p++;
  }
  c.textEnd = p;
  c.at = p + 1;
  return high > 127 && !isUtf8(bytes, c.textStart, p - c.textStart) ? EVENT_INVALID_UTF8 : 0;
}

/** Where the escape that begins at `at` ends; JSON_SYNTAX where it is none. */
function escapeEnd(c: JsonCursor, at: number): number {
  const { bytes, end } = c;
  if (at + 1 >= end) return syntaxError(c, 'a string does not end', at);
  if (!ESCAPES.includes(String.fromCharCode(bytes[at + 1]))) return syntaxError(c, 'an escape that JSON has not', at);
  if (bytes[at + 1] !== LOWER_U) return at + 2;
  for (let i = at + 2; i < at + 6; i++) {
    if (i >= end || hexDigit(bytes[i]) < 0) return syntaxError(c, '\\u needs four hex digits', at);
  }
  return at + 6;
}

export function hexDigit(b: number): number {
  if (b >= 0x30 && b <= 0x39) return b - 0x30;
  const letter = b | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Takes the number that is next; it stands in [textStart, textEnd). */
export function takeNumber(c: JsonCursor): number {
  c.textStart = c.at;
  c.escaped = false;
  const stop = numberEnd(c.bytes, c.at, c.end);
  if (stop < 0) return syntaxError(c, 'a number that JSON has not');
  c.textEnd = stop;
  c.at = stop;
  return 0;
}

/** Where the number that begins at `at` ends by JSON's grammar; -1 where there is none. */
export function numberEnd(bytes: Uint8Array, at: number, end: number): number {
  let p = at;
  if (p < end && bytes[p] === MINUS) p++;
  const whole = p;
  p = digitsEnd(bytes, p, end);
  if (p === whole || (bytes[whole] === 0x30 && p - whole > 1)) return -1;
  if (p < end && bytes[p] === POINT) {
    const fraction = p + 1;
    p = digitsEnd(bytes, fraction, end);
    if (p === fraction) return -1;
  }
  if (p < end && (bytes[p] === LOWER_E || bytes[p] === UPPER_E)) {
    p++;
    if (p < end && (bytes[p] === PLUS || bytes[p] === MINUS)) p++;
    const exponent = p;
    p = digitsEnd(bytes, exponent, end);
    if (p === exponent) return -1;
  }
  return p;
}

function digitsEnd(bytes: Uint8Array, at: number, end: number): number {
  let p = at;
  while (p < end && bytes[p] >= 0x30 && bytes[p] <= 0x39) p++;
  return p;
}

const TRUE = [0x74, 0x72, 0x75, 0x65];
const FALSE = [0x66, 0x61, 0x6c, 0x73, 0x65];
const NULL = [0x6e, 0x75, 0x6c, 0x6c];

/** Whether the word is next; it is then taken. */
function takeWord(c: JsonCursor, word: readonly number[]): boolean {
  if (c.at + word.length > c.end) return false;
  for (let i = 0; i < word.length; i++) if (c.bytes[c.at + i] !== word[i]) return false;
  c.at += word.length;
  return true;
}

export function takeTrue(c: JsonCursor): boolean {
  return takeWord(c, TRUE);
}

export function takeFalse(c: JsonCursor): boolean {
  return takeWord(c, FALSE);
}

export function takeNull(c: JsonCursor): boolean {
  return takeWord(c, NULL);
}

/** Takes the colon behind a key and the white space around it. */
export function takeColon(c: JsonCursor): number {
  if (peek(c) !== COLON) return syntaxError(c, 'expected a colon behind the key');
  c.at++;
  skipSpace(c);
  return 0;
}

/**
 * What comes behind an element or a member: 1 where there is another one, whose first byte is next; 0 behind the closing
 * byte, which is taken.
 */
export function takeNext(c: JsonCursor, close: number): number {
  const b = peek(c);
  if (b === close) {
    c.at++;
    return 0;
  }
  if (b !== COMMA) return syntaxError(c, `expected a comma or ${String.fromCharCode(close)}`);
  c.at++;
  skipSpace(c);
  return 1;
}

/** Takes the bracket or brace that is next. Returns 1 where something is inside, 0 behind the closing byte of nothing. */
export function takeOpening(c: JsonCursor, close: number): number {
  c.at++;
  if (peek(c) !== close) return 1;
  c.at++;
  return 0;
}

/** Takes any value. Returns 0, JSON_SYNTAX, or an outcome: nested too deep, not UTF-8. */
export function skipValue(c: JsonCursor, depth = 0): number {
  const b = peek(c);
  if (b === QUOTE) return takeString(c);
  if (b === OPEN_BRACE || b === OPEN_BRACKET) return skipInside(c, b === OPEN_BRACE, depth);
  if (b === MINUS || (b >= 0x30 && b <= 0x39)) return takeNumber(c);
  if (takeTrue(c) || takeFalse(c) || takeNull(c)) return 0;
  return syntaxError(c, 'expected a value');
}

function skipInside(c: JsonCursor, isObject: boolean, depth: number): number {
  if (depth >= DEPTH_MAX) return EVENT_NESTED_TOO_DEEP;
  const close = isObject ? CLOSE_BRACE : CLOSE_BRACKET;
  let worst = 0;
  let more = takeOpening(c, close);
  while (more > 0) {
    if (isObject) {
      const key = takeKey(c);
      if (key === JSON_SYNTAX) return key;
      worst = Math.min(worst, key);
    }
    const outcome = skipValue(c, depth + 1);
    if (outcome === JSON_SYNTAX || outcome === EVENT_NESTED_TOO_DEEP) return outcome;
    worst = Math.min(worst, outcome);
    more = takeNext(c, close);
  }
  return more < 0 ? more : worst;
}

/** Takes a key and its colon; the value is next. */
export function takeKey(c: JsonCursor): number {
  if (peek(c) !== QUOTE) return syntaxError(c, 'expected a key in quotes');
  const outcome = takeString(c);
  if (outcome === JSON_SYNTAX) return outcome;
  const { textStart, textEnd, escaped } = c;
  if (takeColon(c) < 0) return JSON_SYNTAX;
  c.textStart = textStart;
  c.textEnd = textEnd;
  c.escaped = escaped;
  return outcome;
}

/**
 * Goes behind the value that begins at `at`, whatever is wrong within: an event that is refused halfway is left so. Brackets
 * only are counted, so it takes no stack. Returns 0, or JSON_SYNTAX where it does not end.
 */
export function leaveValue(c: JsonCursor, at: number): number {
  c.at = at;
  let depth = 0;
  do {
    const b = peek(c);
    if (b === QUOTE) {
      if (takeString(c) === JSON_SYNTAX) return JSON_SYNTAX;
    } else if (b === OPEN_BRACE || b === OPEN_BRACKET) {
      depth++;
      c.at++;
    } else if (b === CLOSE_BRACE || b === CLOSE_BRACKET) {
      depth--;
      c.at++;
    } else if (b === COMMA || b === COLON) {
      c.at++;
    } else {
      const outcome = skipValue(c);
      if (outcome < 0) return outcome;
    }
  } while (depth > 0);
  return 0;
}
