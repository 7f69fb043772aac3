/**
 * Loops over fixed-width values: are all rows equal, gather the rows of a branch, scatter them again. Values are moved as
 * integers, so that the bits of a NaN survive. Called for each column of a block by seal.ts, load-block.ts and
 * native-encoder.ts.
 */
// hot path: no allocation

import { HIGH_WORD_AT } from '../base/words.ts';

/** Whether the first `count` rows of `words` (32-bit, `stride` words a row) hold the same bits. */
export function allWordsEqual(words: Int32Array, stride: number, count: number): boolean {
  const first = words[0];
  if (stride === 1) {
    for (let r = 1; r < count; r++) if (words[r] !== first) return false;
    return true;
  }
  const second = words[1];
  for (let i = 2; i < 2 * count; i += 2) if (words[i] !== first || words[i + 1] !== second) return false;
  return true;
}

export function allShortsEqual(values: Uint16Array, count: number): boolean {
  const first = values[0];
  for (let r = 1; r < count; r++) if (values[r] !== first) return false;
  return true;
}

export function allBytesEqual(values: Uint8Array, count: number): boolean {
  const first = values[0];
  for (let r = 1; r < count; r++) if (values[r] !== first) return false;
  return true;
}

/** out[at ...] = the values of rows[from ... from + count - 1], `width` bytes each, closely packed. */
export function gatherFixed(
  out: Uint8Array,
  at: number,
  source: Uint8Array,
  width: number,
  rows: Uint16Array,
  from: number,
  count: number,
): void {
  let to = at;
  for (let i = from; i < from + count; i++) {
    const base = rows[i] * width;
    for (let b = 0; b < width; b++) out[to++] = source[base + b];
  }
}

/** The inverse: row rows[from + i] of the array that begins at `at` gets the i-th packed value of `source`. */
export function scatterFixed(
  out: Uint8Array,
  at: number,
  source: Uint8Array,
  sourceAt: number,
  width: number,
  rows: Uint16Array,
  from: number,
  count: number,
): void {
  let p = sourceAt;
  for (let i = from; i < from + count; i++) {
    const base = at + rows[i] * width;
    for (let b = 0; b < width; b++) out[base + b] = source[p++];
  }
}

/** The same between two views, a value at a time where it has 4 or 8 bytes. */
export function scatterValues(
  out: DataView,
  at: number,
  source: DataView,
  sourceAt: number,
  width: number,
  rows: Uint16Array,
  from: number,
  count: number,
): void {
  let p = sourceAt;
  const end = from + count;
  if (width === 8) {
    for (let i = from; i < end; i++, p += 8) {
      const to = at + rows[i] * 8;
      out.setInt32(to, source.getInt32(p));
      out.setInt32(to + HIGH_WORD_AT, source.getInt32(p + HIGH_WORD_AT));
    }
  } else if (width === 4) {
    for (let i = from; i < end; i++, p += 4) out.setInt32(at + rows[i] * 4, source.getInt32(p));
  } else {
    for (let i = from; i < end; i++) {
      const to = at + rows[i] * width;
      for (let b = 0; b < width; b++) out.setUint8(to + b, source.getUint8(p++));
    }
  }
}

/** Repeats the `width` bytes at `sourceAt` `count` times. */
export function repeatFixed(
  out: Uint8Array,
  at: number,
  source: Uint8Array,
  sourceAt: number,
  width: number,
  count: number,
): void {
  if (count === 0) return;
  for (let b = 0; b < width; b++) out[at + b] = source[sourceAt + b];
  const end = at + width * count;
  for (let done = width; done < end - at; done *= 2) {
    out.copyWithin(at + done, at, Math.min(at + done, end - done));
  }
}
