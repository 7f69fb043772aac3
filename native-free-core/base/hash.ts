/**
 * 128-bit hashes of byte strings and integers, as four Int32 words. They stand for keys in the shared tables: two
 * different keys with one hash are not to be expected within the life of the universe, so keys themselves are not kept.
 * MurmurHash3 x86_128 (Austin Appleby, public domain), the variant that needs 32-bit multiplications only.
 */
// hot path: no allocation

const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

function finish(x: number): number {
  let h = x ^ (x >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function tailWord(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = end - 1; i >= at; i--) value = (value << 8) | bytes[i];
  return value;
}

/** Hashes bytes[start, start + length) and writes four words to out[at..at+3]. */
export function hashBytes(
  bytes: Uint8Array,
  start: number,
  length: number,
  seed: number,
  out: Int32Array,
  at: number,
): void {
  let h1 = seed;
  let h2 = seed;
  let h3 = seed;
  let h4 = seed;
  let p = start;
  const end = start + length;
  for (; p + 16 <= end; p += 16) {
    h1 ^= Math.imul(rotate(Math.imul(word(bytes, p), C1), 15), C2);
    h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotate(Math.imul(word(bytes, p + 4), C2), 16), C3);
    h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotate(Math.imul(word(bytes, p + 8), C3), 17), C4);
    h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotate(Math.imul(word(bytes, p + 12), C4), 18), C1);
    h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  const rest = end - p;
  if (rest > 12) h4 ^= Math.imul(rotate(Math.imul(tailWord(bytes, p + 12, end), C4), 18), C1);
  if (rest > 8) h3 ^= Math.imul(rotate(Math.imul(tailWord(bytes, p + 8, rest > 12 ? p + 12 : end), C3), 17), C4);
  if (rest > 4) h2 ^= Math.imul(rotate(Math.imul(tailWord(bytes, p + 4, rest > 8 ? p + 8 : end), C2), 16), C3);
  if (rest > 0) h1 ^= Math.imul(rotate(Math.imul(tailWord(bytes, p, rest > 4 ? p + 4 : end), C1), 15), C2);
  finishWords(h1 ^ length, h2 ^ length, h3 ^ length, h4 ^ length, out, at);
}

function finishWords(a: number, b: number, c: number, d: number, out: Int32Array, at: number): void {
  let h1 = (a + b + c + d) | 0;
  let h2 = (b + h1) | 0;
  let h3 = (c + h1) | 0;
  let h4 = (d + h1) | 0;
  h1 = finish(h1);
  h2 = finish(h2);
  h3 = finish(h3);
  h4 = finish(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  out[at] = h1;
  out[at + 1] = (h2 + h1) | 0;
  out[at + 2] = (h3 + h1) | 0;
  out[at + 3] = (h4 + h1) | 0;
}

/** Folds the four words at `from` into the four at `into`: the hash of a composite key. Order matters. */
export function combineWords(into: Int32Array, at: number, from: Int32Array, fromAt: number): void {
  const h1 = Math.imul(into[at], C1) ^ rotate(from[fromAt], 13);
  const h2 = Math.imul(into[at + 1], C2) ^ rotate(from[fromAt + 1], 15);
  const h3 = Math.imul(into[at + 2], C3) ^ rotate(from[fromAt + 2], 17);
  const h4 = Math.imul(into[at + 3], C4) ^ rotate(from[fromAt + 3], 19);
  finishWords(h1, h2, h3, h4, into, at);
}

/** Spreads a key's words over table slots; integers are their own key words, so this mixes them well. */
export function slotHash(k0: number, k1: number, k2: number, k3: number): number {
  return finish(k0 ^ Math.imul(k1, C1) ^ Math.imul(k2, C2) ^ Math.imul(k3, C3));
}
