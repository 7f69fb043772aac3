/**
 * A column of one block while it is being filled: typed arrays of BLOCK_ROWS_MAX rows, private to one worker.
 * The decoder and the kernels write row by row; sealing copies the bytes out; `resetColumn` makes it ready again.
 *
 * Presets: where a row writes nothing, a scalar is 0 (`nulls` 1 where nullable); a list, map or string is empty.
 * So writing is needed for present values only, and `resetColumn` restores the presets of touched columns.
 */
// hot path: no allocation

import { BLOCK_FRAME_BYTES_MAX, BLOCK_ROWS_MAX, FRAME_BYTES_MAX } from './limits.ts';
import type { ColumnKind, ColumnPlan } from '../plan/plan.ts';

/** Room for every byte that a block's frames can bring, a varint before each value included. */
export const HEAP_BYTES = BLOCK_FRAME_BYTES_MAX + FRAME_BYTES_MAX + BLOCK_ROWS_MAX * 3;

/** Elements of one list or map column in a block: an element takes at least one byte of a frame. */
export const ELEMENTS_MAX = BLOCK_FRAME_BYTES_MAX + FRAME_BYTES_MAX;

export interface Column {
  readonly plan: ColumnPlan;
  readonly kind: ColumnKind;
  /** Set by whoever writes a value into this column in the running block; sealing skips untouched columns. */
  touched: boolean;
  /** 1 where the row is NULL; length 0 where the column is not nullable. */
  readonly nulls: Uint8Array;
  /**
   * Scalar storage: the one that the kind names is used; all are views over the same bytes. 64-bit kinds: i32/u32 [2*row],
   * [2*row+1].
   */
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  /** Strings, bytes, and the elements of lists and maps. Values in row order: scalar strings as varint length + bytes. */
  readonly heap: Uint8Array;
  heapEnd: number;
  /** The last row that appended to the heap, and where it began: a second value of the same row rewinds to it. */
  lastRow: number;
  lastStart: number;
  /** Scalar strings: where row r's bytes begin in the heap (behind the varint) and how many they are; lengths preset 0. */
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  /**
   * Lists and maps: elements are gathered in columns of their own (`elements`, for maps also `keys`), whose "rows" are
   * element numbers; `counts[row]` is the number of elements of the row (preset 0), `elementEnd` how many there are in all.
   */
  readonly counts: Uint32Array;
  elementEnd: number;
  /** Grows with each reset: whoever remembers where a row's elements begin sees that the block is another one. */
  generation: number;
  readonly elements: Column | null;
  readonly keys: Column | null;
}

const EMPTY = new ArrayBuffer(0);

/** Bytes of one row of scalar storage. */
export function rowBytes(kind: ColumnKind): 0 | 1 | 2 | 4 | 8 {
  switch (kind) {
    case 'u8':
      return 1;
    case 'code':
      return 2;
    case 'u32':
    case 'i32':
    case 'f32':
    case 'enum':
    case 'dictionary':
      return 4;
    case 'u64':
    case 'i64':
    case 'time':
    case 'f64':
      return 8;
    case 'string':
    case 'bytes':
      return 0;
  }
}

export function createColumn(plan: ColumnPlan, rows: number = BLOCK_ROWS_MAX): Column {
  const scalar = plan.shape === 'scalar';
  const text = rowBytes(plan.kind) === 0;
  const bytes = scalar ? new ArrayBuffer(rows * rowBytes(plan.kind)) : EMPTY;
  const width = (size: number): ArrayBuffer => (bytes.byteLength % size === 0 ? bytes : EMPTY);
  const element: ColumnPlan = { ...plan, shape: 'scalar', nullable: false };
  const key: ColumnPlan = { ...element, kind: 'string' };
  return {
    plan,
    kind: plan.kind,
    touched: false,
    nulls: new Uint8Array(scalar && plan.nullable ? rows : 0).fill(1),
    u8: new Uint8Array(bytes),
    u16: new Uint16Array(width(2)),
    i32: new Int32Array(width(4)),
    u32: new Uint32Array(width(4)),
    f32: new Float32Array(width(4)),
    f64: new Float64Array(width(8)),
    heap: new Uint8Array(scalar && text ? HEAP_BYTES : 0),
    heapEnd: 0,
    lastRow: -1,
    lastStart: 0,
    starts: new Uint32Array(scalar && text ? rows : 0),
    lengths: new Uint32Array(scalar && text ? rows : 0),
    counts: new Uint32Array(scalar ? 0 : rows),
    elementEnd: 0,
    generation: 0,
    elements: scalar ? null : createColumn(element, ELEMENTS_MAX),
    keys: plan.shape === 'map' ? createColumn(key, ELEMENTS_MAX) : null,
  };
}

/** Makes the first `rows` rows preset again. */
export function resetColumn(column: Column, rows: number): void {
  column.generation = (column.generation + 1) | 0;
  if (!column.touched) return;
  column.touched = false;
  column.heapEnd = 0;
  column.lastRow = -1;
  column.lastStart = 0;
  if (column.nulls.length !== 0) column.nulls.fill(1, 0, rows);
  if (column.lengths.length !== 0) column.lengths.fill(0, 0, rows);
  else if (column.u8.length !== 0) column.u8.fill(0, 0, rows * rowBytes(column.kind));
  if (column.elements !== null) {
    column.counts.fill(0, 0, rows);
    resetColumn(column.elements, column.elementEnd);
    if (column.keys !== null) resetColumn(column.keys, column.elementEnd);
    column.elementEnd = 0;
  }
}
