/**
 * Rows of a block as a kernel takes them from a table: run by run, a lock and an unlock for each, and all places of a run
 * looked up before its first row is moved. A place is two cache misses away, a slot of the index and a row; looked up side
 * by side they overlap, while a kernel that looks for its rows one by one waits for each. Called by the emitted kernels
 * (features/kernel.ts), for one entity of one worker.
 */
// hot path: no allocation

import { fail } from '../base/fail.ts';
import { slotHash } from '../base/hash.ts';
import { STRIPE_HEADER_WORDS, type EntityTableShape } from '../layout/entity-layout.ts';
import { BLOCK_ROWS_MAX } from '../layout/limits.ts';
import { REGION_HEADER_BYTES } from '../layout/region.ts';
import { findRow, homeSlot, lockTable, pointAt, ROW_NONE, seekStripe, type EntityTable } from './entity-table.ts';

/** Their lines fit the first-level cache, and who waits for the lock waits for some 30 us of work. */
export const RUN_ROWS = 64;

/** A ring of which an event touches one bucket: which one follows from its time. All in f64 slots but `hopMs`. */
export interface TouchedRing {
  readonly hopMs: number;
  readonly buckets: number;
  readonly at: number;
  readonly bucketSlots: number;
}

export interface EntityRun {
  readonly table: EntityTable;
  /** Four words a row, 1 where the row has a key, and its time, ms. */
  readonly keys: Int32Array;
  readonly present: Uint8Array;
  readonly effective: Float64Array;
  /** The block's rows that have a key: those of one lock and region side by side, and among these in the block's order. */
  readonly order: Uint16Array;
  /** How many of them there are. */
  count: number;
  /** By place in `order`, where the table has several locks or regions. */
  readonly hashes: Int32Array;
  /** By place in the run: Int32 indices of the key's home slot and of its stripe's first row. */
  readonly slots: Int32Array;
  readonly bases: Int32Array;
  /** By place in the run: the first f64 index of the row as it was looked up, or ROW_NONE. */
  readonly places: Int32Array;
  /** The same as Int32 indices, of those that are there. */
  readonly starts: Int32Array;
  /** Rows by lock and region, while they are put in order. */
  ends: Int32Array;
  /** f64 slots of the head of a row: what every event touches. */
  readonly headSlots: number;
  readonly rings: readonly TouchedRing[];
  /** Int32 offsets in a row that this run touches: OFFSETS_AT_ONCE or some times that. */
  readonly offsets: Int32Array;
  /** What reading ahead has read: kept, so that V8 does not leave the reading out. */
  touched: number;
}

const LINE_WORDS = 16;
const OFFSETS_AT_ONCE = 4;
/** A bucket that is no larger seldom lies on two lines. */
const SMALL_BUCKET_SLOTS = 2;
/** So that no index of a column is beyond its end, and V8 need not ask. */
const ROW_MASK = BLOCK_ROWS_MAX - 1;

if ((BLOCK_ROWS_MAX & ROW_MASK) !== 0) fail('block_rows_power', BLOCK_ROWS_MAX);

export function createEntityRun(
  input: Pick<EntityRun, 'table' | 'keys' | 'present' | 'effective'>,
  headSlots: number,
  rings: readonly TouchedRing[],
): EntityRun {
  const { table, keys, present, effective } = input;
  const offsetsMax = Math.ceil((headSlots * 2) / LINE_WORDS) + 1 + 2 * rings.length;
  return {
    table,
    keys,
    present,
    effective,
    order: new Uint16Array(BLOCK_ROWS_MAX),
    count: 0,
    hashes: new Int32Array(BLOCK_ROWS_MAX),
    slots: new Int32Array(RUN_ROWS),
    bases: new Int32Array(RUN_ROWS),
    places: new Int32Array(RUN_ROWS),
    starts: new Int32Array(RUN_ROWS),
    ends: new Int32Array(0),
    headSlots,
    rings,
    offsets: new Int32Array(Math.ceil(offsetsMax / OFFSETS_AT_ONCE) * OFFSETS_AT_ONCE),
    touched: 0,
  };
}

/** Puts the rows [from, to) in order; returns how many have a key. */
export function orderRows(run: EntityRun, from: number, to: number): number {
  const groups = run.table.shape.locks * run.table.regions.length;
  if (groups > 1) return orderByGroup(run, from, to, groups);
  const { order, present } = run;
  let count = 0;
  for (let r = from; r < to; r++) {
    order[count] = r;
    count += present[r];
  }
  run.count = count;
  return count;
}

/** Counts and places: rows of one key stay in their order, which is what their entity's numbers go by. */
function orderByGroup(run: EntityRun, from: number, to: number, groups: number): number {
  const { table, keys, present, order, hashes } = run;
  // Another table than the one before: once in a worker's life, and where it warms up.
  if (run.ends.length !== groups) run.ends = new Int32Array(groups);
  const ends = run.ends;
  ends.fill(0);
  for (let r = from; r < to; r++) {
    if (present[r] === 0) continue;
    const hash = slotHash(keys[4 * r], keys[4 * r + 1], keys[4 * r + 2], keys[4 * r + 3]);
    ends[groupOf(table.shape, (hash >>> 8) & (table.shape.stripes - 1))]++;
  }
  let count = 0;
  for (let group = 0; group < groups; group++) {
    const rows = ends[group];
    ends[group] = count;
    count += rows;
  }
  for (let r = from; r < to; r++) {
    if (present[r] === 0) continue;
    const hash = slotHash(keys[4 * r], keys[4 * r + 1], keys[4 * r + 2], keys[4 * r + 3]);
    const at = ends[groupOf(table.shape, (hash >>> 8) & (table.shape.stripes - 1))]++;
    order[at] = r;
    hashes[at] = hash;
  }
  run.count = count;
  return count;
}

