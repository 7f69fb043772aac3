/** Bits of a tree's inner node (layout/model-plan.ts). */

export const DEFAULT_LEFT = 1;
export const CATEGORICAL = 2;
/** What counts as missing, by format: nothing (a missing value is 0), zero and NaN, NaN. */
export const MISSING_SHIFT = 2;
export const MISSING_NONE = 0;
export const MISSING_ZERO = 1;
export const MISSING_NAN = 2;
/** LightGBM takes what is this close to 0 for 0. */
export const ZERO_MAX = 1.0000000180025095e-35;

export function missingOf(flags: number): number {
  return (flags >> MISSING_SHIFT) & 3;
}
