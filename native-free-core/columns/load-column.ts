/** One sealed column back into a `Column`, the inverse of seal-column.ts. Called by load-block.ts, which knows its place. */

import { rowBytes, type Column } from '../layout/column.ts';
import { branchCount, type BranchRows } from './branch-rows.ts';
import { repeatFixed, scatterFixed } from './fixed-loops.ts';
import { pad8 } from './seal-column.ts';
import { readText } from './text-loops.ts';

export interface SealedColumn {
  /** Where its data begins in the block, and how long it is. */
  readonly at: number;
  readonly bytes: number;
  readonly constant: boolean;
  /** Rows of the block. */
  readonly rows: number;
  /** Where it holds the rows of its branch only; null: all rows. */
  readonly group: BranchRows | null;
}

export function loadColumn(column: Column, view: DataView, block: Uint8Array, sealed: SealedColumn): void {
  column.touched = true;
  if (sealed.constant) {
    repeatFixed(column.u8, 0, block, sealed.at, rowBytes(column.kind), sealed.rows);
    return;
  }
  const group = sealed.group;
  const branch = column.plan.branch;
  const rows = group === null ? null : group.rows;
  const from = group === null ? 0 : group.starts[branch];
  const count = group === null ? sealed.rows : branchCount(group, branch);
  const end = sealed.at + sealed.bytes;
  if (column.elements !== null) {
    loadElements(column, column.elements, view, block, sealed.at, end, rows, from, count);
    return;
  }
  let at = sealed.at;
  if (column.nulls.length !== 0) at += pad8(loadBytes(column.nulls, block, at, 1, rows, from, count));
  loadValues(column, block, at, end, rows, from, count);
}

function loadElements(
  column: Column,
  elements: Column,
  view: DataView,
  block: Uint8Array,
  begin: number,
  end: number,
  rows: Uint16Array | null,
  from: number,
  count: number,
): void {
  let total = 0;
  for (let i = 0; i < count; i++) {
    const elementCount = view.getUint32(begin + 4 * i, true);
    column.counts[rows === null ? i : rows[from + i]] = elementCount;
    total += elementCount;
  }
  column.elementEnd = total;
  let at = begin + pad8(count * 4);
  if (column.keys !== null) {
    const keysBytes = view.getUint32(at, true);
    loadValues(column.keys, block, at + 8, at + 8 + keysBytes, null, 0, total);
    column.keys.touched = true;
    at += 8 + pad8(keysBytes);
  }
  loadValues(elements, block, at, end, null, 0, total);
  elements.touched = true;
}

function loadValues(
  column: Column,
  block: Uint8Array,
  at: number,
  end: number,
  rows: Uint16Array | null,
  from: number,
  count: number,
): void {
  const width = rowBytes(column.kind);
  if (width !== 0) {
    loadBytes(column.u8, block, at, width, rows, from, count);
    return;
  }
  column.heap.set(block.subarray(at, end), 0);
  column.heapEnd = end - at;
  readText(column.heap, 0, column.starts, column.lengths, rows, from, count);
}

function loadBytes(
  out: Uint8Array,
  block: Uint8Array,
  at: number,
  width: number,
  rows: Uint16Array | null,
  from: number,
  count: number,
): number {
  if (rows === null) out.set(block.subarray(at, at + width * count), 0);
  else scatterFixed(out, 0, block, at, width, rows, from, count);
  return width * count;
}
