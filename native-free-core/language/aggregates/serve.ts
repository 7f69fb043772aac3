/** Emits how a value gets into its feature's column: as it is served it is stored. */

import { KINDS } from '../kinds/index.ts';
import type { FeaturePlan, Plan } from '../../plan/plan.ts';

export function scaleOf(feature: FeaturePlan): number {
  return feature.decimals > 0 ? 10 ** feature.decimals : 1;
}

/** Whether the value is a text of the shared dictionary. */
export function isDictionaryText(feature: FeaturePlan, plan: Plan): boolean {
  return KINDS[plan.columns[feature.column].kind].isInterned;
}

/** `value` divided once by the scale; 2^53 or more is NULL with the overflow flag. */
export function emitServeValue(feature: FeaturePlan, value: string, plan: Plan, scale = scaleOf(feature)): string {
  const column = `c${feature.column}`;
  if (isDictionaryText(feature, plan)) return `${column}_u32[r] = ${value}; ${emitPresent(feature, plan)}`;
  if (feature.isEnum === true) return `${column}_i32[r] = ${value}; ${emitPresent(feature, plan)}`;
  const divided = scale === 1 ? value : `${value} / ${scale}`;
  if (feature.decimals < 0) return `${column}_f64[r] = ${value}; ${emitPresent(feature, plan)}`;
  return `{ const v = ${divided};
      if (v < 9007199254740992 && v > -9007199254740992) { ${column}_f64[r] = v; ${emitPresent(feature, plan)} } else flow = 1; }`;
}

export function emitPresent(feature: FeaturePlan, plan: Plan): string {
  return plan.columns[feature.column].nullable ? `c${feature.column}_nulls[r] = 0;` : '';
}
