/**
 * Rows of a former version of the pipeline in the columns of the next one: what a backfill reads of blocks that the former
 * version sealed. A column that holds the same is the same object; one whose kind has widened is converted; one that the former version
 * did not have stays preset, as it reads from ClickHouse. Called by decide/side-replay.ts.
 */

import { createColumn, resetColumn, type Column } from '../layout/column.ts';
import type { PlanChange } from '../layout/change.ts';
import type { ColumnPlan, Plan } from '../layout/plan.ts';

export interface CarriedColumns {
  /** In the order of the new plan's columns. */
  readonly columns: readonly Column[];
  /** After the former version's columns have been filled for the rows [0, rows). */
  convert(rows: number): void;
  /** Makes the columns preset that are not the former version's own. */
  reset(rows: number): void;
}

export function carryColumns(from: readonly Column[], to: Plan, change: PlanChange): CarriedColumns {
  const conversions: ((rows: number) => void)[] = [];
  const own: Column[] = [];
  const columns = to.columns.map((plan, i) => {
    const source = from[change.columns[i]!];
    if (source !== undefined && isSame(source.plan, plan)) return source;
    const column = createColumn(plan);
    own.push(column);
    if (source !== undefined) conversions.push(conversionOf(source, column));
    return column;
  });
  return {
    columns,
    convert: (rows) => conversions.forEach((convert) => convert(rows)),
    reset: (rows) => own.forEach((column) => resetColumn(column, rows)),
  };
}

function isSame(from: ColumnPlan, to: ColumnPlan): boolean {
  return (
    from.kind === to.kind &&
    from.shape === to.shape &&
    from.nullable === to.nullable &&
    (to.kind !== 'code' || isPrefix(from.labels ?? [], to.labels ?? []))
  );
}

/** Codes keep their meaning. */
function isPrefix(from: readonly string[], to: readonly string[]): boolean {
  return from.every((label, code) => to[code] === label);
}

/** Not the hot path: an entity that changes while old blocks still wait is rare, and such a column more so. */
function conversionOf(from: Column, to: Column): (rows: number) => void {
  const write = writerOf(from, to);
  return (rows) => {
    if (!from.touched) return;
    to.touched = true;
    for (let r = 0; r < rows; r++) {
      if (from.nulls.length !== 0 && from.nulls[r] !== 0) continue;
      if (to.nulls.length !== 0) to.nulls[r] = 0;
      write(r);
    }
  };
}

const HIGH = 4294967296;

/** Copies row r's value; kinds that cannot be one another are refused long before. */
function writerOf(from: Column, to: Column): (r: number) => void {
  if (to.kind === 'code') {
    const codes = (from.plan.labels ?? []).map((label) => Math.max(0, to.plan.labels!.indexOf(label)));
    return (r) => void (to.u16[r] = codes[from.u16[r]] ?? 0);
  }
  if (from.kind === 'string' || from.kind === 'bytes') return (r) => copyText(from, to, r);
  const read = readerOf(from);
  switch (to.kind) {
    case 'f64':
      return (r) => void (to.f64[r] = read(r));
    case 'f32':
      return (r) => void (to.f32[r] = read(r));
    case 'u8':
      return (r) => void (to.u8[r] = read(r));
    case 'i64':
    case 'u64':
    case 'time':
      if (from.i32.length === to.i32.length) return (r) => copyWords(from, to, r);
      return (r) => {
        const value = read(r);
        to.u32[2 * r] = value;
        to.i32[2 * r + 1] = Math.floor(value / HIGH);
      };
    default:
      return (r) => void (to.u32[r] = read(r));
  }
}

function readerOf(from: Column): (r: number) => number {
  switch (from.kind) {
    case 'f64':
      return (r) => from.f64[r];
    case 'f32':
      return (r) => from.f32[r];
    case 'u8':
      return (r) => from.u8[r];
    case 'code':
      return (r) => from.u16[r];
    case 'i32':
    case 'enum':
      return (r) => from.i32[r];
    default:
      return (r) => from.u32[r];
  }
}

function copyWords(from: Column, to: Column, r: number): void {
  to.i32[2 * r] = from.i32[2 * r];
  to.i32[2 * r + 1] = from.i32[2 * r + 1];
}

function copyText(from: Column, to: Column, r: number): void {
  const [start, length] = [from.starts[r], from.lengths[r]];
  to.heap.set(from.heap.subarray(start, start + length), to.heapEnd);
  to.starts[r] = to.heapEnd;
  to.lengths[r] = length;
  to.heapEnd += length;
}
