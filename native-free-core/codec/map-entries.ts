/**
 * Last entry wins: protobuf allows a map to bring one key several times. Entries are appended as they come, and at the
 * event's end the earlier ones of equal keys are taken out, in one pass whatever their number.
 */
// hot path: no allocation

import { hashBytes } from '../base/hash.ts';
import { rowBytes, type Column } from '../layout/column.ts';
import { LIST_ELEMENTS_MAX } from '../layout/limits.ts';

/** Up to here comparing each key with each other is cheaper than a table. */
const PAIRWISE_MAX = 8;
const SLOTS = LIST_ELEMENTS_MAX * 2;

const slots = new Int32Array(SLOTS);
const dropped = new Uint8Array(LIST_ELEMENTS_MAX);
const words = new Int32Array(4);

/** Leaves one entry for each key of `row`, whose entries are the column's last. */
export function dropRepeatedKeys(column: Column, row: number): void {
  const count = column.counts[row];
  if (count < 2) return;
  const first = column.elementEnd - count;
  const repeated =
    count <= PAIRWISE_MAX ? markPairwise(column.keys!, first, count) : markByTable(column.keys!, first, count);
  if (repeated !== 0) closeUp(column, row, first, count);
}

function sameKey(keys: Column, a: number, b: number): boolean {
  const length = keys.lengths[a];
  if (length !== keys.lengths[b]) return false;
  const heap = keys.heap;
  const x = keys.starts[a];
  const y = keys.starts[b];
  for (let i = 0; i < length; i++) if (heap[x + i] !== heap[y + i]) return false;
  return true;
}

function markPairwise(keys: Column, first: number, count: number): number {
  let repeated = 0;
  for (let i = 0; i < count; i++) {
    dropped[i] = 0;
    for (let j = i + 1; j < count; j++) {
      if (!sameKey(keys, first + i, first + j)) continue;
      dropped[i] = 1;
      repeated++;
      break;
    }
  }
  return repeated;
}

function markByTable(keys: Column, first: number, count: number): number {
  let repeated = 0;
  slots.fill(0);
  for (let i = 0; i < count; i++) {
    dropped[i] = 0;
    hashBytes(keys.heap, keys.starts[first + i], keys.lengths[first + i], 0, words, 0);
    let slot = words[0] & (SLOTS - 1);
    while (slots[slot] !== 0 && !sameKey(keys, first + i, first + slots[slot] - 1)) slot = (slot + 1) & (SLOTS - 1);
    if (slots[slot] !== 0) {
      dropped[slots[slot] - 1] = 1;
      repeated++;
    }
    slots[slot] = i + 1;
  }
  return repeated;
}

function closeUp(column: Column, row: number, first: number, count: number): void {
  const keys = column.keys!;
  const values = column.elements!;
  let to = first;
  keys.heapEnd = heapEndBefore(keys, first);
  if (values.lengths.length !== 0) values.heapEnd = heapEndBefore(values, first);
  for (let i = 0; i < count; i++) {
    if (dropped[i] !== 0) continue;
    moveText(keys, first + i, to);
    if (values.lengths.length !== 0) moveText(values, first + i, to);
    else moveFixed(values, first + i, to);
    to++;
  }
  column.elementEnd = to;
  column.counts[row] = to - first;
}

function heapEndBefore(column: Column, element: number): number {
  return element === 0 ? 0 : column.starts[element - 1] + column.lengths[element - 1];
}

/** Moves an element's value, its varint included, down to the heap's end. */
function moveText(column: Column, from: number, to: number): void {
  const length = column.lengths[from];
  const prefix = length === 0 ? 0 : length < 128 ? 1 : length < 16384 ? 2 : 3;
  const begin = column.starts[from] - prefix;
  const at = column.heapEnd;
  if (at !== begin) column.heap.copyWithin(at, begin, begin + prefix + length);
  column.starts[to] = at + prefix;
  column.lengths[to] = length;
  column.heapEnd = at + prefix + length;
}

function moveFixed(column: Column, from: number, to: number): void {
  const size = rowBytes(column.kind);
  if (from !== to) column.u8.copyWithin(to * size, from * size, (from + 1) * size);
}
