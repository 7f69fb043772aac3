/** Values of a block's columns as JSON has them. Main thread; used for the row that is explained. */

import { columnAt, slotOf, type Plan } from '../../native-free-core/plan/plan.ts';
import type { Column } from '../../native-free-core/layout/column.ts';
import { entryAt, entryBytes, type Dictionary } from '../../native-free-core/state/dictionary.ts';
import type { ExplainedValue } from '../contract/explanation.ts';

const HIGH = 4294967296n;
const decoder = new TextDecoder();

/** The columns of one row, and what is needed to read them. */
export interface ExplainedRow {
  readonly plan: Plan;
  readonly columns: readonly Column[];
  readonly dictionary: Dictionary;
}

/** Row 0 of a column or view; null where it is absent. */
export function valueAt({ plan, columns, dictionary }: ExplainedRow, index: number): ExplainedValue {
  const { branch } = columnAt(plan, index);
  const slot = slotOf(plan, index);
  const elsewhere = slot !== index && columns[plan.system.type]!.u16[0] !== branch;
  if (elsewhere) return null;
  const column = columns[slot]!;
  if (column.plan.shape === 'scalar') return scalarAt(column, 0, dictionary);
  const elements = Array.from({ length: column.counts[0]! }, (_, i) => scalarAt(column.elements!, i, dictionary));
  if (column.plan.shape === 'list') return elements;
  return Object.fromEntries(elements.map((value, i) => [textOf(scalarAt(column.keys!, i, dictionary)), value]));
}

/** The same of a column that holds texts or labels; '' where it is absent. */
export function labelAt(row: ExplainedRow, index: number): string {
  return textOf(valueAt(row, index));
}

function textOf(value: ExplainedValue): string {
  return typeof value === 'string' ? value : '';
}

function scalarAt(column: Column, row: number, dictionary: Dictionary): ExplainedValue {
  if (column.plan.nullable && column.nulls[row] !== 0) return null;
  switch (column.kind) {
    case 'u8':
      return column.plan.clickhouseType.includes('Bool') ? column.u8[row] !== 0 : column.u8[row]!;
    case 'u32':
      return column.u32[row]!;
    case 'i32':
      return column.i32[row]!;
    case 'u64':
      return integerValue(BigInt(column.u32[2 * row + 1]!) * HIGH + BigInt(column.u32[2 * row]!));
    case 'i64':
      return integerValue(BigInt(column.i32[2 * row + 1]!) * HIGH + BigInt(column.u32[2 * row]!));
    case 'time':
      return timeText(column.i32[2 * row + 1]! * Number(HIGH) + column.u32[2 * row]!);
    case 'f32':
      return numberValue(column.f32[row]!);
    case 'f64':
      return numberValue(column.f64[row]!);
    case 'string':
      return textAt(column.heap, column.starts[row]!, column.lengths[row]!);
    case 'bytes':
      return Buffer.from(column.heap.slice(column.starts[row]!, column.starts[row]! + column.lengths[row]!)).toString(
        'base64',
      );
    case 'code':
      return column.plan.labels![column.u16[row]!] ?? '';
    case 'enum': {
      const number = column.i32[row]!;
      return column.plan.enumNames?.find(([known]) => known === number)?.[1] ?? String(number);
    }
    case 'dictionary':
      return entryText(dictionary, column.u32[row]!);
  }
}

export function integerValue(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** JSON has no words for what is no number. */
export function numberValue(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

export function timeText(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString();
}

/** Copied first: decoders take no shared memory. */
export function textAt(heap: Uint8Array, start: number, length: number): string {
  return decoder.decode(heap.slice(start, start + length));
}

function entryText(dictionary: Dictionary, id: number): string {
  return textAt(dictionary.bytes, entryAt(dictionary, id), entryBytes(dictionary, id));
}
