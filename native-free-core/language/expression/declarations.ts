/**
 * What code emitted for expressions finds around it: names of functions and constants, and the runtime that they are
 * taken from. The functions travel with the state, since generated code can import nothing.
 */

import * as hashes from '../../base/murmur64.ts';
import { WORD } from '../../base/words.ts';
import { entryAt, entryBytes, type Dictionary } from '../../state/dictionary.ts';
import { hasKey, hasText, KEY_TAG_INTEGER, type KeyList } from '../../state/key-list.ts';
import type { Gathered } from './gathered.ts';
import * as functions from './runtime.ts';
import * as geo from './runtime-geo.ts';
import * as texts from './runtime-text.ts';
import * as times from './runtime-time.ts';

export const DECLARATIONS = `const $bytes = runtime.bytes, $labels = runtime.labels, $same = runtime.sameBytes, $compare = runtime.compareBytes;
const $learn = (slot, id) => runtime.learnLabel(runtime, slot, id);
const $listHas = (list, r, value) => runtime.listHas(runtime.lists[list], r, value);
const $listHasWords = (list, r, low, high) => runtime.listHasWords(runtime.lists[list], r, low, high);
const $listHasText = (list, r, heap, start, length) => runtime.listHasText(runtime.lists[list], r, heap, start, length);
const $zoneOffset = (zone, time) => runtime.zoneOffset(runtime.zones[zone], time);
const $yearOf = runtime.yearOf, $monthOf = runtime.monthOf, $dayOfMonth = runtime.dayOfMonth, $dayOfYear = runtime.dayOfYear;
const $codePoints = runtime.codePoints, $startsWith = runtime.startsWith, $endsWith = runtime.endsWith, $contains = runtime.containsText;
const $matches = (automaton, heap, start, length) => runtime.matchesPattern(runtime.automata[automaton], heap, start, length);
const $hashText = runtime.hashText, $hashWords = runtime.hashWords, $hashInteger = runtime.hashInteger, $hashDouble = runtime.hashDouble;
const $geoDistance = runtime.geoDistance, $scratch = runtime.scratch;
const $geoTile = (latitude, longitude, precision, at) => { runtime.geoTile(latitude, longitude, precision, $scratch, at); return at; };
const $dictionary = runtime.dictionary;
const $entryAt = (id) => runtime.entryAt($dictionary, id), $entryBytes = (id) => runtime.entryBytes($dictionary, id);
const $inListText = (list, heap, start, length) => runtime.hasText(runtime.keyLists[list], heap, start, length);
const $inListWords = (list, low, high) => runtime.hasKey(runtime.keyLists[list], low | 0, high | 0, high >= 2147483648 ? 1 : 0, ${KEY_TAG_INTEGER});
const $inListInteger = (list, value) => runtime.hasKey(runtime.keyLists[list], value | 0, Math.floor(value / ${WORD}), 0, ${KEY_TAG_INTEGER});`;

/** Ids are few and live for ever: 0 undecided, 1 false, 2 true. */
export function rememberedDeclaration(holds: string, memory: number): string {
  return `const $known${memory} = runtime.remembered[${memory}];
const $decide${memory} = (id) => { const holds = ${holds}; $known${memory}[id] = holds ? 2 : 1; return holds; };`;
}

export function openRuntime(gathered: Gathered, dictionary: Dictionary, keyLists: readonly KeyList[]): unknown {
  const slots = [...gathered.slots.values()];
  const state: functions.ExpressionRuntime = {
    dictionary,
    bytes: Uint8Array.from(gathered.bytes),
    // The empty string has id 0 in every dictionary.
    labels: Int32Array.from(slots, (slot) => (slot.bytes === 0 ? 0 : -1)),
    checked: new Int32Array(slots.length),
    labelStarts: Int32Array.from(slots, (slot) => slot.from),
    labelLengths: Int32Array.from(slots, (slot) => slot.bytes),
    lists: gathered.lists,
    zones: [...gathered.zones.values()],
    automata: [...gathered.automata.values()],
    remembered: gathered.remembered.map(() => new Uint8Array(dictionary.entriesMax)),
    scratch: new Uint8Array(gathered.scratchBytes),
    keyLists,
  };
  return { ...functions, ...times, ...texts, ...geo, ...hashes, entryAt, entryBytes, hasKey, hasText, ...state };
}
