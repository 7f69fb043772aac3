/**
 * A model as the plan has it: which inputs, which column its score is stored in, and its content, parsed from the file that
 * data science has trained. Plain data. Made by src/config from native-free-core/model's parsers; evaluated by model/.
 */

import type { Expression } from './expression-plan.ts';

export type ModelFormat = 'linear' | 'logistic' | 'xgboost' | 'lightgbm';
/** What `model.<name>` is: the margin as the library sums it, or the margin through the objective's link. */
export type ModelOutput = 'margin' | 'probability' | 'value';
/**
 * What the objective makes of a margin: `step` is 1 above 0 and 0 otherwise, `signed_square` keeps the sign of what it
 * squares, `softplus` is log(1 + e^x).
 */
export type ModelLink = 'identity' | 'logistic' | 'exp' | 'step' | 'signed_square' | 'softplus';

export interface ModelPlan {
  /** `model.<name>` in expressions. */
  readonly name: string;
  readonly format: ModelFormat;
  /** Relative to the pipeline file. */
  readonly file: string;
  readonly output: ModelOutput;
  /** In the order of the model's own features: numbers, bools as 0 and 1; absent ones are missing values. */
  readonly inputs: readonly Expression[];
  /** As the pipeline names them, for explanations. */
  readonly inputTexts: readonly string[];
  /** By input: the texts whose place in the list is the number that the model takes; null: the input is a number. */
  readonly categories: readonly (readonly string[] | null)[];
  /** f64, nullable: the score as served. */
  readonly column: number;
  readonly content: LinearContent | TreeContent;
}

/** In double precision; where the format is xgboost (its `gblinear`), in float32, rounded after each operation. */
export interface LinearContent {
  readonly kind: 'linear';
  readonly intercept: number;
  /** By input. A missing input takes its default; where it has none, there is no score. */
  readonly weights: readonly number[];
  readonly defaults: readonly (number | null)[];
  /** Absent: as the format says (`linear`, `logistic`). */
  readonly link?: ModelLink;
}

/**
 * Trees as arrays, all trees one after another, nodes of a tree together; children are indices into the same arrays. What
 * the numbers mean is the format's: xgboost is float32 (left where x < threshold), lightgbm float64 (left where x <=
 * threshold).
 */
export interface TreeContent {
  readonly kind: 'trees';
  /** First node of each tree. */
  readonly roots: readonly number[];
  /** Input of an inner node, -1: a leaf. */
  readonly feature: readonly number[];
  /** Of an inner node; of a leaf its value. */
  readonly threshold: readonly number[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** Bits of a node, see model/tree-flags.ts: default left, categorical, kind of missing values. */
  readonly flags: readonly number[];
  /** For categorical nodes: where their set begins in `categories` and how many words it has; else 0. */
  readonly setAt: readonly number[];
  readonly setWords: readonly number[];
  /** Sets of categories as bits, 32 a word. */
  readonly categories: readonly number[];
  /** Added to the sum of the leaves, in margin space. */
  readonly base: number;
  /** The score comes from the average, the margin stays the sum (lightgbm's random forests). */
  readonly averages: boolean;
  /** From margin to `probability` or `value`. */
  readonly link: ModelLink;
  /** Factor of the margin within the logistic function. */
  readonly sigmoid: number;
}
