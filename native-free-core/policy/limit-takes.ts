/**
 * Taking limits: "at most 1 hint per player per 10 m". A take is an event for which a limited rule has fired; it lies in
 * the hop of its effective_time, and the window of an event ends at the entity's clock at that event, as a count's does
 * (docs/semantics.md §5). An event that is itself too late for its window could never be counted, so it takes nothing.
 * Called by the decisions' second pass on a worker's thread (take) and by recovery on the main thread (replay).
 *
 * Two workers decide the blocks of one epoch at once: what a row holds is the same in whatever order the same takes are
 * added, so recovery may add a block's takes after another's, and seq and life tell which ones a row already has.
 */
// hot path: no allocation

import { WORD } from '../base/words.ts';
import type { Column } from '../layout/column.ts';
import { adoptRow } from '../state/adoption.ts';
import { createRow, findRow, lockStripe, restartRow, unlockStripe, type EntityTable } from '../state/entity-table.ts';
import {
  REPLAY_BASE_SLOT,
  REPLAY_EPOCH_SLOT,
  TAKE_ENTITY_LIFE_SLOT,
  TAKE_LIFE_SLOT,
  TAKE_SEEN_SLOT,
  TAKE_SEQ_SLOT,
  type LimitCells,
} from './limit-layout.ts';

/** What the limits of one decision and entity work on. */
export interface LimitGate {
  readonly table: EntityTable;
  /** Of the entity: four words a row, and 1 where the row has a key. */
  readonly keys: Int32Array;
  readonly present: Uint8Array;
  /** The entity's clock at each row's event, ms. Live only. */
  readonly clocks: Float64Array;
  /** effective_time of each row, ms. */
  readonly effective: Float64Array;
  /** `<entity>_life`, `<decision>_seq`, `<decision>_life`. */
  readonly entityLife: Column;
  readonly seq: Column;
  readonly life: Column;
}

/** Takes one for row `r` and notes its seq and life there; false where the limit is used up or cannot be kept. */
export function takeLimit(gate: LimitGate, cells: LimitCells, r: number, epoch: number, receivedAt: number): boolean {
  const entityLife = readU64(gate.entityLife.u32, r);
  if (gate.present[r] === 0 || entityLife === 0) return false;
  const hop = Math.floor(gate.effective[r] / cells.hopMs);
  const clockHop = Math.floor(gate.clocks[r] / cells.hopMs);
  if (hop < clockHop - cells.hops) return false;
  const table = gate.table;
  const row = lockLiveRow(table, gate.keys, r, entityLife, epoch);
  const taken = row >= 0 && hasRoom(table, row, cells, hop, clockHop);
  if (taken) {
    const floats = table.floats;
    addTake(table, row, cells, hop);
    raise(floats, row + TAKE_ENTITY_LIFE_SLOT, entityLife);
    floats[row + TAKE_SEQ_SLOT]++;
    floats[row + TAKE_SEEN_SLOT] = receivedAt;
    writeU64(gate.seq, r, floats[row + TAKE_SEQ_SLOT]);
    writeU64(gate.life, r, floats[row + TAKE_LIFE_SLOT]);
  }
  unlockStripe(table);
  return taken;
}

/** Adds a stored take, unless the table has it. Rows of one block in any order, blocks of one epoch in any order. */
export function replayLimit(gate: LimitGate, cells: LimitCells, r: number, epoch: number, receivedAt: number): void {
  const table = gate.table;
  const seq = readU64(gate.seq.u32, r);
  const row = lockReplayedRow(table, gate.keys, r, readU64(gate.life.u32, r), epoch);
  if (row >= 0) {
    const floats = table.floats;
    if (floats[row + REPLAY_EPOCH_SLOT] !== epoch) {
      floats[row + REPLAY_EPOCH_SLOT] = epoch;
      floats[row + REPLAY_BASE_SLOT] = floats[row + TAKE_SEQ_SLOT];
    }
    if (seq > floats[row + REPLAY_BASE_SLOT]) {
      addTake(table, row, cells, Math.floor(gate.effective[r] / cells.hopMs));
      raise(floats, row + TAKE_SEQ_SLOT, seq);
      raise(floats, row + TAKE_ENTITY_LIFE_SLOT, readU64(gate.entityLife.u32, r));
      raise(floats, row + TAKE_SEEN_SLOT, receivedAt);
    }
  }
  unlockStripe(table);
}

/** For a copied row of `words`: what a recovery long ago noted there would mislead the next one. */
export function forgetReplay(words: Int32Array, at: number): void {
  words[at + 2 * REPLAY_EPOCH_SLOT] = 0;
  words[at + 2 * REPLAY_EPOCH_SLOT + 1] = 0;
}

