/**
 * One column of a block, into its sealed form. `measureColumn` chooses the encoding and the size, `sealColumn` writes it.
 * Called by seal.ts for each column of each block; loops over rows are in fixed-loops.ts and text-loops.ts.
 */

import { fail } from '../base/fail.ts';
import { WORD, HIGH_WORD_AT } from '../base/words.ts';
import {
  BLOCK_COLUMN_PLAIN,
  BLOCK_COLUMN_ABSENT,
  BLOCK_COLUMN_CONSTANT,
  BLOCK_COLUMN_BRANCH,
} from '../layout/block-directory.ts';
import { rowBytes, type Column } from '../layout/column.ts';
import { branchCount, type BranchRows } from './branch-rows.ts';
import { allBytesEqual, allShortsEqual, allWordsEqual, gatherFixed } from './fixed-loops.ts';
import { measureText, writeText } from './text-loops.ts';

/** Below this a loop over bytes costs less than `subarray` and `set`. */
const LOOP_BYTES_MAX = 48;
/** Gathering a row costs several times a copied one, so a branch must have a smaller share than this to be gathered. */
const BRANCH_SHARE_MAX = 0.5;

/** How the columns of the running block will lie. */
export interface Sealing {
  readonly columns: readonly Column[];
  readonly receivedAt: number;
  /** null where no column belongs to a branch. */
  readonly group: BranchRows | null;
  readonly encodings: Uint8Array;
  /** Bytes of the column's data, without padding at its end. */
  readonly bytes: Uint32Array;
  /** Rows that it holds; of a list or map, elements. */
  readonly rows: Uint32Array;
}

export function pad8(bytes: number): number {
  return (bytes + 7) & -8;
}

export function zeroTo8(out: Uint8Array, at: number): number {
  let end = at;
  while ((end & 7) !== 0) out[end++] = 0;
  return end;
}

export function measureColumn(sealing: Sealing, index: number, rows: number): void {
  const column = sealing.columns[index];
  const encoding = chooseEncoding(sealing, column, index, rows);
  sealing.encodings[index] = encoding;
  sealing.bytes[index] = 0;
  sealing.rows[index] = 0;
  if (encoding === BLOCK_COLUMN_ABSENT) return;
  if (encoding === BLOCK_COLUMN_CONSTANT) {
    sealing.bytes[index] = rowBytes(column.kind);
    sealing.rows[index] = 1;
    return;
  }
  const branch = column.plan.branch;
  const group = sealing.group;
  const some = encoding === BLOCK_COLUMN_BRANCH && group !== null;
  const count = some ? branchCount(group, branch) : rows;
  sealing.bytes[index] = plainBytes(column, some ? group.rows : null, some ? group.starts[branch] : 0, count);
  sealing.rows[index] = column.elements === null ? count : column.elementEnd;
}

function chooseEncoding(sealing: Sealing, column: Column, index: number, rows: number): number {
  if (!column.touched || rows === 0) return BLOCK_COLUMN_ABSENT;
  if (index === sealing.receivedAt) return BLOCK_COLUMN_CONSTANT;
  if (column.elements === null && column.nulls.length === 0 && column.u8.length !== 0 && allEqual(column, rows)) {
    return isZero(column) ? BLOCK_COLUMN_ABSENT : BLOCK_COLUMN_CONSTANT;
  }
  if (sealing.group === null || column.plan.branch < 0) return BLOCK_COLUMN_PLAIN;
  const count = branchCount(sealing.group, column.plan.branch);
  if (count === 0) return BLOCK_COLUMN_ABSENT;
  return count < rows * BRANCH_SHARE_MAX ? BLOCK_COLUMN_BRANCH : BLOCK_COLUMN_PLAIN;
}

function allEqual(column: Column, rows: number): boolean {
  switch (rowBytes(column.kind)) {
    case 1:
      return allBytesEqual(column.u8, rows);
    case 2:
      return allShortsEqual(column.u16, rows);
    case 4:
      return allWordsEqual(column.i32, 1, rows);
    case 8:
      return allWordsEqual(column.i32, 2, rows);
    case 0:
      return fail('seal_text', column.plan.index);
  }
}

/** Of the first row, by bits: -0 is not the preset. */
function isZero(column: Column): boolean {
  const width = rowBytes(column.kind);
  for (let b = 0; b < width; b++) if (column.u8[b] !== 0) return false;
  return true;
}

