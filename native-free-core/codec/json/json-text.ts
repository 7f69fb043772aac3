/**
 * What the last string of a JSON text says, its escapes resolved; and bounded pieces of a text for people. Used by the
 * readers beside it.
 */

import { readUtf8, writeCharacter } from '../utf8.ts';
import { hexDigit, type JsonCursor } from './scan.ts';

const BACKSLASH = 0x5c;
const LOWER_U = 0x75;

/** The string that `resolveText` has resolved: bytes[start, end). Valid until the next one. */
export interface PlainText {
  bytes: Uint8Array;
  start: number;
  end: number;
}

export const plainText: PlainText = { bytes: new Uint8Array(0), start: 0, end: 0 };
let scratch = new Uint8Array(1024);

/** Sets `plainText` to the last string's bytes; false where a surrogate stands alone, which no UTF-8 can say. */
export function resolveText(c: JsonCursor): boolean {
  plainText.bytes = c.bytes;
  plainText.start = c.textStart;
  plainText.end = c.textEnd;
  return !c.escaped || resolveEscapes(c);
}

function resolveEscapes(c: JsonCursor): boolean {
  const { bytes, textStart, textEnd } = c;
  // An escape is never shorter than what it stands for.
  if (textEnd - textStart > scratch.length) scratch = new Uint8Array((textEnd - textStart) * 2);
  let out = 0;
  for (let p = textStart; p < textEnd;) {
    if (bytes[p] !== BACKSLASH) {
      scratch[out++] = bytes[p++];
    } else if (bytes[p + 1] !== LOWER_U) {
      scratch[out++] = simpleEscape(bytes[p + 1]);
      p += 2;
    } else {
      let unit = codeUnit(bytes, p);
      p += 6;
      if (unit >= 0xd800 && unit <= 0xdfff) {
        const low = unit < 0xdc00 && p + 6 <= textEnd && bytes[p] === BACKSLASH ? codeUnit(bytes, p) : 0;
        if (low < 0xdc00 || low > 0xdfff) return false;
        unit = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
        p += 6;
      }
      out = writeCharacter(scratch, out, unit);
    }
  }
  plainText.bytes = scratch;
  plainText.start = 0;
  plainText.end = out;
  return true;
}

/** 0 where it is no \u. */
function codeUnit(bytes: Uint8Array, at: number): number {
  if (bytes[at + 1] !== LOWER_U) return 0;
  return (
    (hexDigit(bytes[at + 2]) << 12) |
    (hexDigit(bytes[at + 3]) << 8) |
    (hexDigit(bytes[at + 4]) << 4) |
    hexDigit(bytes[at + 5])
  );
}

function simpleEscape(letter: number): number {
  switch (letter) {
    case 0x62:
      return 8;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
    default:
      return letter;
  }
}

/** `plainText` as a text; what is not UTF-8 becomes U+FFFD. */
export function plainString(): string {
  return latinOrUtf8(plainText.bytes, plainText.start, plainText.end);
}

/** Numbers, names and times are ASCII nearly always. */
export function latinOrUtf8(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let p = start; p < end; p++) {
    if (bytes[p] > 127) return readUtf8(bytes, start, end - start);
    text += String.fromCharCode(bytes[p]);
  }
  return text;
}
