/**
 * Where the features of an entity lie within its row: running totals first, then one ring of hop buckets for each pair
 * (window, hop), in which the cells of all features that share the pair stand side by side. So an event touches the
 * row's head and one bucket a ring, a few cache lines in all, however many features there are.
 *
 *   f64 slots 0-5   key, seq, life, clock, last seen      layout/entity-layout.ts
 *   f64 slots 6 ... totals: f64 cells of every feature, then Int32 cells of every feature, padded to 8 bytes
 *   then            rings: per ring `buckets` slots of (f64 cells, Int32 cells, padded to 8 bytes)
 *
 * Cells by aggregate, in totals (T) and in each bucket (B); a window's bucket for hop k is k mod buckets:
 *   count            n                TB
 *   sum              high, low        TB    the exact integer high * 2^32 + low, 0 <= low < 2^32
 *   avg              high, low, n     TB
 *   min, max         value, n         TB    nothing where n is 0
 *   last             time, value, n   T     the newest falls out last, so no buckets are needed
 *   previous         time, value, n   T
 *   time_since_last  time, n          T
 */

import { ROW_FEATURES_SLOT } from '../layout/entity-layout.ts';
import type { AggregateName, EntityPlan, FeaturePlan } from '../layout/plan.ts';

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
}

export interface RingLayout {
  readonly windowMs: number;
  readonly hopMs: number;
  readonly buckets: number;
  /** Where the ring begins in the row, in f64 slots, and the size of one bucket in f64 slots. */
  readonly at: number;
  readonly bucketSlots: number;
  readonly features: readonly FeatureLayout[];
}

export interface RecordLayout {
  readonly rowBytes: number;
  readonly rings: readonly RingLayout[];
  /** Features that need no ring: over the whole life, and last, previous, time_since_last. */
  readonly plain: readonly FeatureLayout[];
}

const FLOAT_CELLS: Readonly<Record<AggregateName, readonly string[]>> = {
  count: [],
  rate: [],
  sum: ['high', 'low'],
  avg: ['high', 'low'],
  stddev_pop: ['high', 'low', 'squareHigh', 'squareLow'],
  count_distinct: [],
  ewma: ['high', 'low'],
  min: ['value'],
  max: ['value'],
  first: ['time', 'value'],
  last: ['time', 'value'],
  previous: ['time', 'value'],
  time_since_last: ['time'],
};

const HAS_COUNT: Readonly<Record<AggregateName, boolean>> = {
  count: true,
  rate: true,
  stddev_pop: true,
  count_distinct: true,
  ewma: true,
  first: true,
  sum: false,
  avg: true,
  min: true,
  max: true,
  last: true,
  previous: true,
  time_since_last: true,
};

export function needsRing(feature: FeaturePlan): boolean {
  return feature.windowMs > 0 && !['last', 'previous', 'time_since_last'].includes(feature.aggregate);
}

export function layOutRecord(entity: EntityPlan): RecordLayout {
  const totals = packCells(entity.features, ROW_FEATURES_SLOT);
  let at = totals.endSlot;
  const rings: RingLayout[] = [];
  for (const members of ringMembers(entity.features)) {
    const { windowMs, hopMs } = members[0];
    const packed = packCells(members, 0);
    const buckets = windowMs / hopMs + 1;
    const features = members.map((feature, i) => ({
      feature,
      totals: totals.cells[entity.features.indexOf(feature)],
      bucket: packed.cells[i],
    }));
    rings.push({ windowMs, hopMs, buckets, at, bucketSlots: packed.endSlot, features });
    at += buckets * packed.endSlot;
  }
  const plain = entity.features
    .filter((feature) => !needsRing(feature))
    .map((feature) => ({ feature, totals: totals.cells[entity.features.indexOf(feature)], bucket: null }));
  return { rowBytes: at * 8, rings, plain };
}

/** Features that share window and hop, in the order of their first appearance. */
function ringMembers(features: readonly FeaturePlan[]): FeaturePlan[][] {
  const groups = new Map<string, FeaturePlan[]>();
  for (const feature of features) {
    if (!needsRing(feature)) continue;
    const key = `${feature.windowMs}/${feature.hopMs}`;
    const group = groups.get(key);
    if (group) group.push(feature);
    else groups.set(key, [feature]);
  }
  return [...groups.values()];
}

/** f64 cells from `firstSlot` on, then the Int32 cells, two a slot. */
function packCells(features: readonly FeaturePlan[], firstSlot: number): { cells: Cells[]; endSlot: number } {
  let slot = firstSlot;
  const floats = features.map((feature) => {
    const offsets: Record<string, number> = {};
    for (const name of FLOAT_CELLS[feature.aggregate]) offsets[name] = slot++;
    return offsets;
  });
  let word = slot * 2;
  const cells = features.map((feature, i) => ({
    floats: floats[i],
    count: HAS_COUNT[feature.aggregate] ? word++ : -1,
  }));
  return { cells, endSlot: Math.ceil(word / 2) };
}
