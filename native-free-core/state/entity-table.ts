/**
 * The table of one entity's states, shared by all workers: find or create a row by its 128-bit key, evict idle rows
 * when a stripe is full. The caller holds the stripe's lock from `lockStripe` to `unlockStripe`, a kernel that of a whole
 * run of rows (entity-run.ts); the row's features are read and written by the kernels (features/kernel.ts) in between.
 */
// hot path: no allocation

import { fail } from '../base/fail.ts';
import { slotHash } from '../base/hash.ts';
import {
  ENTITIES_LIVE_AT,
  ENTITIES_STRIPES_AT,
  ENTITIES_VERSION,
  ROW_LIFE_SLOT,
  ROW_SEEN_SLOT,
  ROW_SEQ_SLOT,
  STRIPE_BARREN,
  STRIPE_EVICTED,
  STRIPE_HAND,
  STRIPE_HEADER_WORDS,
  STRIPE_LIVE,
  STRIPE_LOCK,
  STRIPE_USED,
  type EntityTableShape,
} from '../layout/entity-layout.ts';
import { storeKey, isKeyAt, hashOfKey } from '../layout/key-words.ts';
import { REGION_ENTITIES, REGION_HEADER_BYTES, checkRegion, createRegion } from '../layout/region.ts';
import { acquireLock, releaseLock } from './lock.ts';

/** A change of the pipeline that goes on (adoption.ts). */
export interface Adoption {
  readonly former: EntityTable;
  /** Triples of Int32 words: from where in the former row, to where in the new one, how many. */
  readonly copies: Int32Array;
  /** null: nothing was backfilled. */
  readonly side: EntityTable | null;
  readonly sideCopies: Int32Array;
}

export interface EntityTable {
  readonly shape: EntityTableShape;
  readonly regions: readonly SharedArrayBuffer[];
  readonly regionWords: readonly Int32Array[];
  readonly regionFloats: readonly Float64Array[];
  /** Set by `lockStripe`: views of the locked stripe's region, and where the stripe begins in Int32 words. */
  words: Int32Array;
  floats: Float64Array;
  stripe: number;
  hash: number;
  /** Set where a lock is taken: its Int32 index in the first region. */
  lock: number;
  /** Rows in use beyond which a new one takes the place of an idle one; recovery sets it off, and trims when it is done. */
  max: number;
  /** Where rows of a former version of the pipeline are still to be had (adoption.ts); null: nowhere. */
  adoption: Adoption | null;
}

/** How many rows the CLOCK hand looks at to find an idle one. */
const HAND_STEPS_MAX = 64;
export const ROW_NONE = -1;

export function createEntityRegions(shape: EntityTableShape): SharedArrayBuffer[] {
  const regions: SharedArrayBuffer[] = [];
  for (let left = shape.stripes; left > 0; left -= shape.stripesPerRegion) {
    const stripes = Math.min(left, shape.stripesPerRegion);
    const region = createRegion(REGION_ENTITIES, ENTITIES_VERSION, stripes * shape.stripeBytes);
    new Int32Array(region)[ENTITIES_STRIPES_AT >> 2] = stripes;
    regions.push(region);
  }
  return regions;
}

export function openEntityTable(shape: EntityTableShape, regions: readonly SharedArrayBuffer[]): EntityTable {
  for (const region of regions) checkRegion(region, REGION_ENTITIES, ENTITIES_VERSION);
  const regionWords = regions.map((region) => new Int32Array(region));
  const regionFloats = regions.map((region) => new Float64Array(region));
  return {
    shape,
    regions,
    regionWords,
    regionFloats,
    words: regionWords[0],
    floats: regionFloats[0],
    stripe: 0,
    hash: 0,
    lock: 0,
    max: shape.max,
    adoption: null,
  };
}

/** Locks the stripe of a key and points `words`, `floats` and `stripe` at it. */
export function lockStripe(table: EntityTable, k0: number, k1: number, k2: number, k3: number): void {
  const hash = slotHash(k0, k1, k2, k3);
  table.hash = hash;
  enterStripe(table, (hash >>> 8) & (table.shape.stripes - 1));
}

