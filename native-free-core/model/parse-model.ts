/**
 * Model files as data science leaves them, into the plan's form: XGBoost's JSON, LightGBM's text, and the engine's own JSON
 * for linear and logistic models. Called by src/config when a pipeline is compiled; what is wrong comes back in one line.
 */

import type { ModelFormat } from '../plan/model-plan.ts';
import { BYTE_ORDER_MARK, checkFileKind } from './file-kind.ts';
import { ModelError } from './model-problems.ts';
import { parseLightGbm } from './parse-lightgbm.ts';
import { parseLinear } from './parse-linear.ts';
import { parseXgBoost } from './parse-xgboost.ts';
import type { Iterations, ParsedModel, ModelProblem } from './parsed-model.ts';

/** `inputNames`: as the pipeline gives them, in the model's order. */
export function parseModel(
  format: ModelFormat,
  text: string,
  inputNames: readonly string[],
  iterations?: Iterations,
): ParsedModel | ModelProblem {
  try {
    const isMarked = text.startsWith(BYTE_ORDER_MARK);
    const plain = isMarked ? text.slice(BYTE_ORDER_MARK.length) : text;
    checkFileKind(format, plain);
    const parsed = parseText(format, plain, inputNames, iterations);
    if (!isMarked) return parsed;
    return {
      ...parsed,
      warnings: ['the file begins with a byte order mark, which is passed over', ...parsed.warnings],
    };
  } catch (error) {
    if (error instanceof ModelError) return { problem: error.message };
    throw error;
  }
}

function parseText(
  format: ModelFormat,
  text: string,
  inputNames: readonly string[],
  iterations: Iterations,
): ParsedModel {
  switch (format) {
    case 'xgboost':
      return parseXgBoost(text, inputNames, iterations);
    case 'lightgbm':
      return parseLightGbm(text, inputNames, iterations);
    case 'linear':
    case 'logistic':
      if (iterations !== undefined) throw new ModelError('iterations: is of boosted trees, this model has none');
      return parseLinear(format, text, inputNames);
  }
}
