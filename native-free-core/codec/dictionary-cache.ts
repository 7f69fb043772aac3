/**
 * A small cache before the shared dictionary, one for each dictionary column of a worker: few distinct values come again and
 * again, and comparing a handful of words is cheaper than hashing the whole string. Ids never change, so nothing is
 * invalidated.
 *
 *   entry  8 words: length, id, then up to 6 words of the string, zero-padded.   Strings above 24 bytes go past the cache.
 */
// hot path: no allocation

import { EVENT_DICTIONARY_FULL, EVENT_INVALID_UTF8 } from '../base/outcomes.ts';
import type { DictionaryIntern } from '../layout/dictionary-intern.ts';
import { isUtf8 } from './utf8.ts';

const ENTRIES_BITS = 8;
const ENTRY_WORDS_BITS = 3;
const CACHED_BYTES_MAX = 24;

export function createDictionaryCache(): Int32Array {
  return new Int32Array(1 << (ENTRIES_BITS + ENTRY_WORDS_BITS));
}

/** The id of the UTF-8 string bytes[p, p + length), or an outcome. `checked`: it must be UTF-8. */
export function internText(
  cache: Int32Array,
  dictionary: DictionaryIntern,
  bytes: Uint8Array,
  view: DataView,
  p: number,
  length: number,
  checked: boolean,
): number {
  if (length === 0) return 0;
  if (length > CACHED_BYTES_MAX) return internNew(dictionary, bytes, p, length, checked);
  const words = (length + 3) >> 2;
  const lastAt = p + ((words - 1) << 2);
  const spare = ((words << 2) - length) << 3;
  // The bytes behind the string are read too, and shifted out.
  const last = ((view.getInt32(lastAt, true) << spare) >>> spare) | 0;
  const first = words === 1 ? last : view.getInt32(p, true);
  const hash = Math.imul(first ^ Math.imul(last + length, 0x9e3779b1), 0x85ebca6b) >>> (32 - ENTRIES_BITS);
  const entry = hash << ENTRY_WORDS_BITS;
  if (cache[entry] === length && cache[entry + 1 + words] === last) {
    let i = words - 2;
    while (i >= 0 && cache[entry + 2 + i] === view.getInt32(p + (i << 2), true)) i--;
    if (i < 0) return cache[entry + 1];
  }
  const id = internNew(dictionary, bytes, p, length, checked);
  if (id < 0) return id;
  cache[entry] = length;
  cache[entry + 1] = id;
  for (let i = 0; i < words - 1; i++) cache[entry + 2 + i] = view.getInt32(p + (i << 2), true);
  cache[entry + 1 + words] = last;
  return id;
}

function internNew(
  dictionary: DictionaryIntern,
  bytes: Uint8Array,
  p: number,
  length: number,
  checked: boolean,
): number {
  if (checked && !isUtf8(bytes, p, length)) return EVENT_INVALID_UTF8;
  const id = dictionary.intern(bytes, p, length);
  return id < 0 ? EVENT_DICTIONARY_FULL : id;
}
