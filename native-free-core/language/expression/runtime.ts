/**
 * What the code emitted for expressions calls: byte comparisons, dictionary ids of constants, look-ups in lists.
 * One `ExpressionRuntime` for each compiled function, on the thread that runs it.
 */
// hot path: no allocation

import { fail } from '../../base/fail.ts';
import { WORD } from '../../base/words.ts';
import type { Column } from '../../layout/column.ts';
import { DICTIONARY_ABSENT, findEntry, type Dictionary } from '../../state/dictionary.ts';
import { KINDS } from '../kinds/index.ts';
import type { KeyList } from '../../state/key-list.ts';
import type { Automaton } from './runtime-text.ts';
import type { ZoneCursor } from './runtime-time.ts';

/** Where a row's elements begin, found by adding up counts from the last row asked for. */
export interface ListCursor {
  readonly column: Column;
  readonly elements: Column;
  generation: number;
  row: number;
  start: number;
}

export interface ExpressionRuntime {
  readonly dictionary: Dictionary;
  /** UTF-8 of all text constants, one after another. */
  readonly bytes: Uint8Array;
  /** For each dictionary constant: its id, or -1 while no entry has it. */
  readonly labels: Int32Array;
  /** Ids below this are known not to be the constant. */
  readonly checked: Int32Array;
  readonly labelStarts: Int32Array;
  readonly labelLengths: Int32Array;
  readonly lists: readonly ListCursor[];
  readonly zones: readonly ZoneCursor[];
  readonly automata: readonly Automaton[];
  /** By dictionary id, one for each condition on a dictionary string: 0 undecided, 1 false, 2 true. */
  readonly remembered: readonly Uint8Array[];
  /** Texts that emitted code puts together. */
  readonly scratch: Uint8Array;
  readonly keyLists: readonly KeyList[];
}

/** Equal bytes. */
export function sameBytes(
  a: Uint8Array,
  aStart: number,
  aLength: number,
  b: Uint8Array,
  bStart: number,
  bLength: number,
): boolean {
  if (aLength !== bLength) return false;
  for (let i = 0; i < aLength; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

/** Order by bytes, the shorter first where one begins the other: negative, 0 or positive. */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aLength: number,
  b: Uint8Array,
  bStart: number,
  bLength: number,
): number {
  const length = aLength < bLength ? aLength : bLength;
  for (let i = 0; i < length; i++) {
    const difference = a[aStart + i] - b[bStart + i];
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/**
 * Whether `id` is the constant of a slot whose id is not known yet. Entries are numbered in the order in which they
 * appear, so a constant that is not there when a row has `id` is none of the entries up to `id`.
 */
export function learnLabel(runtime: ExpressionRuntime, slot: number, id: number): boolean {
  if (id < runtime.checked[slot]) return false;
  const found = findEntry(runtime.dictionary, runtime.bytes, runtime.labelStarts[slot], runtime.labelLengths[slot]);
  if (found === DICTIONARY_ABSENT) runtime.checked[slot] = id + 1;
  else runtime.labels[slot] = found;
  return found === id;
}

/** Element number at which the row's list begins. */
function listStart(cursor: ListCursor, row: number): number {
  const column = cursor.column;
  if (cursor.generation !== column.generation || row < cursor.row) {
    cursor.generation = column.generation;
    cursor.row = 0;
    cursor.start = 0;
  }
  let start = cursor.start;
  for (let i = cursor.row; i < row; i++) start += column.counts[i];
  cursor.row = row;
  cursor.start = start;
  return start;
}

export function listHas(cursor: ListCursor, row: number, value: number): boolean {
  const count = cursor.column.counts[row];
  if (count === 0) return false;
  const start = listStart(cursor, row);
  const elements = cursor.elements;
  for (let i = start; i < start + count; i++) if (elementNumber(elements, i) === value) return true;
  return false;
}

function elementNumber(elements: Column, i: number): number {
  switch (elements.kind) {
    case 'u8':
      return elements.u8[i];
    case 'f32':
      return elements.f32[i];
    case 'f64':
      return elements.f64[i];
    case 'u64':
      return elements.u32[2 * i + 1] * WORD + elements.u32[2 * i];
    case 'i64':
    case 'time':
      return elements.i32[2 * i + 1] * WORD + elements.u32[2 * i];
    case 'u32':
    case 'dictionary':
      return elements.u32[i];
    case 'i32':
    case 'enum':
      return elements.i32[i];
    case 'code':
      return elements.u16[i];
    case 'string':
    case 'bytes':
      return fail('list_of_texts', i);
  }
}

/** The same for 64-bit elements and a value whose halves are given: `high` is negative where the value is. */
export function listHasWords(cursor: ListCursor, row: number, low: number, high: number): boolean {
  const count = cursor.column.counts[row];
  if (count === 0) return false;
  const start = listStart(cursor, row);
  const lows = cursor.elements.u32;
  const { storage } = KINDS[cursor.elements.kind];
  const unsigned = storage.form === 'words' && storage.high === 'u32';
  for (let i = start; i < start + count; i++) {
    const elementHigh = unsigned ? lows[2 * i + 1] : cursor.elements.i32[2 * i + 1];
    if (lows[2 * i] === low && elementHigh === high) return true;
  }
  return false;
}

export function listHasText(cursor: ListCursor, row: number, heap: Uint8Array, start: number, length: number): boolean {
  const count = cursor.column.counts[row];
  if (count === 0) return false;
  const first = listStart(cursor, row);
  const elements = cursor.elements;
  for (let i = first; i < first + count; i++) {
    if (sameBytes(elements.heap, elements.starts[i], elements.lengths[i], heap, start, length)) return true;
  }
  return false;
}
