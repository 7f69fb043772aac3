/**
 * A stored event, back in the columns that it was decided in: the SELECT that reads one row of `events` as text, and the
 * loader that puts the text into row 0. Text is exact: ClickHouse writes the shortest digits that read back as the same
 * float.
 */

import { KINDS } from '../../native-free-core/language/kinds/index.ts';
import { createColumn, resetColumn, type Column } from '../../native-free-core/layout/column.ts';
import type { ColumnPlan, Plan } from '../../native-free-core/plan/plan.ts';
import {
  createDictionary,
  internEntry,
  openDictionary,
  type Dictionary,
} from '../../native-free-core/state/dictionary.ts';
import { quoteName } from '../contract/sql-text.ts';
import type { ExplainedRow } from './column-values.ts';

const LOW_BITS = 0xffffffffn;

/** Texts by column; null where absent. */
export type StoredTexts = readonly (string | null | readonly string[] | Readonly<Record<string, string>>)[];

/** Explained rows share a dictionary of their own until it has this many texts. */
const TEXTS_MAX = 4096;
const TEXT_BYTES_MAX = 1 << 22;
/** Texts of one row: so many must be left. */
const TEXTS_SPARE = 1024;

/** The columns of a plan as one array-like list of texts; `_0`, `_1`, … in the order of `Plan.columns`. */
export function selectTexts(plan: Plan): string {
  return plan.columns.map((column, i) => `${textSql(column)} AS _${i}`).join(', ');
}

function textSql({ name, kind, shape }: ColumnPlan): string {
  const column = quoteName(name);
  const of = (value: string): string => {
    const { type } = KINDS[kind];
    switch (type) {
      case 'time':
        return `toString(toUnixTimestamp64Milli(${value}))`;
      case 'bytes':
        return `hex(${value})`;
      case 'bool':
      case 'int':
      case 'double':
      case 'string':
        return `toString(${value})`;
    }
  };
  if (shape === 'list') return `arrayMap(x -> ${of('x')}, ${column})`;
  return shape === 'map' ? `mapApply((k, v) -> (k, ${of('v')}), ${column})` : of(column);
}

/** Columns of one row for a plan. */
export function createExplainedRow(plan: Plan): ExplainedRow {
  return {
    plan,
    columns: plan.columns.map((column) => createColumn(column, 1)),
    dictionary: openDictionary(createDictionary(TEXTS_MAX, TEXT_BYTES_MAX)),
  };
}

/** False: the row's dictionary is nearly full, and another row must be made. */
export function hasRoom({ dictionary }: ExplainedRow, count: number): boolean {
  return count + TEXTS_SPARE < dictionary.entriesMax;
}

export function loadTexts({ columns, dictionary }: ExplainedRow, texts: StoredTexts): void {
  columns.forEach((column, i) => {
    column.touched = true;
    resetColumn(column, 1);
    const value = texts[i] ?? null;
    if (value === null) return;
    column.touched = true;
    if (typeof value === 'string') {
      if (column.plan.nullable) column.nulls[0] = 0;
      putText(column, 0, value, dictionary);
    } else if (Array.isArray(value)) putElements(column, value as readonly string[], [], dictionary);
    else putElements(column, Object.values(value), Object.keys(value), dictionary);
  });
}

function putElements(column: Column, values: readonly string[], keys: readonly string[], dictionary: Dictionary): void {
  column.counts[0] = values.length;
  column.elementEnd = values.length;
  column.elements!.touched = true;
  values.forEach((value, i) => putText(column.elements!, i, value, dictionary));
  if (column.keys === null) return;
  column.keys.touched = true;
  keys.forEach((key, i) => putText(column.keys!, i, key, dictionary));
}

function putText(column: Column, row: number, text: string, dictionary: Dictionary): void {
  switch (column.kind) {
    case 'u8':
      column.u8[row] = text === 'true' ? 1 : text === 'false' ? 0 : Number(text);
      return;
    case 'u32':
      column.u32[row] = Number(text);
      return;
    case 'i32':
      column.i32[row] = Number(text);
      return;
    case 'u64':
    case 'i64':
    case 'time': {
      const bits = BigInt.asUintN(64, BigInt(text));
      column.u32[2 * row] = Number(bits & LOW_BITS);
      column.u32[2 * row + 1] = Number(bits >> 32n);
      return;
    }
    case 'f32':
      column.f32[row] = floatOf(text);
      return;
    case 'f64':
      column.f64[row] = floatOf(text);
      return;
    case 'string':
      putBytes(column, row, Buffer.from(text, 'utf8'));
      return;
    case 'bytes':
      putBytes(column, row, Buffer.from(text, 'hex'));
      return;
    case 'code':
      column.u16[row] = Math.max(0, column.plan.labels!.indexOf(text));
      return;
    case 'enum':
      column.i32[row] = column.plan.enumNames?.find(([, name]) => name === text)?.[0] ?? Number(text);
      return;
    case 'dictionary': {
      const bytes = Buffer.from(text, 'utf8');
      column.u32[row] = internEntry(dictionary, bytes, 0, bytes.length);
      return;
    }
  }
  column.kind satisfies never;
}

function floatOf(text: string): number {
  if (text === 'inf' || text === '-inf') return text === 'inf' ? Infinity : -Infinity;
  return Number(text);
}

function putBytes(column: Column, row: number, bytes: Uint8Array): void {
  column.heap.set(bytes, column.heapEnd);
  column.starts[row] = column.heapEnd;
  column.lengths[row] = bytes.length;
  column.heapEnd += bytes.length;
}
