/** What comes of a model file, whichever format it has: parse-model.ts asks the parser of each format for it. */

import type { LinearContent, ModelLink, TreeContent } from '../plan/model-plan.ts';

/** A value of a categorical column as the training table had it. */
export type Category = string | number | boolean;

/** What the file says of one of its features. */
export interface FileInput {
  /** `number`: compared with thresholds, `category`: looked up in sets. */
  readonly kind: 'number' | 'category' | 'unknown';
  /** In the order of their codes; null: the file does not list them. */
  readonly categories: readonly Category[] | null;
  /** The largest code in any set that the trees ask; -1: there is none. */
  readonly categoryMax: number;
}

/** How many rounds of boosting count: undefined leaves it to the file. */
export type Iterations = 'all' | 'best' | number | undefined;

export interface ParsedModel {
  readonly content: LinearContent | TreeContent;
  /** Which function leads from the margin to what the model was trained for. */
  readonly link: ModelLink;
  readonly inputs: readonly FileInput[];
  /**
   * Categories that the file lists by categorical column, without saying which feature that is (LightGBM's
   * `pandas_categorical`).
   */
  readonly columnCategories: readonly (readonly Category[])[];
  readonly warnings: readonly string[];
}

export interface ModelProblem {
  readonly problem: string;
}
