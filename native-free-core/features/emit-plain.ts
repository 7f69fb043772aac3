/**
 * Emits features that keep no buckets: aggregates over the entity's whole life, and `last`, `previous` and
 * `time_since_last`, whose newest contribution is the last to fall out of a window. Called by kernel.ts.
 */

import type { Plan } from '../layout/plan.ts';
import { emitAddTo } from './emit-ring.ts';
import { emitServe, emitServeValue } from './emit-serve.ts';
import type { FeatureLayout } from './record-layout.ts';

export function emitPlain(layout: FeatureLayout, i: number, plan: Plan): string {
  const { feature, totals } = layout;
  const count = `w[bw + ${totals.count}]`;
  const time = `f[b + ${totals.floats['time']}]`;
  const value = `f[b + ${totals.floats['value']}]`;
  const tail = feature.windowMs > 0 ? `Math.floor((clock - ${feature.windowMs}) / ${feature.hopMs})` : '';
  const inside = (at: string): string => (tail === '' ? '' : ` && Math.floor(${at} / ${feature.hopMs}) >= ${tail}`);
  switch (feature.aggregate) {
    case 'last':
      return `if (add${i}${inside('t')} && (${count} === 0 || t >= ${time})) { ${time} = t; ${value} = x${i}; ${count} = 1; }
    if (${count} !== 0${inside(time)}) { ${emitServeValue(feature, value, plan)} }`;
    case 'previous':
      return `if (${count} !== 0${inside(time)}) { ${emitServeValue(feature, value, plan)} }
    if (add${i}) { ${time} = t; ${value} = x${i}; ${count} = 1; }`;
    case 'time_since_last':
      return `if (${count} !== 0${inside(time)}) { ${emitServeValue(feature, `t - ${time}`, plan, 1)} }
    if (add${i}) { ${time} = t; ${count} = 1; }`;
    default:
      return `if (add${i}) { ${emitAddTo(feature.aggregate, 'b', totals, i)} }
    ${emitServe(feature, totals, plan)}`;
  }
}
