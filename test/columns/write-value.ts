/** Writes plain values into a `Column` as the decoder would, and reads them out again. */

import { rowBytes, type Column } from '../../native-free-core/layout/column.ts';

/** bigint for 64-bit kinds and times, Uint8Array for bytes; undefined: the row writes nothing. */
export type Scalar = number | bigint | string | Uint8Array | null | undefined;
export type Value = Scalar | readonly Scalar[] | ReadonlyMap<string, Scalar>;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export const utf8 = (text: string): Uint8Array => encoder.encode(text);

export function writeValue(column: Column, row: number, value: Value): void {
  if (value === undefined || value === null) return;
  column.touched = true;
  if (value instanceof Map) {
    for (const [key, element] of value) {
      writeScalar(column.keys!, column.elementEnd, key);
      writeScalar(column.elements!, column.elementEnd++, element);
      column.counts[row]++;
    }
  } else if (Array.isArray(value)) {
    for (const element of value) {
      writeScalar(column.elements!, column.elementEnd++, element);
      column.counts[row]++;
    }
  } else writeScalar(column, row, value as Scalar);
}

function writeScalar(column: Column, row: number, value: Scalar): void {
  column.touched = true;
  if (column.nulls.length > 0) column.nulls[row] = 0;
  const wide = new BigInt64Array(column.u8.buffer, 0, rowBytes(column.kind) === 8 ? column.u8.length / 8 : 0);
  if (typeof value === 'bigint') wide[row] = value;
  else if (typeof value === 'string') writeBytes(column, row, utf8(value));
  else if (value instanceof Uint8Array) writeBytes(column, row, value);
  else if (column.kind === 'f64') column.f64[row] = value as number;
  else if (column.kind === 'f32') column.f32[row] = value as number;
  else if (column.kind === 'u8') column.u8[row] = value as number;
  else if (column.kind === 'code') column.u16[row] = value as number;
  else column.i32[row] = value as number;
}

function writeBytes(column: Column, row: number, bytes: Uint8Array): void {
  let length = bytes.length;
  // As the decoder does: an empty value leaves nothing in the heap.
  if (length === 0) return;
  column.lastRow = row;
  column.lastStart = column.heapEnd;
  while (length > 127) {
    column.heap[column.heapEnd++] = (length & 127) | 128;
    length >>>= 7;
  }
  column.heap[column.heapEnd++] = length;
  column.starts[row] = column.heapEnd;
  column.lengths[row] = bytes.length;
  column.heap.set(bytes, column.heapEnd);
  column.heapEnd += bytes.length;
}

/** null where the row is NULL; 64-bit kinds as bigint; floats as they are; strings as text, bytes as latin-1. */
export function readValue(column: Column, row: number): Value {
  if (column.elements === null) return readScalar(column, row);
  let from = 0;
  for (let r = 0; r < row; r++) from += column.counts[r];
  const elements: Scalar[] = [];
  const pairs = new Map<string, Scalar>();
  for (let i = from; i < from + column.counts[row]; i++) {
    elements.push(readScalar(column.elements, i));
    if (column.keys !== null) pairs.set(readScalar(column.keys, i) as string, elements.at(-1));
  }
  return column.keys === null ? elements : pairs;
}

function readScalar(column: Column, row: number): Scalar {
  if (column.nulls.length > 0 && column.nulls[row] === 1) return null;
  const bytes = column.heap.slice(column.starts[row], column.starts[row] + column.lengths[row]);
  switch (column.kind) {
    case 'u8':
      return column.u8[row];
    case 'code':
      return column.u16[row];
    case 'u32':
    case 'dictionary':
      return column.u32[row];
    case 'i32':
    case 'enum':
      return column.i32[row];
    case 'f32':
      return column.f32[row];
    case 'f64':
      return column.f64[row];
    case 'u64':
      return (BigInt(column.u32[2 * row + 1]) << 32n) | BigInt(column.u32[2 * row]);
    case 'i64':
    case 'time':
      return (BigInt(column.i32[2 * row + 1]) << 32n) | BigInt(column.u32[2 * row]);
    case 'string':
      return column.lengths[row] === 0 ? '' : decoder.decode(bytes);
    case 'bytes':
      return column.lengths[row] === 0 ? '' : Buffer.from(bytes).toString('latin1');
  }
}
