/**
 * Which words of an entity's row move where when its features change: what `adoptRow` copies. A feature's cells lie
 * elsewhere in the new row, but they are the same cells: buckets are counted by hop, days and sessions by the entity's own
 * events. Called on the main thread for each change of a pipeline.
 */

import type { Cells } from '../language/aggregates/cells.ts';
import { lookup } from '../base/lookup.ts';
import { ROW_FEATURES_SLOT } from '../layout/entity-layout.ts';
import type { EntityPlan } from '../plan/plan.ts';
import { layOutRecord, SESSION_END, SESSION_START, type FeatureLayout, type RecordLayout } from './record-layout.ts';

/** Triples of Int32 words: from, to, how many. */
type Words = [from: number, to: number, count: number];

/** Where a feature has its cells: in the head of the row, and in each of some buckets. */
interface Place {
  readonly layout: FeatureLayout;
  /** f64 slot of the first bucket, slots from one to the next, how many. */
  readonly at: number;
  readonly stride: number;
  readonly buckets: number;
  /** Slots of the row that its group has, by the group's own order: the latest day; begin and end of sessions. */
  readonly group: readonly number[];
}

/**
 * `features`: for each feature of `to` its index in `from`, or -1. Head and group slots are copied with whatever feature
 * needs them: a side table that is at the same event has the same.
 */
export function carryOver(
  from: EntityPlan,
  to: EntityPlan,
  features: readonly number[],
  withHead: boolean,
): Int32Array {
  const [before, after] = [placesOf(layOutRecord(from), from), placesOf(layOutRecord(to), to)];
  const words: Words[] = withHead ? [[0, 0, ROW_FEATURES_SLOT * 2]] : [];
  features.forEach((source, target) => {
    if (source >= 0) words.push(...feature(before[source]!, after[target]!));
  });
  return Int32Array.from(joined(words).flat());
}

function feature(from: Place, to: Place): Words[] {
  const words = cells(from.layout.totals, to.layout.totals, 0, 0);
  const [source, target] = [from.layout.bucket, to.layout.bucket];
  if (source !== null && target !== null) {
    for (let i = 0; i < to.buckets; i++)
      words.push(...cells(source, target, from.at + i * from.stride, to.at + i * to.stride));
  }
  if (to.layout.tree >= 0) words.push([from.layout.tree * 2, to.layout.tree * 2, to.buckets * 4]);
  to.group.forEach((slot, i) => words.push([from.group[i]! * 2, slot * 2, 2]));
  return words;
}

/** `from`, `to`: f64 slots of the row or bucket. */
function cells(source: Cells, target: Cells, from: number, to: number): Words[] {
  const words = Object.keys(target.floats).map((name): Words => [
    (from + lookup(source.floats, name)!) * 2,
    (to + lookup(target.floats, name)!) * 2,
    2,
  ]);
  if (target.count >= 0) words.push([from * 2 + source.count, to * 2 + target.count, 1]);
  return words;
}

/** By index of the feature. */
function placesOf(layout: RecordLayout, entity: EntityPlan): Place[] {
  const places = new Map<unknown, Place>();
  const put = (members: readonly FeatureLayout[], place: Omit<Place, 'layout'>): void => {
    for (const member of members) places.set(member.feature, { layout: member, ...place });
  };
  for (const ring of layout.rings)
    put(ring.features, { at: ring.at, stride: ring.bucketSlots, buckets: ring.buckets, group: [] });
  for (const day of layout.days) put(day.features, { at: 0, stride: 0, buckets: 0, group: [day.at] });
  for (const session of layout.sessions) {
    const { at, slotSize, slots, used } = session;
    const bounds = Array.from({ length: slots }, (_, i) => [
      at + i * slotSize + SESSION_START,
      at + i * slotSize + SESSION_END,
    ]);
    put(session.features, { at, stride: slotSize, buckets: slots, group: [...bounds.flat(), used] });
  }
  put(layout.plain, { at: 0, stride: 0, buckets: 0, group: [] });
  return entity.features.map((one) => places.get(one)!);
}

/** Neighbours that stay neighbours become one. */
function joined(words: readonly Words[]): Words[] {
  const sorted = [...words].sort((a, b) => a[1] - b[1]);
  const out: Words[] = [];
  for (const [from, to, count] of sorted) {
    const last = out.at(-1);
    if (last !== undefined && to >= last[1] && to + count <= last[1] + last[2] && from - to === last[0] - last[1])
      continue;
    if (last !== undefined && last[0] + last[2] === from && last[1] + last[2] === to) last[2] += count;
    else out.push([from, to, count]);
  }
  return out;
}