/** Points at the stripe of a key without locking it: for tables that nobody changes any more, or where its lock is held. */
export function seekStripe(table: EntityTable, k0: number, k1: number, k2: number, k3: number): void {
  const hash = slotHash(k0, k1, k2, k3);
  table.hash = hash;
  pointAt(table, (hash >>> 8) & (table.shape.stripes - 1));
}

/** Locks stripe number `index`: for snapshots, which go through all of them. */
export function enterStripe(table: EntityTable, index: number): void {
  pointAt(table, index);
  lockTable(table, index & (table.shape.locks - 1));
}

/** Takes lock number `lock`, which is that of every stripe whose number has these low bits. */
export function lockTable(table: EntityTable, lock: number): void {
  table.lock = ((REGION_HEADER_BYTES + lock * table.shape.stripeBytes) >> 2) + STRIPE_LOCK;
  acquireLock(table.regionWords[0], table.lock);
}

/** Points `words`, `floats` and `stripe` at stripe number `index`; returns its region. */
export function pointAt(table: EntityTable, index: number): number {
  const region = (index / table.shape.stripesPerRegion) | 0;
  const within = index - region * table.shape.stripesPerRegion;
  table.words = table.regionWords[region];
  table.floats = table.regionFloats[region];
  table.stripe = (REGION_HEADER_BYTES + within * table.shape.stripeBytes) >> 2;
  return region;
}

/** Releases the lock that was taken last. */
export function unlockStripe(table: EntityTable): void {
  releaseLock(table.regionWords[0], table.lock);
}

/** Index slots of a stripe use the hash bits that did not choose the stripe. */
export function homeSlot(hash: number, slots: number): number {
  return (hash ^ (hash >>> 20)) & (slots - 1);
}

/** Int32 index of row number `row` of the stripe that the table points at. */
export function rowWord(table: EntityTable, row: number): number {
  return table.stripe + STRIPE_HEADER_WORDS + table.shape.indexSlots + row * (table.shape.rowBytes >> 2);
}

/** The row's first f64 index in `table.floats`, or ROW_NONE. The stripe is locked. */
export function findRow(table: EntityTable, k0: number, k1: number, k2: number, k3: number): number {
  const words = table.words;
  const slots = table.shape.indexSlots;
  const index = table.stripe + STRIPE_HEADER_WORDS;
  const rows = index + slots;
  const rowWords = table.shape.rowBytes >> 2;
  for (let slot = homeSlot(table.hash, slots); ; slot = (slot + 1) & (slots - 1)) {
    const row = words[index + slot];
    if (row === 0) return ROW_NONE;
    const at = rows + (row - 1) * rowWords;
    if (isKeyAt(words, at, k0, k1, k2, k3)) return at >> 1;
  }
}

/**
 * Creates a row with all state zero but key and life, evicting an idle one of the stripe where the table or the stripe is
 * full. Rows whose life began in `epoch` stay: a key has at most one life per epoch. Where none may be evicted, the table
 * grows beyond its bound until the epoch's end, as long as the stripe has room; then ROW_NONE.
 */
export function createRow(table: EntityTable, k0: number, k1: number, k2: number, k3: number, epoch: number): number {
  const words = table.words;
  const stripe = table.stripe;
  const hasRoom = words[stripe + STRIPE_USED] < table.shape.rowsPerStripe;
  let row = hasRoom && liveTotal(table) < table.max ? ROW_NONE : evictRow(table, epoch);
  if (row < 0) {
    if (!hasRoom) return ROW_NONE;
    row = words[stripe + STRIPE_USED]++;
    Atomics.add(table.regionWords[0], ENTITIES_LIVE_AT >> 2, 1);
  }
  words[stripe + STRIPE_LIVE] = words[stripe + STRIPE_USED];
  const at = rowWord(table, row);
  words.fill(0, at, at + (table.shape.rowBytes >> 2));
  storeKey(words, at, k0, k1, k2, k3);
  table.floats[(at >> 1) + ROW_LIFE_SLOT] = epoch;
  insertSlot(table, homeSlot(table.hash, table.shape.indexSlots), row);
  return at >> 1;
}

