/** The dictionary as the decoder sees it. */

import type { DictionaryIntern } from '../layout/dictionary-intern.ts';
import { internEntry, type Dictionary } from '../state/dictionary.ts';

export function internerOf(dictionary: Dictionary): DictionaryIntern {
  return { intern: (bytes, start, length) => internEntry(dictionary, bytes, start, length) };
}
