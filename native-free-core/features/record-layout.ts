/**
 * Where the features of an entity lie within its row: running totals first, then one ring of hop buckets for each triple
 * (window, hop, delay), in which the cells of all features that share it stand side by side, then search trees, days and
 * sessions. So an event touches the row's head and one bucket a ring, a few cache lines in all, however many features there are.
 *
 *   f64 slots 0-5   key, seq, life, clock, last seen      layout/entity-layout.ts
 *   f64 slots 6 ... totals: f64 cells of every feature, then Int32 cells of every feature, padded to 8 bytes
 *   then            rings: per ring `buckets` slots of (f64 cells, Int32 cells, padded to 8 bytes)
 *   then            trees: 2 * buckets f64 for each min, max, first and delayed last within a window (features/tree.ts)
 *   then            days: one f64 for each calendar; sessions: `slots` slots of (start, end, f64 cells, Int32 cells), then `used`
 *
 * Cells by aggregate, in totals (T) and in each bucket (B); a window's bucket for hop k is k mod buckets:
 *   count, rate      n                        TB
 *   sum, ewma        high, low                TB    the exact integer high * 2^32 + low, 0 <= low < 2^32; ewma with n
 *   avg              high, low, n             TB
 *   stddev_pop       high, low, 6 squares, n  TB    squares: limbs of 18 bits (features/squares.ts)
 *   min, max         value, n                 T; in a window the root of the tree, and B only where a delay holds values back
 *   first            time, value, n           T; in a window B: time, value, n and a tree of times
 *   last             time, value, n           T     the newest falls out last, so no buckets are needed, unless it is delayed
 *   previous         time, value, n           T
 *   time_since_last  time, n                  T
 *   count_distinct   n, cap + 1 values        T     each with the hop that saw it last (features/distinct.ts)
 */

import { enter } from '../base/lookup.ts';
import { ROW_FEATURES_SLOT } from '../layout/entity-layout.ts';
import type { AggregateName, EntityPlan, FeaturePlan } from '../plan/plan.ts';

export interface Cells {
  /** f64 offsets by name, in f64 slots from the row's or the bucket's begin. */
  readonly floats: Readonly<Record<string, number>>;
  /** Offset of the Int32 cell `n` in Int32 words from the row's or the bucket's begin, or -1. */
  readonly count: number;
}

export interface FeatureLayout {
  readonly feature: FeaturePlan;
  readonly totals: Cells;
  readonly bucket: Cells | null;
  /** Where the feature's tree begins in the row, in f64 slots; -1: it has none. */
  readonly tree: number;
}

export interface RingLayout {
  readonly windowMs: number;
  readonly hopMs: number;
  /** Hops at the head that are not in the window yet. */
  readonly delayHops: number;
  readonly buckets: number;
  /** Where the ring begins in the row, in f64 slots, and the size of one bucket in f64 slots. */
  readonly at: number;
  readonly bucketSlots: number;
  readonly features: readonly FeatureLayout[];
}

export interface DayLayout {
  readonly dayColumn: number;
  /** f64 slot of the latest day. */
  readonly at: number;
  readonly features: readonly FeatureLayout[];
}

export interface SessionLayout {
  readonly gapMs: number;
  readonly lateMs: number;
  /** Sessions that can be kept. */
  readonly slots: number;
  readonly at: number;
  readonly slotSize: number;
  /** f64 slot that counts those in use. */
  readonly used: number;
  /** `bucket`: the cells within a session's slot. */
  readonly features: readonly FeatureLayout[];
}

export interface RecordLayout {
  readonly rowBytes: number;
  readonly rings: readonly RingLayout[];
  readonly days: readonly DayLayout[];
  readonly sessions: readonly SessionLayout[];
  /** Features that need none of these: over the whole life, and last, previous, time_since_last. */
  readonly plain: readonly FeatureLayout[];
}

/** Within a session's slot. */
export const SESSION_START = 0;
export const SESSION_END = 1;
const SESSION_CELLS = 2;
export const SQUARES = 6;
/** A distinct value: 64 bits of it and the hop that saw it last. */
export const DISTINCT_SLOTS = 2;
export const CAP_DEFAULT = 256;

const SUM = ['high', 'low'];
const TIMED = ['time', 'value'];
const SQUARE_CELLS = Array.from({ length: SQUARES }, (_, i) => `square${i}`);

const FLOAT_CELLS: Readonly<Record<AggregateName, readonly string[]>> = {
  count: [],
  rate: [],
  sum: SUM,
  avg: SUM,
  ewma: SUM,
  stddev_pop: [...SUM, ...SQUARE_CELLS],
  min: ['value'],
  max: ['value'],
  first: TIMED,
  last: TIMED,
  previous: TIMED,
  time_since_last: ['time'],
  count_distinct: ['values'],
};

const NO_COUNT: ReadonlySet<AggregateName> = new Set<AggregateName>(['sum']);
const NEVER_IN_RINGS: ReadonlySet<AggregateName> = new Set<AggregateName>([
  'previous',
  'time_since_last',
  'count_distinct',
]);
const EXTREMES: ReadonlySet<AggregateName> = new Set<AggregateName>(['min', 'max']);

