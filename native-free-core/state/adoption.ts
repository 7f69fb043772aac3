/**
 * Adoption: after a change of the pipeline, an entity whose row layout has changed begins in a new, empty table, and its
 * rows move over one by one: when an event first asks for one, or when the sweep comes by. The former table and the side
 * table with what was backfilled stand still meanwhile: every row of theirs is as of the epoch at which the versions
 * changed.
 *
 * A row of the side table belongs to the former table's only where both are of the same (life, seq). Where they differ the
 * row is not adopted, which is an eviction: the key begins a new life. Each former row is considered once. Afterwards its
 * life is set to TAKEN, whether or not it was migrated, under the lock of the key's stripe in the new table.
 */
// hot path: no allocation

import { ROW_LIFE_SLOT, ROW_SEQ_SLOT, STRIPE_USED, ENTITIES_ADOPTING_AT } from '../layout/entity-layout.ts';
import {
  createRow,
  findRow,
  lockStripe,
  pointAt,
  ROW_NONE,
  rowWord,
  seekStripe,
  unlockStripe,
  type EntityTable,
} from './entity-table.ts';
import { createKey, loadKey } from '../layout/key-words.ts';

const TAKEN = -1;
/** As `epoch` of `createRow`: a row is made only where there is room. */
const NO_EVICTION = -1;

/** The key's row, moved over, or ROW_NONE. The caller holds the stripe's lock and has not found the key. */
export function adoptRow(table: EntityTable, k0: number, k1: number, k2: number, k3: number, epoch: number): number {
  const adoption = table.adoption!;
  const { former, side } = adoption;
  seekStripe(former, k0, k1, k2, k3);
  const from = findRow(former, k0, k1, k2, k3);
  if (from < 0) return ROW_NONE;
  const life = former.floats[from + ROW_LIFE_SLOT];
  if (life < 0) return ROW_NONE;
  let sideFrom = ROW_NONE;
  if (side !== null) {
    seekStripe(side, k0, k1, k2, k3);
    sideFrom = findRow(side, k0, k1, k2, k3);
    if (sideFrom < 0 || !agree(former, from, side, sideFrom)) {
      former.floats[from + ROW_LIFE_SLOT] = TAKEN;
      return ROW_NONE;
    }
  }
  const at = createRow(table, k0, k1, k2, k3, epoch);
  if (at >= 0) {
    copyWords(former.words, from * 2, table.words, at * 2, adoption.copies);
    if (side !== null) copyWords(side.words, sideFrom * 2, table.words, at * 2, adoption.sideCopies);
  }
  former.floats[from + ROW_LIFE_SLOT] = TAKEN;
  return at;
}

function agree(former: EntityTable, from: number, side: EntityTable, sideFrom: number): boolean {
  return (
    former.floats[from + ROW_SEQ_SLOT] === side.floats[sideFrom + ROW_SEQ_SLOT] &&
    former.floats[from + ROW_LIFE_SLOT] === side.floats[sideFrom + ROW_LIFE_SLOT]
  );
}

function copyWords(from: Int32Array, fromAt: number, to: Int32Array, toAt: number, copies: Int32Array): void {
  for (let i = 0; i < copies.length; i += 3) {
    let source = fromAt + copies[i];
    let target = toAt + copies[i + 1];
    for (let left = copies[i + 2]; left > 0; left--) to[target++] = from[source++];
  }
}

/** Moves over what is left in stripe number `index` of the former table; lost: rows that found no room or no fellow. */
export function sweepStripe(table: EntityTable, index: number): { moved: number; lost: number } {
  const { former } = table.adoption!;
  const key = createKey();
  let moved = 0;
  let lost = 0;
  pointAt(former, index);
  const rows = former.words[former.stripe + STRIPE_USED];
  for (let row = 0; row < rows; row++) {
    pointAt(former, index);
    const at = rowWord(former, row);
    const words = former.words;
    if (former.floats[(at >> 1) + ROW_LIFE_SLOT] < 0) continue;
    loadKey(words, at, key);
    const { k0, k1, k2, k3 } = key;
    lockStripe(table, k0, k1, k2, k3);
    // An event may have been faster.
    if (findRow(table, k0, k1, k2, k3) < 0) {
      if (adoptRow(table, k0, k1, k2, k3, NO_EVICTION) < 0) lost++;
      else moved++;
    }
    unlockStripe(table);
  }
  return { moved, lost };
}

/** Says to every thread that the sweep is over. */
export function endAdoption(table: EntityTable): void {
  Atomics.store(table.regionWords[0], ENTITIES_ADOPTING_AT >> 2, 0);
}

export function beginAdoption(table: EntityTable): void {
  Atomics.store(table.regionWords[0], ENTITIES_ADOPTING_AT >> 2, 1);
}

/** Drops the former tables once the sweep is over; true where it dropped any. */
export function leaveAdoption(table: EntityTable): boolean {
  if (table.adoption === null || Atomics.load(table.regionWords[0], ENTITIES_ADOPTING_AT >> 2) !== 0) return false;
  table.adoption = null;
  return true;
}