/** A new life in place: the key's state is forgotten and begins again. */
export function restartRow(table: EntityTable, at: number, life: number): void {
  const floats = table.floats;
  floats.fill(0, at + ROW_SEQ_SLOT, at + (table.shape.rowBytes >> 3));
  floats[at + ROW_LIFE_SLOT] = life;
}

function insertSlot(table: EntityTable, home: number, row: number): void {
  const words = table.words;
  const slots = table.shape.indexSlots;
  const index = table.stripe + STRIPE_HEADER_WORDS;
  let slot = home;
  for (let probes = 0; words[index + slot] !== 0; probes++) {
    if (probes > slots) fail('entity_index_full', table.stripe);
    slot = (slot + 1) & (slots - 1);
  }
  words[index + slot] = row + 1;
}

/** Rows in use, over all stripes. */
export function liveTotal(table: EntityTable): number {
  return Atomics.load(table.regionWords[0], ENTITIES_LIVE_AT >> 2);
}

/**
 * Takes the longest idle of the next rows under the hand out of the index and returns it, or ROW_NONE. Its place is the
 * caller's.
 */
function evictRow(table: EntityTable, epoch: number): number {
  const words = table.words;
  const floats = table.floats;
  const stripe = table.stripe;
  const used = words[stripe + STRIPE_USED];
  // Nothing began before the first epoch; and in an epoch that brings thousands of new keys each would look at all rows in
  // vain.
  if (epoch <= 0 || words[stripe + STRIPE_BARREN] === (epoch | 0)) return ROW_NONE;
  let hand = words[stripe + STRIPE_HAND];
  let victim = ROW_NONE;
  let oldest = Infinity;
  for (let step = 0; step < used && (step < HAND_STEPS_MAX || victim < 0); step++) {
    hand = hand + 1 >= used ? 0 : hand + 1;
    const at = rowWord(table, hand) >> 1;
    const seen = floats[at + ROW_SEEN_SLOT];
    if (floats[at + ROW_LIFE_SLOT] < epoch && seen < oldest) {
      oldest = seen;
      victim = hand;
    }
  }
  words[stripe + STRIPE_HAND] = hand;
  if (victim < 0) {
    words[stripe + STRIPE_BARREN] = epoch | 0;
    return ROW_NONE;
  }
  removeSlot(table, victim);
  words[stripe + STRIPE_EVICTED]++;
  return victim;
}

/** Evicts a row of the locked stripe for nobody: the last one moves to its place. False where none may be evicted. */
export function dropRow(table: EntityTable, epoch: number): boolean {
  const row = evictRow(table, epoch);
  if (row < 0) return false;
  const words = table.words;
  const stripe = table.stripe;
  const last = words[stripe + STRIPE_USED] - 1;
  if (row !== last) {
    removeSlot(table, last);
    const from = rowWord(table, last);
    words.copyWithin(rowWord(table, row), from, from + (table.shape.rowBytes >> 2));
    insertSlot(table, homeOfRow(table, row), row);
  }
  words[stripe + STRIPE_USED] = last;
  words[stripe + STRIPE_LIVE] = last;
  Atomics.sub(table.regionWords[0], ENTITIES_LIVE_AT >> 2, 1);
  return true;
}

/** Removes a row's slot and closes the gap, so that linear probing needs no tombstones. */
function removeSlot(table: EntityTable, row: number): void {
  const words = table.words;
  const slots = table.shape.indexSlots;
  const mask = slots - 1;
  const index = table.stripe + STRIPE_HEADER_WORDS;
  let gap = homeOfRow(table, row);
  for (let probes = 0; words[index + gap] !== row + 1; probes++) {
    if (probes > slots) fail('entity_index_lost_row', row);
    gap = (gap + 1) & mask;
  }
  for (let slot = (gap + 1) & mask; words[index + slot] !== 0; slot = (slot + 1) & mask) {
    const home = homeOfRow(table, words[index + slot] - 1);
    // The entry may move into the gap when its home does not lie between gap and slot (cyclically).
    if (((slot - home) & mask) >= ((slot - gap) & mask)) {
      words[index + gap] = words[index + slot];
      gap = slot;
    }
  }
  words[index + gap] = 0;
}

