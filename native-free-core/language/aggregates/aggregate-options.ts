/** Options of single aggregates: keys of a feature in a pipeline file that only some of them take. */

import type { FeatureParameters } from './aggregate-names.ts';

/**
 * One key. Two aggregates that take a key of the same name share its shape.
 *   whole     from 1 to `most`
 *   duration  as `10m`; its number is of ms
 *   fraction  from 0 to 1, with at most `digits` behind the point
 */
export interface Option {
  readonly shape:
    | { readonly kind: 'whole'; readonly most: number }
    | { readonly kind: 'duration' }
    | { readonly kind: 'fraction'; readonly digits: number };
  /** Where it is left out; null: it must not be. */
  readonly default: number | null;
  /** As one would write it. */
  readonly example: string;
  /** One sentence for editors and the reference, after the aggregate's name. */
  readonly description: string;
}

/** By name, with the numbers that were declared: what they become in the plan. */
export interface OptionTable {
  readonly keys: Readonly<Record<string, Option>>;
  readonly parameters: (values: Readonly<Record<string, number>>, window: HopWindow) => FeatureParameters;
}

/** 0 and 0: no window of a duration. */
export interface HopWindow {
  readonly windowMs: number;
  readonly hopMs: number;
}

export const NO_OPTIONS: OptionTable = { keys: {}, parameters: () => ({}) };

/** Values that an entity keeps for one feature: 4,096 are some 64 KiB of its row. */
export const CAP_MAX = 4096;
