/** Base64 by hand (RFC 4648): both alphabets, padding or none, as protobuf's JSON mapping wants. Used by json-scalar.ts. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const INVALID = 255;

const digits = new Uint8Array(128).fill(INVALID);
for (let i = 0; i < 64; i++) digits[ALPHABET.charCodeAt(i)] = i;
digits['-'.charCodeAt(0)] = 62;
digits['_'.charCodeAt(0)] = 63;

/** The bytes that `text` stands for; null where it is not base64. */
export function base64Bytes(text: string): Uint8Array | null {
  let length = text.length;
  while (length > 0 && text.length - length < 2 && text.charCodeAt(length - 1) === 61) length--;
  if (length !== text.length && text.length % 4 !== 0) return null;
  if (length % 4 === 1) return null;
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    const digit = c < 128 ? digits[c] : INVALID;
    if (digit === INVALID) return null;
    bits = ((bits << 6) | digit) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[at++] = bits >>> held;
  }
  return bytes;
}