export function delayOf(feature: FeaturePlan): number {
  return feature.delayMs ?? 0;
}

export function needsRing(feature: FeaturePlan): boolean {
  if (feature.windowMs === 0 || NEVER_IN_RINGS.has(feature.aggregate)) return false;
  return feature.aggregate !== 'last' || delayOf(feature) > 0;
}

/** Whether the window's value is the root of a tree over its buckets. */
function needsTree(feature: FeaturePlan): boolean {
  return (
    needsRing(feature) &&
    (EXTREMES.has(feature.aggregate) || feature.aggregate === 'first' || feature.aggregate === 'last')
  );
}

function cellsOf(feature: FeaturePlan, inBucket: boolean): readonly string[] {
  if (inBucket && EXTREMES.has(feature.aggregate) && delayOf(feature) === 0 && feature.session === undefined) return [];
  if (!inBucket && needsTree(feature)) return [];
  if (feature.aggregate === 'count_distinct') {
    return Array.from({ length: ((feature.cap ?? CAP_DEFAULT) + 1) * DISTINCT_SLOTS }, (_, i) =>
      i === 0 ? 'values' : `value${i}`,
    );
  }
  return FLOAT_CELLS[feature.aggregate];
}

function hasCount(feature: FeaturePlan, inBucket: boolean): boolean {
  if (needsTree(feature) && (!inBucket || cellsOf(feature, true).length === 0)) return false;
  return !NO_COUNT.has(feature.aggregate);
}

export function layOutRecord(entity: EntityPlan): RecordLayout {
  const { features } = entity;
  const outside = features.filter((feature) => feature.session === undefined);
  const totals = packCells(outside, ROW_FEATURES_SLOT, false);
  const totalsOf = (feature: FeaturePlan): Cells => totals.cells[outside.indexOf(feature)] ?? { floats: {}, count: -1 };
  let at = totals.endSlot;
  const take = (slots: number): number => (at += slots) - slots;
  const rings = groupsOf(features.filter(needsRing), ringKey).map((members): RingLayout => {
    const { windowMs, hopMs } = members[0];
    const delayHops = delayOf(members[0]) / hopMs;
    const buckets = windowMs / hopMs + delayHops + 1;
    const packed = packCells(members, 0, true);
    const begin = take(buckets * packed.endSlot);
    const laid = members.map((feature, i) => ({
      feature,
      totals: totalsOf(feature),
      bucket: packed.cells[i],
      tree: needsTree(feature) ? take(2 * buckets) : -1,
    }));
    return { windowMs, hopMs, delayHops, buckets, at: begin, bucketSlots: packed.endSlot, features: laid };
  });
  const own = (feature: FeaturePlan): FeatureLayout => ({ feature, totals: totalsOf(feature), bucket: null, tree: -1 });
  const days = groupsOf(
    features.filter((feature) => feature.dayColumn !== undefined),
    (feature) => String(feature.dayColumn),
  ).map((members): DayLayout => ({ dayColumn: members[0].dayColumn!, at: take(1), features: members.map(own) }));
  const sessions = groupsOf(
    features.filter((feature) => feature.session !== undefined),
    ({ session }) => `${session!.gapMs}/${session!.lateMs}`,
  ).map((members): SessionLayout => {
    const { gapMs, lateMs } = members[0].session!;
    const packed = packCells(members, SESSION_CELLS, true);
    const slots = Math.floor(lateMs / gapMs) + 3;
    const laid = members.map((feature, i) => ({ ...own(feature), bucket: packed.cells[i] }));
    return {
      gapMs,
      lateMs,
      slots,
      at: take(slots * packed.endSlot),
      slotSize: packed.endSlot,
      used: take(1),
      features: laid,
    };
  });
  const plain = features
    .filter((feature) => !needsRing(feature) && feature.session === undefined && feature.dayColumn === undefined)
    .map(own);
  return { rowBytes: at * 8, rings, days, sessions, plain };
}

function ringKey(feature: FeaturePlan): string {
  return `${feature.windowMs}/${feature.hopMs}/${delayOf(feature)}`;
}

/** Features of the same key, in the order of their first appearance. */
function groupsOf(features: readonly FeaturePlan[], keyOf: (feature: FeaturePlan) => string): FeaturePlan[][] {
  const groups = new Map<string, FeaturePlan[]>();
  for (const feature of features) {
    const group = groups.get(keyOf(feature));
    if (group) group.push(feature);
    else groups.set(keyOf(feature), [feature]);
  }
  return [...groups.values()];
}

/** f64 cells from `firstSlot` on, then the Int32 cells, two a slot. */
function packCells(
  features: readonly FeaturePlan[],
  firstSlot: number,
  inBucket: boolean,
): { cells: Cells[]; endSlot: number } {
  let slot = firstSlot;
  const floats = features.map((feature) => {
    const offsets: Record<string, number> = {};
    for (const name of cellsOf(feature, inBucket)) enter(offsets, name, slot++);
    return offsets;
  });
  let word = slot * 2;
  const cells = features.map((feature, i) => ({
    floats: floats[i],
    count: hasCount(feature, inBucket) ? word++ : -1,
  }));
  return { cells, endSlot: Math.ceil(word / 2) };
}