function plainBytes(column: Column, rows: Uint16Array | null, from: number, count: number): number {
  if (column.elements === null) {
    const nulls = column.nulls.length === 0 ? 0 : pad8(count);
    return nulls + valueBytes(column, rows, from, count);
  }
  const values = valueBytes(column.elements, null, 0, column.elementEnd);
  if (column.keys === null) return pad8(count * 4) + values;
  return pad8(count * 4) + 8 + pad8(valueBytes(column.keys, null, 0, column.elementEnd)) + values;
}

function valueBytes(column: Column, rows: Uint16Array | null, from: number, count: number): number {
  const width = rowBytes(column.kind);
  return width === 0 ? measureText(column.lengths, rows, from, count) : width * count;
}

/** Writes the column's data at `at`; returns where it ends, not padded. */
export function sealColumn(
  sealing: Sealing,
  index: number,
  out: Uint8Array,
  view: DataView,
  at: number,
  receivedAt: number,
  blockRows: number,
): number {
  const column = sealing.columns[index];
  const encoding = sealing.encodings[index];
  if (encoding === BLOCK_COLUMN_CONSTANT)
    return sealConstant(column, out, view, at, index === sealing.receivedAt ? receivedAt : -1);
  const group = sealing.group;
  const some = encoding === BLOCK_COLUMN_BRANCH && group !== null;
  const rows = some ? group.rows : null;
  const from = some ? group.starts[column.plan.branch] : 0;
  const count = some ? branchCount(group, column.plan.branch) : blockRows;
  if (column.elements !== null) return sealElements(column, column.elements, out, view, at, rows, from, count);
  let end = at;
  if (column.nulls.length !== 0) end = zeroTo8(out, sealBytes(column.nulls, out, end, 1, rows, from, count));
  return sealValues(column, out, view, end, rows, from, count, at + sealing.bytes[index] - end);
}

function sealConstant(column: Column, out: Uint8Array, view: DataView, at: number, receivedAt: number): number {
  const width = rowBytes(column.kind);
  if (receivedAt < 0) return sealBytes(column.u8, out, at, width, null, 0, 1);
  const high = Math.floor(receivedAt / WORD);
  view.setUint32(at, receivedAt - high * WORD, true);
  view.setInt32(at + HIGH_WORD_AT, high, true);
  return at + width;
}

function sealElements(
  column: Column,
  elements: Column,
  out: Uint8Array,
  view: DataView,
  at: number,
  rows: Uint16Array | null,
  from: number,
  count: number,
): number {
  const counts = new Uint8Array(column.counts.buffer);
  let end = zeroTo8(out, sealBytes(counts, out, at, 4, rows, from, count));
  if (column.keys !== null) {
    const keysBytes = valueBytes(column.keys, null, 0, column.elementEnd);
    view.setUint32(end, keysBytes, true);
    view.setUint32(end + HIGH_WORD_AT, 0, true);
    end = zeroTo8(out, sealValues(column.keys, out, view, end + 8, null, 0, column.elementEnd, keysBytes));
  }
  return sealValues(
    elements,
    out,
    view,
    end,
    null,
    0,
    column.elementEnd,
    valueBytes(elements, null, 0, column.elementEnd),
  );
}

/** `bytes`: how many the values take. Where the heap holds exactly these, every row has its value there, in order. */
function sealValues(
  column: Column,
  out: Uint8Array,
  view: DataView,
  at: number,
  rows: Uint16Array | null,
  from: number,
  count: number,
  bytes: number,
): number {
  const width = rowBytes(column.kind);
  if (width !== 0) return sealBytes(column.u8, out, at, width, rows, from, count);
  if (bytes === column.heapEnd) return sealBytes(column.heap, out, at, 1, null, 0, bytes);
  const heap = new DataView(column.heap.buffer, 0, column.heapEnd);
  return writeText(view, at, heap, column.starts, column.lengths, rows, from, count);
}

function sealBytes(
  source: Uint8Array,
  out: Uint8Array,
  at: number,
  width: number,
  rows: Uint16Array | null,
  from: number,
  count: number,
): number {
  const bytes = width * count;
  if (rows !== null) gatherFixed(out, at, source, width, rows, from, count);
  else if (bytes <= LOOP_BYTES_MAX) for (let i = 0; i < bytes; i++) out[at + i] = source[i];
  else out.set(source.subarray(0, bytes), at);
  return at + bytes;
}
