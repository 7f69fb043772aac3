/**
 * Rows of a former version of the pipeline in the columns of the next one: what a backfill reads of blocks that the former
 * version sealed. A column that holds the same is the same object; one whose kind has widened is converted; one that the
 * former version did not have stays preset, as it reads from ClickHouse. Called by decide/side-replay.ts.
 */

import { createColumn, resetColumn, rowBytes, type Column } from '../layout/column.ts';
import { KINDS } from '../language/kinds/index.ts';
import type { PlanChange } from '../plan/change-plan.ts';
import type { DictionaryIntern } from '../layout/dictionary-intern.ts';
import type { ColumnPlan, Plan } from '../plan/plan.ts';

export interface CarriedColumns {
  /** In the order of the new plan's columns. */
  readonly columns: readonly Column[];
  /** After the former version's columns have been filled for the rows [0, rows). */
  convert(rows: number): void;
  /** Makes the columns preset that are not the former version's own. */
  reset(rows: number): void;
}

/** The shared dictionary, for strings that one version keeps there and the other one beside the row. */
export interface CarriedTexts extends DictionaryIntern {
  readonly bytes: Uint8Array;
  startOf(id: number): number;
  lengthOf(id: number): number;
}

export function carryColumns(
  from: readonly Column[],
  to: Plan,
  change: PlanChange,
  texts: CarriedTexts,
): CarriedColumns {
  const conversions: ((rows: number) => void)[] = [];
  const own: Column[] = [];
  const columns = to.columns.map((plan, i) => {
    const source = from[change.columns[i]!];
    if (source !== undefined && isSame(source.plan, plan)) return source;
    const column = createColumn(plan);
    own.push(column);
    if (source !== undefined) conversions.push(conversionOf(source, column, texts));
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
    isPrefix(from.labels ?? [], to.labels ?? [])
  );
}

/** Codes keep their meaning. */
function isPrefix(from: readonly string[], to: readonly string[]): boolean {
  return from.every((label, code) => to[code] === label);
}

/** Not the hot path: an entity that changes while old blocks still wait is rare, and such a column more so. */
function conversionOf(from: Column, to: Column, texts: CarriedTexts): (rows: number) => void {
  if (from.elements !== null) return elementsConversion(from, to, texts);
  const write = writerOf(from, to, texts);
  const fromNullable = from.nulls.length !== 0;
  const toNullable = to.nulls.length !== 0;
  return (rows) => {
    // Without a single value the rows are preset: 0, and not NULL where the former version had no NULL.
    if (!from.touched && (fromNullable || !toNullable)) return;
    to.touched = true;
    for (let r = 0; r < rows; r++) {
      if (fromNullable && from.nulls[r] !== 0) continue;
      if (toNullable) to.nulls[r] = 0;
      if (from.touched) write(r);
    }
  };
}

/** Lists and maps: element by element; the keys are the same texts. */
function elementsConversion(from: Column, to: Column, texts: CarriedTexts): (rows: number) => void {
  const write = writerOf(from.elements!, to.elements!, texts);
  return (rows) => {
    if (!from.touched) return;
    to.touched = true;
    to.elements!.touched = true;
    to.counts.set(from.counts.subarray(0, rows));
    to.elementEnd = from.elementEnd;
    for (let i = 0; i < from.elementEnd; i++) write(i);
    if (from.keys === null) return;
    to.keys!.touched = true;
    for (let i = 0; i < from.elementEnd; i++) copyText(from.keys, to.keys!, i);
  };
}

/** Copies row r's value; kinds that cannot be one another are refused long before. */
function writerOf(from: Column, to: Column, texts: CarriedTexts): (r: number) => void {
  const [source, target] = [KINDS[from.kind], KINDS[to.kind]];
  const { labels } = to.plan;
  if (labels !== undefined) {
    const codes = (from.plan.labels ?? []).map((label) => Math.max(0, labels.indexOf(label)));
    return (r) => void (to.u16[r] = codes[from.u16[r]] ?? 0);
  }
  if (from.kind === to.kind) return copierOf(from, to);
  if (target.isInterned)
    return (r) => void (to.u32[r] = Math.max(0, texts.intern(from.heap, from.starts[r], from.lengths[r])));
  if (source.isInterned) {
    return (r) => {
      const id = from.u32[r];
      putText(to, r, texts.bytes, texts.startOf(id), texts.lengthOf(id));
    };
  }
  const [cells, into] = [source.cells, target.cells];
  if (cells === null || into === null) return (r) => copyText(from, to, r);
  return (r) => into.write(to, r, cells.read(from, r));
}

/** The same kind, in a column that can be NULL and one that cannot. */
function copierOf(from: Column, to: Column): (r: number) => void {
  switch (rowBytes(from.kind)) {
    case 0:
      return (r) => copyText(from, to, r);
    case 1:
      return (r) => void (to.u8[r] = from.u8[r]);
    case 2:
      return (r) => void (to.u16[r] = from.u16[r]);
    case 4:
      return (r) => void (to.u32[r] = from.u32[r]);
    case 8:
      return (r) => copyWords(from, to, r);
  }
}

function copyWords(from: Column, to: Column, r: number): void {
  to.i32[2 * r] = from.i32[2 * r];
  to.i32[2 * r + 1] = from.i32[2 * r + 1];
}

function copyText(from: Column, to: Column, r: number): void {
  putText(to, r, from.heap, from.starts[r], from.lengths[r]);
}

function putText(to: Column, r: number, bytes: Uint8Array, start: number, length: number): void {
  to.heap.set(bytes.subarray(start, start + length), to.heapEnd);
  to.starts[r] = to.heapEnd;
  to.lengths[r] = length;
  to.heapEnd += length;
}
