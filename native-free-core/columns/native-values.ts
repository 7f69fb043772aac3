/**
 * Values of one ClickHouse type, gathered over many sealed blocks: fixed-width and String. They serve scalar columns, the
 * elements of arrays, and the keys and values of maps alike. LowCardinality is in native-low-cardinality.ts.
 */

import { pushGrowing, type ChunkList } from './chunks.ts';
import { repeatFixed, scatterValues } from './fixed-loops.ts';
import { createGrowing, extend, type BufferPool } from './growing.ts';
import { spreadText } from './text-loops.ts';

/** Where values lie in a sealed block. The encoder writes one object over for each column of each block. */
export interface SealedValues {
  block: Uint8Array;
  view: DataView;
  at: number;
  /** Bytes of the values. */
  bytes: number;
  /** How many there are. */
  count: number;
  /** u8 a value, 1: NULL; -1: not nullable. */
  nullsAt: number;
  /** The block's rows that the values belong to, at rowList[rowFrom ...]; null: all rows of the block, one each. */
  rowList: Uint16Array | null;
  rowFrom: number;
  /** Rows to append: `count`, or more where `rowList` names some only. */
  rows: number;
}

const EMPTY = new Uint8Array(0);

export function createSealedValues(): SealedValues {
  const view = new DataView(EMPTY.buffer);
  return { block: EMPTY, view, at: 0, bytes: 0, count: 0, nullsAt: -1, rowList: null, rowFrom: 0, rows: 0 };
}

/** Gathers values until `write`; then it is empty again. */
export interface ValueGatherer {
  append(values: SealedValues): void;
  /** Repeats the one value at `values.at` for `values.rows` rows. */
  appendConstant(values: SealedValues): void;
  appendPresets(rows: number): void;
  /** What stands before the column's data: the version of LowCardinality. */
  writePrefix(list: ChunkList): void;
  write(list: ChunkList): void;
}

const LOOP_BYTES_MAX = 48;

/** Appends source[at, at + bytes). */
export function appendRange(target: Uint8Array, to: number, source: Uint8Array, at: number, bytes: number): void {
  if (bytes <= LOOP_BYTES_MAX) for (let i = 0; i < bytes; i++) target[to + i] = source[at + i];
  else target.set(source.subarray(at, at + bytes), to);
}

export function createFixedGatherer(pool: BufferPool, width: number): ValueGatherer {
  const data = createGrowing(pool);
  return {
    append({ block, view, at, count, rowList, rowFrom, rows }) {
      const to = extend(data, rows * width);
      if (rowList === null) {
        appendRange(data.bytes, to, block, at, count * width);
        return;
      }
      data.bytes.fill(0, to, to + rows * width);
      scatterValues(data.view, to, view, at, width, rowList, rowFrom, count);
    },
    appendConstant({ block, at, rows }) {
      const to = extend(data, rows * width);
      repeatFixed(data.bytes, to, block, at, width, rows);
    },
    appendPresets(rows) {
      const to = extend(data, rows * width);
      data.bytes.fill(0, to, to + rows * width);
    },
    writePrefix() {},
    write(list) {
      pushGrowing(list, data);
    },
  };
}

/** Sealed strings are varint + bytes, as Native wants them. */
export function createTextGatherer(pool: BufferPool): ValueGatherer {
  const data = createGrowing(pool);
  return {
    append({ block, at, bytes, count, rowList, rowFrom, rows }) {
      const to = extend(data, bytes + rows - count);
      if (rowList === null) appendRange(data.bytes, to, block, at, bytes);
      else spreadText(data.bytes, to, block, at, rowList, rowFrom, count, rows);
    },
    appendConstant() {},
    appendPresets(rows) {
      const to = extend(data, rows);
      data.bytes.fill(0, to, to + rows);
    },
    writePrefix() {},
    write(list) {
      pushGrowing(list, data);
    },
  };
}

/** Null maps: 1 where a row is NULL. */
export interface NullGatherer {
  append(values: SealedValues): void;
  appendPresets(rows: number): void;
  write(list: ChunkList): void;
}

export function createNullGatherer(pool: BufferPool): NullGatherer {
  const data = createGrowing(pool);
  return {
    append({ block, view, nullsAt, count, rowList, rowFrom, rows }) {
      const to = extend(data, rows);
      if (rowList === null) {
        appendRange(data.bytes, to, block, nullsAt, rows);
        return;
      }
      data.bytes.fill(1, to, to + rows);
      scatterValues(data.view, to, view, nullsAt, 1, rowList, rowFrom, count);
    },
    appendPresets(rows) {
      const to = extend(data, rows);
      data.bytes.fill(1, to, to + rows);
    },
    write(list) {
      pushGrowing(list, data);
    },
  };
}
