/** Base64 by hand (RFC 4648): both alphabets, padding or none, as protobuf's JSON mapping wants. Used by json/scalar.ts. */

import { makeRoom, type ByteWriter } from './byte-writer.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const INVALID = 255;
const PADDING = 0x3d;

const digits = new Uint8Array(256).fill(INVALID);
for (let i = 0; i < 64; i++) digits[ALPHABET.charCodeAt(i)] = i;
digits['-'.charCodeAt(0)] = 62;
digits['_'.charCodeAt(0)] = 63;

/** Appends the bytes that the characters text[start, end) stand for; false where they are not base64. */
export function putBase64(w: ByteWriter, text: Uint8Array, start: number, end: number): boolean {
  let stop = end;
  while (stop > start && end - stop < 2 && text[stop - 1] === PADDING) stop--;
  if (stop !== end && (end - start) % 4 !== 0) return false;
  if ((stop - start) % 4 === 1) return false;
  makeRoom(w, stop - start);
  const { bytes } = w;
  let bits = 0;
  let held = 0;
  let at = w.end;
  for (let i = start; i < stop; i++) {
    const digit = digits[text[i]];
    if (digit === INVALID) return false;
    bits = ((bits << 6) | digit) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[at++] = bits >>> held;
  }
  w.end = at;
  return true;
}
