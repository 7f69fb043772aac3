/**
 * Loops over the strings of a column: how many bytes they take when sealed, and writing them where some rows have none.
 * `rows` null: all rows from 0; otherwise the row numbers to take, in order. Called by seal.ts for each text column of a
 * block.
 */
// hot path: no allocation

import { HIGH_WORD_AT } from '../base/words.ts';

/** Bytes of the varint that says `length`; strings are at most STRING_BYTES_MAX long. */
function varintBytes(length: number): number {
  return length < 128 ? 1 : length < 16384 ? 2 : 3;
}

export function measureText(lengths: Uint32Array, rows: Uint16Array | null, from: number, count: number): number {
  let bytes = 0;
  if (rows === null) {
    for (let r = 0; r < count; r++) {
      const length = lengths[r];
      bytes += length + varintBytes(length);
    }
    return bytes;
  }
  for (let i = from; i < from + count; i++) {
    const length = lengths[rows[i]];
    bytes += length + varintBytes(length);
  }
  return bytes;
}

/**
 * Writes varint and bytes of each row, 0 for a row without a value; returns where they end. Values that lie side by side in
 * the heap, as those of neighbouring rows do, are copied together.
 */
export function writeText(
  out: DataView,
  at: number,
  heap: DataView,
  starts: Uint32Array,
  lengths: Uint32Array,
  rows: Uint16Array | null,
  from: number,
  count: number,
): number {
  let end = at;
  let runStart = 0;
  let runEnd = 0;
  for (let i = 0; i < count; i++) {
    const row = rows === null ? i : rows[from + i];
    const length = lengths[row];
    const start = starts[row];
    const begin = start - varintBytes(length);
    if (length !== 0 && begin === runEnd) {
      runEnd = start + length;
      continue;
    }
    end = copyRun(out, end, heap, runStart, runEnd);
    runStart = begin;
    runEnd = start + length;
    if (length === 0) {
      out.setUint8(end++, 0);
      runStart = 0;
      runEnd = 0;
    }
  }
  return copyRun(out, end, heap, runStart, runEnd);
}

/** Eight bytes at a time, as integers: floats would not keep every bit pattern. */
function copyRun(out: DataView, at: number, heap: DataView, start: number, stop: number): number {
  const shift = at - start;
  let p = start;
  for (; p + 8 <= stop; p += 8) {
    out.setInt32(p + shift, heap.getInt32(p));
    out.setInt32(p + HIGH_WORD_AT + shift, heap.getInt32(p + HIGH_WORD_AT));
  }
  for (; p < stop; p++) out.setUint8(p + shift, heap.getUint8(p));
  return stop + shift;
}

/**
 * The inverse over sealed bytes: where each value begins and how long it is, from `at` on. Returns where the last one ends.
 */
export function readText(
  heap: Uint8Array,
  at: number,
  starts: Uint32Array,
  lengths: Uint32Array,
  rows: Uint16Array | null,
  from: number,
  count: number,
): number {
  let p = at;
  for (let i = 0; i < count; i++) {
    const row = rows === null ? i : rows[from + i];
    let length = heap[p++];
    if (length > 127) {
      length = (length & 127) | (heap[p++] << 7);
      if (length > 16383) length = (length & 16383) | (heap[p++] << 14);
    }
    starts[row] = p;
    lengths[row] = length;
    p += length;
  }
  return p;
}

/**
 * Copies the strings at `at`, one for each row that `rows` names, to `to`, a 0 for each of the `total` rows that it does
 * not.
 */
export function spreadText(
  out: Uint8Array,
  to: number,
  source: Uint8Array,
  at: number,
  rows: Uint16Array,
  from: number,
  count: number,
  total: number,
): number {
  let p = at;
  let end = to;
  let row = 0;
  for (let i = from; i < from + count; i++) {
    for (const next = rows[i]; row < next; row++) out[end++] = 0;
    row++;
    let length = source[p];
    let stop = p + 1 + length;
    if (length > 127) {
      length = (length & 127) | (source[p + 1] << 7);
      stop = p + 2 + length;
      if (length > 16383) stop = p + 3 + ((length & 16383) | (source[p + 2] << 14));
    }
    while (p < stop) out[end++] = source[p++];
  }
  for (; row < total; row++) out[end++] = 0;
  return end;
}
