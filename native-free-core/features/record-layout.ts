/**
 * Where the features of an entity lie within its row: running totals first, then one ring of hop buckets for each triple
 * (window, hop, delay), in which the cells of all features that share it stand side by side, then search trees, days and
 * sessions. So an event touches the row's head and one bucket a ring, a few cache lines in all, however many features there
 * are.
 *
 *   f64 slots 0-5   key, seq, life, clock, last seen      layout/entity-layout.ts
 *   f64 slots 6 ... totals: f64 cells of every feature, then Int32 cells of every feature, padded to 8 bytes
 *   then            rings: per ring `buckets` slots of (f64 cells, Int32 cells, padded to 8 bytes)
 *   then            trees: 2 * buckets f64 for each min, max, first and delayed last within a window (features/tree.ts)
 *   then            days: one f64 for each calendar; sessions: `slots` slots of (start, end, f64 cells, Int32 cells), then `used`
 *
 * Cells by aggregate are in its own file (language/aggregates/): those of the totals (T) and of each bucket (B) have the
 * same names; a window's bucket for hop k is k mod buckets.
 */

import { enter } from '../base/lookup.ts';
import { ROW_FEATURES_SLOT } from '../layout/entity-layout.ts';
import type { Cells } from '../language/aggregates/cells.ts';
import { aggregateOf } from '../language/aggregates/index.ts';
import type { RingCode } from '../language/aggregates/kernel-part.ts';
import type { EntityPlan, FeaturePlan } from '../plan/plan.ts';

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

export function delayOf(feature: FeaturePlan): number {
  return feature.delayMs ?? 0;
}

/** The window of a duration lies in a ring. */
function ringOf(feature: FeaturePlan): RingCode | null {
  return feature.windowMs === 0 ? null : aggregateOf(feature).kernel.ring(feature);
}

export function needsRing(feature: FeaturePlan): boolean {
  return ringOf(feature) !== null;
}

function holdsCells(feature: FeaturePlan, inBucket: boolean): boolean {
  const ring = ringOf(feature);
  return ring === null || (inBucket ? ring.inBuckets : ring.inTotals);
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
      tree: ringOf(feature)!.tree !== null ? take(2 * buckets) : -1,
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
    if (holdsCells(feature, inBucket)) {
      for (const name of aggregateOf(feature).cells.floats(feature)) enter(offsets, name, slot++);
    }
    return offsets;
  });
  let word = slot * 2;
  const cells = features.map((feature, i) => ({
    floats: floats[i],
    count: holdsCells(feature, inBucket) && aggregateOf(feature).cells.hasCount ? word++ : -1,
  }));
  return { cells, endSlot: Math.ceil(word / 2) };
}
