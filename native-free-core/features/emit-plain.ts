/**
 * Emits features that keep no buckets: over the entity's whole life or its latest day, and those of a window that need none.
 * Called by kernel.ts; read.ts lets fall by the same pieces.
 */

import { cellSet, emitClear } from '../language/aggregates/cells.ts';
import { aggregateOf } from '../language/aggregates/index.ts';
import type { EventCode, PlainCode, SetCode } from '../language/aggregates/kernel-part.ts';
import { served } from '../language/aggregates/plain.ts';
import type { FeaturePlan, Plan } from '../plan/plan.ts';
import type { DayLayout, FeatureLayout } from './record-layout.ts';

/** What event `r` brings to feature i (emit-contribution.ts). */
export function eventOf(i: number): EventCode {
  return { adds: `add${i}`, x: `x${i}`, low: `xl${i}`, high: `xh${i}` };
}

export function setOf(feature: FeaturePlan): SetCode {
  const { set } = aggregateOf(feature).kernel;
  if (set === null) throw new Error(`no set of cells: aggregate=${feature.aggregate} feature=${feature.name}`);
  return set;
}

function plainOf(feature: FeaturePlan): PlainCode {
  const { plain } = aggregateOf(feature).kernel;
  if (plain === null) throw new Error(`not without a ring: aggregate=${feature.aggregate} feature=${feature.name}`);
  return plain;
}

export function emitPlain({ feature, totals }: FeatureLayout, i: number, plan: Plan): string {
  return plainOf(feature).update(cellSet('b', totals), eventOf(i), { feature, plan });
}

/** An entity's clock has moved from `before` to `clock`: what the windows without buckets let fall. */
export function emitPlainMove({ feature, totals }: FeatureLayout): string {
  return feature.windowMs === 0 ? '' : plainOf(feature).move(cellSet('b', totals), feature);
}

export function emitPlainRead({ feature, totals }: FeatureLayout, plan: Plan): string {
  return plainOf(feature).read(cellSet('b', totals), { feature, plan });
}

/** Another day than the latest one has begun: all features of the calendar forget. `today`: the variable that holds it. */
export function emitDayMove(group: DayLayout, today: string): string {
  const day = `f[b + ${group.at}]`;
  const clear = group.features.map(({ feature, totals }) => emitClear('b', totals, setOf(feature).cleared)).join(' ');
  return `if (${today} > ${day}) { ${day} = ${today}; ${clear} }`;
}

export function emitDayRead({ feature, totals }: FeatureLayout, plan: Plan): string {
  return setOf(feature).serve(cellSet('b', totals), { feature, plan });
}

/** The features of one calendar: all forget when an event brings a later day, and an earlier day's event adds nothing. */
export function emitDay(group: DayLayout, i: number, indexOf: (layout: FeatureLayout) => number, plan: Plan): string {
  const day = `f[b + ${group.at}]`;
  const column = `c${group.dayColumn}`;
  const known = plan.columns[group.dayColumn].nullable ? `${column}_nulls[r] === 0` : 'true';
  return `let today${i} = false;
    if (fresh) ${day} = -1e9;
    if (${known}) {
      const day = ${column}_i32[r];
      ${emitDayMove(group, 'day')}
      today${i} = day === ${day};
    }
    ${group.features
      .map((layout) => {
        const { feature, totals } = layout;
        const event = eventOf(indexOf(layout));
        const add = setOf(feature).add(cellSet('b', totals), event, feature, '0');
        return served(feature, `if (${event.adds} && today${i}) { ${add} }`, emitDayRead(layout, plan));
      })
      .join('\n    ')}`;
}
