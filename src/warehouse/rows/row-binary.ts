/**
 * Reads rows in ClickHouse's RowBinary format into columns as the core has them. What the columns store as numbers (labels,
 * enums) is asked for as numbers, so that no text is taken apart here; strings of dictionary columns are interned. Called by
 * stored-rows.ts.
 */

import { WORD, HIGH_WORD_AT } from '../../../native-free-core/base/words.ts';
import { HEAP_BYTES, type Column } from '../../../native-free-core/layout/column.ts';
import type { ColumnPlan } from '../../../native-free-core/plan/plan.ts';
import { internEntry, type Dictionary } from '../../../native-free-core/state/dictionary.ts';
import { quoteName, quoteText } from '../../contract/sql-text.ts';

/** Where reading stands; bytes[at, end) have not been read. */
export interface RowBytes {
  bytes: Uint8Array;
  view: DataView;
  at: number;
  end: number;
}

/** Thrown by readers where a row goes on beyond what has come. */
export const INCOMPLETE = new Error('the row is incomplete');

/** Reads one value into row `r`. */
export type ReadValue = (from: RowBytes, r: number) => void;

/** What a SELECT must ask for, for `readerOf`. */
export function selectOf(plan: ColumnPlan): string {
  const name = quoteName(plan.name);
  // A table that another version has widened holds more than this one asks for.
  if (plan.shape !== 'scalar') return `CAST(${name}, ${quoteText(plan.clickhouseType)})`;
  switch (plan.kind) {
    case 'code': {
      const labels = (plan.labels ?? []).map(quoteText).join(', ');
      // A label of another version's is nobody's here.
      return `CAST(greatest(indexOf([${labels}], toString(${name})), 1) - 1, 'UInt16')`;
    }
    case 'enum':
      return enumNumber(plan, name);
    case 'u8':
    case 'u32':
    case 'i32':
    case 'u64':
    case 'i64':
    case 'time':
    case 'f32':
    case 'f64':
    case 'string':
    case 'bytes':
    case 'dictionary':
      return `CAST(${plan.nullable ? name : `assumeNotNull(${name})`}, ${quoteText(plan.clickhouseType)})`;
  }
}

function enumNumber(plan: ColumnPlan, name: string): string {
  const names = plan.enumNames ?? [];
  const texts = `[${names.map(([, text]) => quoteText(text)).join(', ')}]`;
  const numbers = `[${names.map(([number]) => number).join(', ')}]`;
  const text = `toString(${name})`;
  const number =
    names.length === 0 ? `toInt32OrNull(${text})` : `transform(${text}, ${texts}, ${numbers}, toInt32OrZero(${text}))`;
  return plan.nullable ? `CAST(${number}, 'Nullable(Int32)')` : `CAST(assumeNotNull(${number}), 'Int32')`;
}

export function readerOf(column: Column, dictionary: Dictionary): ReadValue {
  const { shape, nullable } = column.plan;
  if (shape === 'list') return readList(column, dictionary);
  if (shape === 'map') return readMap(column, dictionary);
  const read = readScalar(column, dictionary);
  if (!nullable) return read;
  const { nulls } = column;
  return (from, r) => {
    const isNull = readByte(from);
    nulls[r] = isNull;
    if (isNull === 0) read(from, r);
  };
}

/** Of a UInt64 below 2^53. */
export function numberReader(into: Float64Array): ReadValue {
  return (from, r) => {
    const at = take(from, 8);
    into[r] = from.view.getUint32(at, true) + from.view.getUint32(at + HIGH_WORD_AT, true) * WORD;
  };
}

function readScalar(column: Column, dictionary: Dictionary): ReadValue {
  const { kind, u8, u16, u32, f32, f64 } = column;
  switch (kind) {
    case 'u8':
      return (from, r) => void (u8[r] = readByte(from));
    case 'code':
      return (from, r) => void (u16[r] = from.view.getUint16(take(from, 2), true));
    case 'u32':
    case 'i32':
    case 'enum':
      return (from, r) => void (u32[r] = from.view.getUint32(take(from, 4), true));
    case 'u64':
    case 'i64':
    case 'time':
      return (from, r) => {
        const at = take(from, 8);
        u32[2 * r] = from.view.getUint32(at, true);
        u32[2 * r + 1] = from.view.getUint32(at + HIGH_WORD_AT, true);
      };
    case 'f32':
      return (from, r) => void (f32[r] = from.view.getFloat32(take(from, 4), true));
    case 'f64':
      return (from, r) => void (f64[r] = from.view.getFloat64(take(from, 8), true));
    case 'dictionary':
      return (from, r) => {
        const length = readVarint(from);
        const at = take(from, length);
        u32[r] = length === 0 ? 0 : Math.max(0, internEntry(dictionary, from.bytes, at, length));
      };
    case 'string':
    case 'bytes':
      return (from, r) => {
        const length = readVarint(from);
        const at = take(from, length);
        if (column.heapEnd + length > HEAP_BYTES)
          throw new Error(`texts of a block are too long: column=${column.plan.name}`);
        column.heap.set(from.bytes.subarray(at, at + length), column.heapEnd);
        column.starts[r] = column.heapEnd;
        column.lengths[r] = length;
        column.heapEnd += length;
      };
  }
}

function readList(column: Column, dictionary: Dictionary): ReadValue {
  const elements = column.elements!;
  const read = readScalar(elements, dictionary);
  return (from, r) => {
    const count = readVarint(from);
    const first = column.elementEnd;
    for (let i = 0; i < count; i++) read(from, first + i);
    column.counts[r] = count;
    column.elementEnd = first + count;
    elements.touched = true;
  };
}

function readMap(column: Column, dictionary: Dictionary): ReadValue {
  const [elements, keys] = [column.elements!, column.keys!];
  const [readKey, readElement] = [readScalar(keys, dictionary), readScalar(elements, dictionary)];
  return (from, r) => {
    const count = readVarint(from);
    const first = column.elementEnd;
    for (let i = 0; i < count; i++) {
      readKey(from, first + i);
      readElement(from, first + i);
    }
    column.counts[r] = count;
    column.elementEnd = first + count;
    keys.touched = elements.touched = true;
  };
}

function take(from: RowBytes, length: number): number {
  const at = from.at;
  if (at + length > from.end) throw INCOMPLETE;
  from.at = at + length;
  return at;
}

function readByte(from: RowBytes): number {
  return from.bytes[take(from, 1)]!;
}

function readVarint(from: RowBytes): number {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = readByte(from);
    value += (byte & 127) * factor;
    if (byte < 128) return value;
  }
}