/** Locks the key's stripe; its row, new where the key has none or its entity has begun a new life. Or negative: no room. */
function lockLiveRow(table: EntityTable, keys: Int32Array, r: number, entityLife: number, epoch: number): number {
  const k0 = keys[4 * r];
  const k1 = keys[4 * r + 1];
  const k2 = keys[4 * r + 2];
  const k3 = keys[4 * r + 3];
  lockStripe(table, k0, k1, k2, k3);
  let row = findRow(table, k0, k1, k2, k3);
  if (row < 0 && table.adoption !== null) row = adoptRow(table, k0, k1, k2, k3, epoch);
  if (row < 0) row = createRow(table, k0, k1, k2, k3, epoch);
  if (row < 0) return row;
  const floats = table.floats;
  const known = floats[row + TAKE_ENTITY_LIFE_SLOT];
  // A key begins at most one life in an epoch: (life, seq) is there once.
  if (known !== 0 && entityLife > known && floats[row + TAKE_LIFE_SLOT] < epoch) restartRow(table, row, epoch);
  return row;
}

/**
 * The same from stored rows: a life begins in the epoch whose number it is. Of a life that the table has lost, or left
 * behind, nothing is added: negative.
 */
function lockReplayedRow(table: EntityTable, keys: Int32Array, r: number, life: number, epoch: number): number {
  const k0 = keys[4 * r];
  const k1 = keys[4 * r + 1];
  const k2 = keys[4 * r + 2];
  const k3 = keys[4 * r + 3];
  lockStripe(table, k0, k1, k2, k3);
  let row = findRow(table, k0, k1, k2, k3);
  if (row < 0 && life === epoch) row = createRow(table, k0, k1, k2, k3, epoch);
  if (row < 0) return row;
  if (life === epoch && table.floats[row + TAKE_LIFE_SLOT] < epoch) restartRow(table, row, epoch);
  return table.floats[row + TAKE_LIFE_SLOT] === life ? row : -1;
}

/** Whether fewer than `count` takes lie in the window, and the event itself does. Hops are stored plus one. */
function hasRoom(table: EntityTable, row: number, cells: LimitCells, hop: number, clockHop: number): boolean {
  const floats = table.floats;
  const at = row + cells.at;
  if (cells.isRing) {
    const newest = floats[at];
    const tail = Math.max(newest, clockHop + 1) - cells.hops;
    return hop + 1 >= tail && ringTakes(table, at, cells, tail, newest) < cells.count;
  }
  let newest = clockHop + 1;
  let oldest = Infinity;
  for (let i = at; i < at + cells.count; i++) {
    const taken = floats[i];
    if (taken > newest) newest = taken;
    if (taken < oldest) oldest = taken;
  }
  const tail = newest - cells.hops;
  return hop + 1 >= tail && oldest < tail;
}

/** Takes in the hops from `tail` to `newest`, which lie within the ring. */
function ringTakes(table: EntityTable, at: number, cells: LimitCells, tail: number, newest: number): number {
  const words = table.words;
  const buckets = cells.hops + 1;
  const first = (at + 1) * 2;
  let takes = 0;
  for (let hop = Math.max(tail, 1); hop <= newest; hop++) takes += words[first + (hop % buckets)];
  return takes;
}

/** Whatever the order of the same takes, the same cells come of it, up to their places. */
function addTake(table: EntityTable, row: number, cells: LimitCells, hop: number): void {
  if (cells.isRing) addToRing(table, row + cells.at, cells, hop + 1);
  else addToNewest(table.floats, row + cells.at, cells.count, hop + 1);
}

function addToNewest(floats: Float64Array, at: number, count: number, taken: number): void {
  let oldest = at;
  for (let i = at + 1; i < at + count; i++) if (floats[i] < floats[oldest]) oldest = i;
  if (taken > floats[oldest]) floats[oldest] = taken;
}

function addToRing(table: EntityTable, at: number, cells: LimitCells, taken: number): void {
  const words = table.words;
  const floats = table.floats;
  const buckets = cells.hops + 1;
  const first = (at + 1) * 2;
  const newest = floats[at];
  if (taken <= newest - buckets) return;
  for (let hop = Math.max(newest, taken - buckets) + 1; hop <= taken; hop++) words[first + (hop % buckets)] = 0;
  if (taken > newest) floats[at] = taken;
  words[first + (taken % buckets)]++;
}

function raise(floats: Float64Array, at: number, value: number): void {
  if (value > floats[at]) floats[at] = value;
}

function readU64(words: Uint32Array, r: number): number {
  return words[2 * r] + words[2 * r + 1] * WORD;
}

function writeU64(column: Column, r: number, value: number): void {
  const high = Math.floor(value / WORD);
  column.u32[2 * r] = value - high * WORD;
  column.u32[2 * r + 1] = high;
  column.touched = true;
}
