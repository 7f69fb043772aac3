/**
 * Model files as data science leaves them, into the plan's form: XGBoost's JSON, LightGBM's text, and the engine's own JSON for linear and
 * logistic models. Called by src/config when a pipeline is compiled; what is wrong comes back in one line.
 */

import type { LinearContent, ModelFormat, TreeContent } from '../layout/model-plan.ts';
import { ModelError } from './model-problems.ts';
import { parseLightGbm } from './parse-lightgbm.ts';
import { parseLinear } from './parse-linear.ts';
import { parseXgBoost } from './parse-xgboost.ts';

/** Which function leads from the margin to what the model was trained for. */
export type ModelObjective = 'margin-only' | 'logistic' | 'exp' | 'identity';

export interface ParsedModel {
  readonly content: LinearContent | TreeContent;
  readonly objective: ModelObjective;
  readonly warnings: readonly string[];
}

export interface ModelProblem {
  readonly problem: string;
}

/** `inputNames`: as the pipeline gives them, in the model's order. */
export function parseModel(
  format: ModelFormat,
  text: string,
  inputNames: readonly string[],
): ParsedModel | ModelProblem {
  try {
    switch (format) {
      case 'xgboost':
        return parseXgBoost(text, inputNames);
      case 'lightgbm':
        return parseLightGbm(text, inputNames);
      case 'linear':
      case 'logistic':
        return parseLinear(format, text, inputNames);
    }
  } catch (error) {
    if (error instanceof ModelError) return { problem: error.message };
    throw error;
  }
}
