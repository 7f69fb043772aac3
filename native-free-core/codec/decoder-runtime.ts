/**
 * What emitted decoders call: values that are more than one store. Strings and bytes into a column's heap, timestamps,
 * presets of a row. All of it runs on decision workers, once or more per event.
 *
 * Heaps hold the values in row order, a varint before each; an empty value leaves nothing in the heap.
 */
// hot path: no allocation

import { EVENT_INVALID_UTF8, EVENT_MALFORMED, EVENT_NUMBER_OUT_OF_RANGE } from '../base/outcomes.ts';
import { WORD } from '../base/words.ts';
import type { Column } from '../layout/column.ts';
import { isUtf8 } from './utf8.ts';
import { readLong, readTag, readWords, skipField } from './wire.ts';

const HIGH_BITS = 0x80808080 | 0;
/** google.protobuf.Timestamp is defined for the years 1 to 9999. */
const SECONDS_MIN = -62135596800;
const SECONDS_MAX = 253402300799;

/** A string or bytes column with a view of its heap, so that four bytes move at a time. */
export interface TextColumn {
  readonly column: Column;
  readonly view: DataView;
}

export function createTextColumn(column: Column): TextColumn {
  return { column, view: new DataView(column.heap.buffer, column.heap.byteOffset, column.heap.byteLength) };
}

/** Makes bytes[p, p + length) the value of `row`. `checked`: it must be UTF-8. Returns 0 or EVENT_INVALID_UTF8. */
export function putText(
  text: TextColumn,
  bytes: Uint8Array,
  view: DataView,
  p: number,
  length: number,
  row: number,
  checked: boolean,
): number {
  const column = text.column;
  let h = column.heapEnd;
  if (column.lastRow === row) h = column.lastStart;
  else column.lastRow = row;
  column.lastStart = h;
  return appendText(text, bytes, view, p, length, row, h, checked);
}

/** The same for an element, whose number is `index`: elements are only ever appended. */
export function pushText(
  text: TextColumn,
  bytes: Uint8Array,
  view: DataView,
  p: number,
  length: number,
  index: number,
  checked: boolean,
): number {
  return appendText(text, bytes, view, p, length, index, text.column.heapEnd, checked);
}

function appendText(
  text: TextColumn,
  bytes: Uint8Array,
  view: DataView,
  p: number,
  length: number,
  row: number,
  at: number,
  checked: boolean,
): number {
  const column = text.column;
  const heap = text.view;
  let h = at;
  if (length !== 0) {
    let rest = length;
    while (rest > 127) {
      heap.setUint8(h++, (rest & 127) | 128);
      rest >>>= 7;
    }
    heap.setUint8(h++, rest);
  }
  column.starts[row] = h;
  column.lengths[row] = length;
  column.heapEnd = h + length;
  let bits = 0;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const word = view.getInt32(p + i, true);
    bits |= word;
    heap.setInt32(h + i, word, true);
  }
  for (; i < length; i++) {
    const byte = bytes[p + i];
    bits |= byte;
    heap.setUint8(h + i, byte);
  }
  if (!checked || (bits & HIGH_BITS) === 0) return 0;
  return isUtf8(bytes, p, length) ? 0 : EVENT_INVALID_UTF8;
}

/** Restores the preset of a string or bytes column. */
export function clearText(column: Column, row: number): void {
  column.lengths[row] = 0;
  if (column.lastRow !== row) return;
  column.heapEnd = column.lastStart;
  column.lastRow = -1;
}

/**
 * Takes the elements of `row` back, which are the last ones, and what an element that was refused halfway left in the heap.
 */
export function clearElements(column: Column, row: number): void {
  const count = column.counts[row];
  column.counts[row] = 0;
  column.elementEnd -= count;
  rewindHeap(column.elements!, column.elementEnd);
  if (column.keys !== null) rewindHeap(column.keys, column.elementEnd);
}

function rewindHeap(elements: Column, elementEnd: number): void {
  if (elements.lengths.length === 0) return;
  elements.heapEnd = elementEnd === 0 ? 0 : elements.starts[elementEnd - 1] + elements.lengths[elementEnd - 1];
}

/**
 * Reads the google.protobuf.Timestamp bytes[at, end) into `readWords`, as milliseconds. `state[slot ...]`: the event in
 * which this field was read last, its seconds and its nanos; a second occurrence within one event merges with the first.
 */
export function readTimestamp(
  state: Float64Array,
  slot: number,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  depth: number,
): number {
  let p = at;
  let seconds = 0;
  let nanos = 0;
  if (slot !== 0 && state[slot] === state[0]) {
    seconds = state[slot + 1];
    nanos = state[slot + 2];
  }
  while (p < end) {
    const tag = bytes[p++];
    if (tag === 8) {
      const word = view.getInt32(p, true);
      const top = bytes[p + 4];
      if ((word & HIGH_BITS) === HIGH_BITS && top < 8) {
        // Five bytes: every time between 1978 and 2038.
        seconds = sevens(word) | (top << 28);
        p += 5;
        continue;
      }
      p = readLong(bytes, p);
      if (p < 0) return EVENT_MALFORMED;
      seconds = (readWords[0] >>> 0) + readWords[1] * WORD;
    } else if (tag === 16) {
      p = readLong(bytes, p);
      if (p < 0) return EVENT_MALFORMED;
      nanos = readWords[0];
    } else {
      p = readTimestampOther(bytes, p - 1, end, depth, seconds, nanos);
      if (p < 0) return p;
      seconds = otherSeconds;
      nanos = otherNanos;
    }
  }
  if (p !== end) return EVENT_MALFORMED;
  if (slot !== 0) {
    state[slot] = state[0];
    state[slot + 1] = seconds;
    state[slot + 2] = nanos;
  }
  if (seconds < SECONDS_MIN || seconds > SECONDS_MAX) return EVENT_NUMBER_OUT_OF_RANGE;
  const milliseconds = seconds * 1000 + Math.floor(nanos / 1000000);
  const high = Math.floor(milliseconds / WORD);
  readWords[0] = milliseconds - high * WORD;
  readWords[1] = high;
  return 0;
}

/** The 28 bits that four varint bytes carry. */
function sevens(word: number): number {
  return (word & 0x7f) | ((word >>> 1) & 0x3f80) | ((word >>> 2) & 0x1fc000) | ((word >>> 3) & 0xfe00000);
}

let otherSeconds = 0;
let otherNanos = 0;

/** A field of a Timestamp whose tag is not the usual single byte. */
function readTimestampOther(
  bytes: Uint8Array,
  at: number,
  end: number,
  depth: number,
  seconds: number,
  nanos: number,
): number {
  otherSeconds = seconds;
  otherNanos = nanos;
  let p = readTag(bytes, at);
  if (p < 0) return EVENT_MALFORMED;
  const tag = readWords[0];
  if (tag !== 8 && tag !== 16) return skipField(bytes, p, end, tag, depth);
  p = readLong(bytes, p);
  if (p < 0) return EVENT_MALFORMED;
  if (tag === 8) otherSeconds = (readWords[0] >>> 0) + readWords[1] * WORD;
  else otherNanos = readWords[0];
  return p;
}
