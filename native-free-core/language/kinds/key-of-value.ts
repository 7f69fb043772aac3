/**
 * How a column's value becomes the four words of a key, in emitted code and from the text of a look-up:
 *
 *   integer, time, bool     low, high of the 64-bit value, 0, 1
 *   code, enum, dictionary  their number the same way
 *   double                  low, high of its bits (-0 as 0), 0, 2
 *   string, bytes           murmur3-128 of the bytes
 */

import { KEY_TAG_INTEGER } from '../../state/key-list.ts';

export const KEY_HASH_SEED = 2;
export const KEY_TAG_DOUBLE = 2;

export interface KeyPart {
  /** JavaScript: whether row r is 0 or '', which is no key where a field has no presence. `array`: `c7`, before `_u32`. */
  isZero(array: string): string;
  /** JavaScript that puts row r's value into `words` from `at` on. */
  store(array: string, words: string, at: string): string;
  readonly fromText: KeyText;
}

/** What a look-up's text is: an integer within a range, a label whose number the column knows, and so on. */
export type KeyText =
  | { readonly form: 'text' }
  | { readonly form: 'double' }
  | { readonly form: 'label' }
  /** `takesWords`: `true` and `false` stand for 1 and 0. */
  | { readonly form: 'integer'; readonly range: KeyRange; readonly takesWords: boolean };

/** First and last, both included. A key beyond its field's type is no key: its low bits would be another one's. */
export type KeyRange = readonly [least: bigint, most: bigint];

export const INT32_RANGE: KeyRange = [-(2n ** 31n), 2n ** 31n - 1n];
export const INT64_RANGE: KeyRange = [-(2n ** 63n), 2n ** 63n - 1n];

export function storeKeyWords(words: string, at: string, low: string, high: string, tag: number): string {
  return `${words}[${at}] = ${low}; ${words}[${at} + 1] = ${high}; ${words}[${at} + 2] = 0; ${words}[${at} + 3] = ${tag};`;
}

/** Of up to 32 bits. */
export function narrowKey(name: 'u8' | 'u16' | 'u32' | 'i32', fromText: KeyText): KeyPart {
  return {
    isZero: (array) => `${array}_${name}[r] === 0`,
    store: (array, words, at) => {
      const high = name === 'i32' ? `${array}_i32[r] >> 31` : '0';
      return storeKeyWords(words, at, `${array}_${name}[r]`, high, KEY_TAG_INTEGER);
    },
    fromText,
  };
}

/** Of 64 bits. */
export function wideKey(range: KeyRange): KeyPart {
  return {
    isZero: (array) => `(${array}_i32[2 * r] | ${array}_i32[2 * r + 1]) === 0`,
    store: (array, words, at) =>
      storeKeyWords(words, at, `${array}_i32[2 * r]`, `${array}_i32[2 * r + 1]`, KEY_TAG_INTEGER),
    fromText: { form: 'integer', range, takesWords: false },
  };
}

export function doubleKey(name: 'f32' | 'f64'): KeyPart {
  return {
    isZero: (array) => `${array}_${name}[r] === 0`,
    store: (array, words, at) =>
      `bits[0] = ${array}_${name}[r] + 0; ${storeKeyWords(words, at, 'bitWords[0]', 'bitWords[1]', KEY_TAG_DOUBLE)}`,
    fromText: { form: 'double' },
  };
}

export const TEXT_KEY: KeyPart = {
  isZero: (array) => `${array}_lengths[r] === 0`,
  store: (array, words, at) =>
    `hashBytes(${array}_heap, ${array}_starts[r], ${array}_lengths[r], ${KEY_HASH_SEED}, ${words}, ${at});`,
  fromText: { form: 'text' },
};
