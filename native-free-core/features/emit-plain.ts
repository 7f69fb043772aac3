/**
 * Emits features that keep no buckets: aggregates over the entity's whole life or its latest day, and `last`, `previous` and
 * `time_since_last`, whose newest contribution is the last to fall out of a window. Called by kernel.ts;
 * read.ts lets fall by the same pieces.
 */

import type { FeaturePlan, Plan } from '../plan/plan.ts';
import { cellNames, emitAddTo, emitClear } from './emit-cells.ts';
import { emitServe, emitServeValue } from './emit-serve.ts';
import type { DayLayout, FeatureLayout } from './record-layout.ts';

export function emitPlain(layout: FeatureLayout, i: number, plan: Plan): string {
  const { feature, totals } = layout;
  const { count, time, value } = cellNames('b', totals);
  const tail = feature.windowMs > 0 ? emitTail(feature) : '';
  const inside = (at: string): string => (tail === '' ? '' : ` && Math.floor(${at} / ${feature.hopMs}) >= ${tail}`);
  switch (feature.aggregate) {
    case 'last':
      return served(
        layout,
        `if (add${i}${inside('t')} && (${count} === 0 || t >= ${time})) { ${time} = t; ${value} = x${i}; ${count} = 1; }`,
        `if (${count} !== 0${inside(time)}) { ${emitServeValue(feature, value, plan)} }`,
      );
    case 'previous':
      return `if (${count} !== 0${inside(time)}) { ${emitServeValue(feature, value, plan)} }
    if (add${i}) { ${time} = t; ${value} = x${i}; ${count} = 1; }`;
    case 'time_since_last':
      return `if (${count} !== 0${inside(time)}) { ${emitServeValue(feature, `t - ${time}`, plan, 1)} }
    if (add${i}) { ${time} = t; ${count} = 1; }`;
    case 'count_distinct':
      return emitDistinct(layout, i, plan);
    default:
      return served(
        layout,
        `if (add${i}) { ${emitAddTo(feature, 'b', totals, i)} }`,
        emitServe(feature, 'b', totals, plan),
      );
  }
}

function served({ feature }: FeatureLayout, add: string, serve: string): string {
  return feature.excludesCurrent === true ? `${serve}\n    ${add}` : `${add}\n    ${serve}`;
}

function emitDistinct(layout: FeatureLayout, i: number, plan: Plan): string {
  const { feature, totals } = layout;
  const { windowMs, hopMs } = feature;
  const serve = emitServe(feature, 'b', totals, plan);
  if (windowMs === 0) return served(layout, `if (add${i}) { ${emitAddTo(feature, 'b', totals, i)} }`, serve);
  const add = `if (add${i}) { const hop = Math.floor(t / ${hopMs}); if (hop >= tail) { ${emitAddTo(feature, 'b', totals, i, 'hop')} } }`;
  return `{ const tail = ${emitTail(feature)};
    if (clock !== before && !fresh) { ${emitDistinctMove(layout, 'tail')} }
    ${served(layout, add, serve)} }`;
}

/** An entity's clock has moved from `before` to `clock`: what a window over distinct values lets fall. */
export function emitDistinctMove({ totals }: FeatureLayout, tail: string): string {
  const { count, values } = cellNames('b', totals);
  return `if (${count} !== 0) ${count} = dropDistinct(f, ${values}, ${count}, ${tail});`;
}

/** The first hop of the window. */
export function emitTail({ windowMs, hopMs }: FeaturePlan): string {
  return `Math.floor((clock - ${windowMs}) / ${hopMs})`;
}

/** Another day than the latest one has begun: all features of the calendar forget. `today`: the variable that holds it. */
export function emitDayMove(group: DayLayout, today: string): string {
  const day = `f[b + ${group.at}]`;
  const clear = group.features.map(({ feature, totals }) => emitClear(feature, 'b', totals)).join(' ');
  return `if (${today} > ${day}) { ${day} = ${today}; ${clear} }`;
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
        const index = indexOf(layout);
        const add = `if (add${index} && today${i}) { ${emitAddTo(feature, 'b', totals, index)} }`;
        return served(layout, add, emitServe(feature, 'b', totals, plan));
      })
      .join('\n    ')}`;
}
