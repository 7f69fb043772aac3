/**
 * How many rounds of an XGBoost model count. The file of a training with early stopping has the rounds after the best one,
 * too, and says which that was (`best_iteration`, from 0). The library's scikit-learn and R interfaces predict up to it;
 * Booster.predict takes all rounds unless the caller says otherwise. Here the file's word counts, with a warning, and
 * `iterations:` in the pipeline decides.
 */

import { ModelError } from './model-problems.ts';
import type { Iterations } from './parsed-model.ts';
import type { CategoryEncodings } from './xgboost-categories.ts';
import type { XgBoostTree } from './xgboost-trees.ts';

/** Of the file. */
export interface TreeModel {
  readonly trees: readonly XgBoostTree[];
  readonly cats?: CategoryEncodings;
  /** First tree of each round, and one behind the last; since version 2. */
  readonly iteration_indptr?: readonly number[];
  readonly gbtree_model_param?: Readonly<Record<string, string>>;
}

interface Rounds {
  /** From the first one. */
  readonly trees: number;
  readonly warnings: readonly string[];
}

export function roundsThatCount(model: TreeModel, best: string | undefined, iterations: Iterations): Rounds {
  const starts = roundStarts(model);
  const all = starts.length - 1;
  const wanted = wantedRounds(all, best, iterations);
  const warnings =
    iterations === undefined && wanted < all
      ? [
          `training stopped early, so the first ${wanted} of ${all} rounds count (best_iteration=${best}), as in XGBClassifier.predict; ` +
            'write iterations: best to confirm it, or iterations: all for what Booster.predict gives by default',
        ]
      : [];
  return { trees: starts[wanted], warnings };
}

function wantedRounds(all: number, best: string | undefined, iterations: Iterations): number {
  if (iterations === 'all' || (iterations === undefined && best === undefined)) return all;
  if (typeof iterations === 'number') {
    if (iterations <= all) return iterations;
    throw new ModelError(`iterations: ${iterations} is more than the ${all} rounds in the file`);
  }
  if (best === undefined)
    throw new ModelError('iterations: best, and the file has no best_iteration: it was trained without early stopping');
  const rounds = Number(best) + 1;
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= all) return rounds;
  throw new ModelError(`best_iteration=${best}, and the file has ${all} rounds; write iterations: all, or how many`);
}

function roundStarts({
  trees,
  iteration_indptr: starts,
  gbtree_model_param: parameters,
}: TreeModel): readonly number[] {
  const said = Number(parameters?.['num_trees'] ?? trees.length);
  if (said !== trees.length) throw new ModelError(`the file says that it has ${said} trees, it has ${trees.length}`);
  if (starts !== undefined && starts.length > 0) {
    const isRising = starts.every((start, i) => Number.isInteger(start) && start >= (starts[i - 1] ?? 0));
    if (isRising && starts[0] === 0 && starts.at(-1) === trees.length) return starts;
    throw new ModelError('iteration_indptr does not fit the trees of the file');
  }
  const each = Math.max(1, Number(parameters?.['num_parallel_tree'] ?? 1));
  if (trees.length % each !== 0) throw new ModelError(`${trees.length} trees are no whole rounds of ${each}`);
  return Array.from({ length: trees.length / each + 1 }, (_, i) => i * each);
}
