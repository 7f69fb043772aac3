/**
 * Emits the read of a feature from its totals into its column: the value as served, which is also the value as stored.
 * Called by emit-ring.ts and emit-plain.ts, and by read.ts for look-ups between events.
 */

import type { FeaturePlan, Plan } from '../layout/plan.ts';
import { scaleOf } from './emit-contribution.ts';
import type { Cells } from './record-layout.ts';

export function emitServe(feature: FeaturePlan, totals: Cells, plan: Plan): string {
  const count = `w[bw + ${totals.count}]`;
  const sum = `(f[b + ${totals.floats['high']}] * 4294967296 + f[b + ${totals.floats['low']}])`;
  const scale = scaleOf(feature);
  switch (feature.aggregate) {
    case 'count':
      return `${present(feature, plan)} c${feature.column}_u32[r] = ${count};`;
    case 'sum':
      return emitServeValue(feature, sum, plan);
    case 'avg':
      return `if (${count} !== 0) { ${emitServeValue(feature, `${sum} / (${count} * ${scale})`, plan, 1)} }`;
    default:
      return `if (${count} !== 0) { ${emitServeValue(feature, `f[b + ${totals.floats['value']}]`, plan)} }`;
  }
}

/** `value` divided once by the scale; 2^53 or more is NULL with the overflow flag. */
export function emitServeValue(feature: FeaturePlan, value: string, plan: Plan, scale = scaleOf(feature)): string {
  const column = `c${feature.column}`;
  const divided = scale === 1 ? value : `${value} / ${scale}`;
  if (feature.decimals < 0) return `${column}_f64[r] = ${value}; ${present(feature, plan)}`;
  return `{ const v = ${divided};
      if (v < 9007199254740992 && v > -9007199254740992) { ${column}_f64[r] = v; ${present(feature, plan)} } else flow = 1; }`;
}

function present(feature: FeaturePlan, plan: Plan): string {
  return plan.columns[feature.column].nullable ? `c${feature.column}_nulls[r] = 0;` : '';
}