function homeOfRow(table: EntityTable, row: number): number {
  return homeSlot(hashOfKey(table.words, rowWord(table, row)), table.shape.indexSlots);
}

/**
 * Copies the rows of stripe number `index` to the begin of `out` (at least rowsPerStripe * rowBytes) under its lock; returns
 * the bytes.
 */
export function copyStripe(table: EntityTable, index: number, out: Uint8Array): number {
  enterStripe(table, index);
  const bytes = table.words[table.stripe + STRIPE_USED] * table.shape.rowBytes;
  out.set(new Uint8Array(table.words.buffer, rowWord(table, 0) * 4, bytes));
  unlockStripe(table);
  return bytes;
}

/**
 * Puts the copied rows of a stripe back in one piece, into a table of as many stripes where that one is empty. False, and
 * nothing done, where it is not so, or they are too many: row by row, then.
 */
export function restoreStripe(table: EntityTable, index: number, rows: Int32Array): boolean {
  const shape = table.shape;
  const rowWords = shape.rowBytes >> 2;
  const count = (rows.length / rowWords) | 0;
  if (index >= shape.stripes || count > shape.rowsPerStripe) return false;
  for (let at = 0; at < rows.length; at += rowWords) {
    const hash = slotHash(rows[at], rows[at + 1], rows[at + 2], rows[at + 3]);
    if (((hash >>> 8) & (shape.stripes - 1)) !== index) return false;
  }
  enterStripe(table, index);
  const words = table.words;
  const stripe = table.stripe;
  const isEmpty = words[stripe + STRIPE_USED] === 0;
  if (isEmpty) {
    words.set(rows, rowWord(table, 0));
    words[stripe + STRIPE_USED] = count;
    words[stripe + STRIPE_LIVE] = count;
    Atomics.add(table.regionWords[0], ENTITIES_LIVE_AT >> 2, count);
    for (let row = 0; row < count; row++) insertSlot(table, homeOfRow(table, row), row);
  }
  unlockStripe(table);
  return isEmpty;
}

/** Puts a copied row back, into a table of the same row size; the shape may be another. False where it has no room. */
export function restoreRow(table: EntityTable, rows: Int32Array, at: number): boolean {
  const [k0, k1, k2, k3] = [rows[at], rows[at + 1], rows[at + 2], rows[at + 3]];
  lockStripe(table, k0, k1, k2, k3);
  let row = findRow(table, k0, k1, k2, k3);
  if (row < 0) row = createRow(table, k0, k1, k2, k3, 0);
  if (row >= 0) table.words.set(rows.subarray(at, at + (table.shape.rowBytes >> 2)), row * 2);
  unlockStripe(table);
  return row >= 0;
}

/** Entities in the table, over all stripes; a figure, read without locks. */
export function entityCount(table: EntityTable): number {
  return liveTotal(table);
}

/** Evictions so far, over all stripes; a figure that wraps. */
export function evictedCount(table: EntityTable): number {
  let evicted = 0;
  for (let index = 0; index < table.shape.stripes; index++) evicted += wordOf(table, index, STRIPE_EVICTED);
  return evicted;
}

/** Entities in stripe number `index`; it is not pointed at. */
export function liveRows(table: EntityTable, index: number): number {
  return wordOf(table, index, STRIPE_LIVE);
}

function wordOf(table: EntityTable, index: number, word: number): number {
  const region = (index / table.shape.stripesPerRegion) | 0;
  const within = index - region * table.shape.stripesPerRegion;
  return table.regionWords[region][((REGION_HEADER_BYTES + within * table.shape.stripeBytes) >> 2) + word];
}
