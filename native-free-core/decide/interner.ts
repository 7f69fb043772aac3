/**
 * The dictionary as the decoder sees it: values of dictionary fields become ids. One producer may add a quarter of the
 * entries, and of their bytes, at the most, so that a stranger cannot use up what the others need; frames that name no
 * producer are one producer here. Each worker has one.
 */
// hot path: no allocation

import type { DictionaryIntern } from '../layout/dictionary-intern.ts';
import {
  DICTIONARY_ABSENT,
  DICTIONARY_FULL,
  dictionaryCount,
  findEntry,
  internEntry,
  type Dictionary,
} from '../state/dictionary.ts';
import { countEntry, entriesAdded, entryBytesAdded } from '../state/producer-budgets.ts';
import type { Producers } from '../state/producers.ts';

const SHARE = 4;

export interface Interner extends DictionaryIntern {
  /** Whose frame is decoded: a row of the producer table. */
  producer: number;
}

export function createInterner(dictionary: Dictionary, producers: Producers): Interner {
  const interner: Interner = {
    producer: 0,
    intern: (bytes, start, length) => intern(dictionary, producers, interner.producer, bytes, start, length),
  };
  return interner;
}

function intern(
  dictionary: Dictionary,
  producers: Producers,
  producer: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): number {
  const known = findEntry(dictionary, bytes, start, length);
  if (known !== DICTIONARY_ABSENT) return known;
  if (entriesAdded(producers, producer) >= Math.ceil(dictionary.entriesMax / SHARE)) return DICTIONARY_FULL;
  if (entryBytesAdded(producers, producer) + length > Math.ceil(dictionary.heapBytes / SHARE)) return DICTIONARY_FULL;
  const before = dictionaryCount(dictionary);
  const id = internEntry(dictionary, bytes, start, length);
  if (id >= before) countEntry(producers, producer, length);
  return id;
}
