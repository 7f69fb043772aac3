/**
 * How many events a JSON frame holds, without decoding them: one pass over the bytes. Frames that do not parse count as
 * none. Also where a frame's seq stands. Ingress threads, for frames that are refused.
 */
// hot path: no allocation

import { WORD } from '../../base/words.ts';
import { setSeq, type Seq } from '../../layout/seq.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const NEWLINE = 0x0a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;

const EVENTS = new Uint8Array([0x65, 0x76, 0x65, 0x6e, 0x74, 0x73]);
const SEQ = new Uint8Array([0x73, 0x65, 0x71]);

/** Events of a JSON frame. */
export function countJsonEvents(bytes: Uint8Array): number {
  const at = skipSpace(bytes, 0);
  if (bytes[at] === OPEN_BRACKET) return countElements(bytes, at);
  if (bytes[at] !== OPEN_BRACE) return 0;
  const events = memberValue(bytes, at, EVENTS);
  // An object without a list of events is one event.
  return events >= 0 && bytes[events] === OPEN_BRACKET ? countElements(bytes, events) : 1;
}

/** Writes the `seq` of a JSON frame, in digits or as their text, to `to`; 0 where it has none. */
export function findJsonSeq(bytes: Uint8Array, to: Seq): void {
  setSeq(to, 0);
  const at = skipSpace(bytes, 0);
  let p = bytes[at] === OPEN_BRACE ? memberValue(bytes, at, SEQ) : -1;
  if (p < 0) return;
  if (bytes[p] === QUOTE) p++;
  for (; p < bytes.length; p++) {
    const digit = bytes[p]! - 0x30;
    if (digit < 0 || digit > 9) return;
    const low = to.low * 10 + digit;
    to.low = low >>> 0;
    to.high = (to.high * 10 + Math.floor(low / WORD)) >>> 0;
  }
}

/** Events of an NDJSON frame. */
export function countLines(bytes: Uint8Array): number {
  let lines = 0;
  let blank = true;
  for (let p = 0; p < bytes.length; p++) {
    const byte = bytes[p]!;
    if (byte === NEWLINE) blank = true;
    else if (blank && byte > SPACE) {
      blank = false;
      lines++;
    }
  }
  return lines;
}

function skipSpace(bytes: Uint8Array, at: number): number {
  let p = at;
  while (p < bytes.length && bytes[p]! <= SPACE) p++;
  return p;
}

/** Where the string that begins at `at` (its quote) has ended. */
function skipString(bytes: Uint8Array, at: number): number {
  let p = at + 1;
  while (p < bytes.length && bytes[p] !== QUOTE) p += bytes[p] === BACKSLASH ? 2 : 1;
  return p + 1;
}

/** Elements of the list that begins at `at` (its bracket); 0 where it does not end. */
function countElements(bytes: Uint8Array, at: number): number {
  let depth = 0;
  let commas = 0;
  let empty = true;
  for (let p = at; p < bytes.length;) {
    const byte = bytes[p]!;
    if (depth === 1 && byte > SPACE && byte !== CLOSE_BRACKET) empty = false;
    if (byte === QUOTE) {
      p = skipString(bytes, p);
      continue;
    }
    if (byte === OPEN_BRACKET || byte === OPEN_BRACE) depth++;
    else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
      if (--depth === 0) return empty ? 0 : commas + 1;
    } else if (byte === COMMA && depth === 1) commas++;
    p++;
  }
  return 0;
}

/** Where the value of a member of the object at `at` (its brace) begins; -1 where it has no such member. */
function memberValue(bytes: Uint8Array, at: number, name: Uint8Array): number {
  let depth = 0;
  for (let p = at; p < bytes.length;) {
    const byte = bytes[p]!;
    if (byte === QUOTE) {
      const end = skipString(bytes, p);
      const colon = depth === 1 ? skipSpace(bytes, end) : -1;
      if (colon >= 0 && bytes[colon] === COLON) {
        const value = skipSpace(bytes, colon + 1);
        if (equals(bytes, p + 1, end - 1, name)) return value;
        p = value;
      } else p = end;
      continue;
    }
    if (byte === OPEN_BRACKET || byte === OPEN_BRACE) depth++;
    else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
      if (--depth === 0) return -1;
    }
    p++;
  }
  return -1;
}

function equals(bytes: Uint8Array, from: number, end: number, name: Uint8Array): boolean {
  if (end - from !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return false;
  return true;
}
