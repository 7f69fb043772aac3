/**
 * What is computed between state and decisions: derived values that read features, scores of models, and derived values that
 * read scores, each behind what it reads. Compiled once per worker; replay runs none of it, the values come with the rows.
 */

import { planAfterState } from '../plan/after-state.ts';
import type { Column } from '../layout/column.ts';
import type { ModelPlan, Plan } from '../plan/plan.ts';
import { compileModel } from '../model/compile-model.ts';
import { compileComputedLoop, type ComputedLoop } from '../policy/compile-computed.ts';
import { compileGather } from '../policy/gather-inputs.ts';
import type { Tables } from './shared-tables.ts';
import { GATHERED_DOUBLES_MAX, scoreRows, type Scorer } from './score-rows.ts';

export function compileAfterState(
  plan: Plan,
  columns: readonly Column[],
  tables: Pick<Tables, 'dictionary' | 'lists'>,
): readonly ComputedLoop[] {
  return planAfterState(plan).flatMap(({ computed, model }, i) => {
    const loop = compileComputedLoop(plan, computed, `after_state_${i}`, columns, tables.dictionary, tables.lists);
    const scorer = model === null ? null : createScorer(plan, model, columns, tables);
    const score = scorer && ((from: number, to: number): void => scoreRows(scorer, from, to));
    return [loop, score].filter((one) => one !== null);
  });
}

function createScorer(
  plan: Plan,
  model: ModelPlan,
  columns: readonly Column[],
  { dictionary, lists }: Pick<Tables, 'dictionary' | 'lists'>,
): Scorer {
  const features = model.inputs.length;
  const step = Math.max(1, Math.floor(GATHERED_DOUBLES_MAX / features));
  return {
    gather: compileGather(plan, model.inputs, columns, dictionary, lists),
    evaluate: compileModel(model.content, model.format, model.output),
    features,
    step,
    inputs: new Float64Array(step * features),
    scores: new Float64Array(step),
    column: columns[model.column],
  };
}