function groupOf({ stripesPerRegion, locks }: EntityTableShape, stripe: number): number {
  return ((stripe / stripesPerRegion) | 0) * locks + (stripe & (locks - 1));
}

/**
 * Locks the table for the run that begins at place `begin` of the order, points it at the region, and looks the rows up;
 * returns where the run ends.
 */
export function lockRun(run: EntityRun, begin: number): number {
  const { table } = run;
  const { locks, stripes } = table.shape;
  const isSorted = locks * table.regions.length > 1;
  const end = isSorted ? endOfGroup(run, begin) : Math.min(begin + RUN_ROWS, run.count);
  const first = isSorted ? (run.hashes[begin] >>> 8) & (stripes - 1) : 0;
  const region = pointAt(table, first);
  aimAtSlots(run, begin, end, region * table.shape.stripesPerRegion, isSorted);
  lockTable(table, first & (locks - 1));
  readAhead(run, begin, end - begin);
  return end;
}

function endOfGroup({ table: { shape }, hashes, count }: EntityRun, begin: number): number {
  const most = Math.min(begin + RUN_ROWS, count);
  const mask = shape.stripes - 1;
  const group = groupOf(shape, (hashes[begin] >>> 8) & mask);
  let end = begin + 1;
  while (end < most && groupOf(shape, (hashes[end] >>> 8) & mask) === group) end++;
  return end;
}

/** `firstStripe`: of the region. */
function aimAtSlots(run: EntityRun, begin: number, end: number, firstStripe: number, isSorted: boolean): void {
  const { order, keys, hashes, slots, bases } = run;
  const { stripes, stripeBytes, indexSlots } = run.table.shape;
  const stripeWords = stripeBytes >> 2;
  const firstIndex = (REGION_HEADER_BYTES >> 2) + STRIPE_HEADER_WORDS;
  for (let place = begin; place < end; place++) {
    const r = order[place] & ROW_MASK;
    const hash = isSorted ? hashes[place] : slotHash(keys[4 * r], keys[4 * r + 1], keys[4 * r + 2], keys[4 * r + 3]);
    const index = firstIndex + (((hash >>> 8) & (stripes - 1)) - firstStripe) * stripeWords;
    slots[place - begin] = index + homeSlot(hash, indexSlots);
    bases[place - begin] = index + indexSlots;
  }
}

/**
 * Reads what the run's rows will need: first all slots of the index, then the rows. The processor has as many reads under
 * way as fit in what it looks ahead, so they lie side by side. The row that a home slot names is a guess until its key is
 * compared: by its first word here, wholly where the row is moved.
 */
function readAhead(run: EntityRun, begin: number, rows: number): void {
  const { table, order, keys, slots, bases, places, starts, offsets } = run;
  const { words } = table;
  const rowWords = table.shape.rowBytes >> 2;
  for (let i = 0; i < rows; i++) places[i] = words[slots[i]];
  let found = 0;
  for (let i = 0; i < rows; i++) {
    const row = places[i];
    const at = bases[i] + (row - 1) * rowWords;
    places[i] = row === 0 ? ROW_NONE : at >> 1;
    if (row !== 0) starts[found++] = at;
  }
  const count = aimAt(run, run.effective[order[begin] & ROW_MASK]);
  let sum = 0;
  for (let n = 0; n < count; n += OFFSETS_AT_ONCE) {
    const o0 = offsets[n];
    const o1 = offsets[n + 1];
    const o2 = offsets[n + 2];
    const o3 = offsets[n + 3];
    for (let i = 0; i < found; i++) {
      const at = starts[i];
      sum ^= words[at + o0] ^ words[at + o1] ^ words[at + o2] ^ words[at + o3];
    }
  }
  run.touched = sum;
  for (let i = 0; i < rows; i++) {
    const r = order[begin + i] & ROW_MASK;
    if (places[i] >= 0 && words[places[i] * 2] !== keys[4 * r]) places[i] = seekRow(run, r);
  }
}

/** Sets what is read of each row: its head, and the buckets of an event of that time. Returns how many offsets that are. */
function aimAt(run: EntityRun, time: number): number {
  const { offsets, rings } = run;
  const headWords = run.headSlots * 2;
  let count = 0;
  for (let word = 0; word < headWords; word += LINE_WORDS) offsets[count++] = word;
  if (rings.length === 0) offsets[count++] = headWords - 1;
  for (let i = 0; i < rings.length; i++) {
    const { hopMs, buckets, at, bucketSlots } = rings[i];
    const hop = Math.floor(time / hopMs);
    const bucket = hop - buckets * Math.floor(hop / buckets);
    offsets[count++] = (at + bucket * bucketSlots) * 2;
    if (bucketSlots > SMALL_BUCKET_SLOTS) offsets[count++] = (at + (bucket + 1) * bucketSlots) * 2 - 1;
  }
  while (count % OFFSETS_AT_ONCE !== 0) offsets[count++] = 0;
  return count;
}

/**
 * The first f64 index of the row of the block's row `r`, or ROW_NONE; the table points at its stripe, as `createRow` needs
 * it. For a place that is none or another key's: a row before it in the run may have created this one, or taken its place.
 */
export function seekRow({ table, keys }: EntityRun, r: number): number {
  const k0 = keys[4 * r];
  const k1 = keys[4 * r + 1];
  const k2 = keys[4 * r + 2];
  const k3 = keys[4 * r + 3];
  seekStripe(table, k0, k1, k2, k3);
  return findRow(table, k0, k1, k2, k3);
}
