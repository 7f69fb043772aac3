/**
 * Emits the read of a feature from its cells into its column: the value as served, which is also the value as stored.
 * Called by the emitters of rings, days, sessions and plain features, and by read.ts for look-ups between events.
 */

import type { FeaturePlan, Plan } from '../plan/plan.ts';
import { cellNames, mostDistinct } from './emit-cells.ts';
import type { Cells } from './record-layout.ts';

export function scaleOf(feature: FeaturePlan): number {
  return feature.decimals > 0 ? 10 ** feature.decimals : 1;
}

/** Whether the value is a text of the shared dictionary. */
export function isText(feature: FeaturePlan, plan: Plan): boolean {
  return plan.columns[feature.column].kind === 'dictionary';
}

export function emitServe(feature: FeaturePlan, base: string, cells: Cells, plan: Plan): string {
  const { count, high, low, value, squares } = cellNames(base, cells);
  const sum = `(${high} * 4294967296 + ${low})`;
  const scale = scaleOf(feature);
  const column = `c${feature.column}`;
  switch (feature.aggregate) {
    case 'count':
      return `${present(feature, plan)} ${column}_u32[r] = ${count};`;
    case 'count_distinct': {
      const most = mostDistinct(feature);
      return `${present(feature, plan)} if (${count} < ${most}) ${column}_u32[r] = ${count}; else { ${column}_u32[r] = ${most - 1}; flow = 1; }`;
    }
    case 'rate':
      return emitServeValue(feature, count, plan, feature.windowMs / 1000);
    case 'sum':
      return emitServeValue(feature, sum, plan);
    case 'avg':
      return `if (${count} !== 0) { ${emitServeValue(feature, `${sum} / (${count} * ${scale})`, plan, 1)} }`;
    case 'stddev_pop': {
      const spread = `Math.sqrt(spread(f, ${squares}, ${count}, ${high}, ${low}))`;
      return `if (${count} !== 0) { ${emitServeValue(feature, `${spread} / (${count} * ${scale})`, plan, 1)} }`;
    }
    default:
      return `if (${count} !== 0) { ${emitServeValue(feature, value, plan)} }`;
  }
}

/** `value` divided once by the scale; 2^53 or more is NULL with the overflow flag. */
export function emitServeValue(feature: FeaturePlan, value: string, plan: Plan, scale = scaleOf(feature)): string {
  const column = `c${feature.column}`;
  if (isText(feature, plan)) return `${column}_u32[r] = ${value}; ${present(feature, plan)}`;
  if (feature.isEnum === true) return `${column}_i32[r] = ${value}; ${present(feature, plan)}`;
  const divided = scale === 1 ? value : `${value} / ${scale}`;
  if (feature.decimals < 0) return `${column}_f64[r] = ${value}; ${present(feature, plan)}`;
  return `{ const v = ${divided};
      if (v < 9007199254740992 && v > -9007199254740992) { ${column}_f64[r] = v; ${present(feature, plan)} } else flow = 1; }`;
}

function present(feature: FeaturePlan, plan: Plan): string {
  return plan.columns[feature.column].nullable ? `c${feature.column}_nulls[r] = 0;` : '';
}
