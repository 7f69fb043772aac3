/**
 * The order of what is computed between state and decisions: derived values that read features, scores, derived values that
 * read scores. Read by decide/, which compiles it, and by src/config, which merges a shadow's with the live version's.
 */

import type { ComputedPlan, Expression, ModelPlan, Plan } from './plan.ts';

/** What one loop can do: the computed values that are ready, then the next model. */
export interface AfterStateStep {
  readonly computed: readonly ComputedPlan[];
  readonly model: ModelPlan | null;
}

/** In the order of the plan, but for values that wait for a score. */
export function planAfterState(plan: Plan): readonly AfterStateStep[] {
  let waiting = (plan.computed ?? []).filter(({ before }) => !before);
  const models = plan.models ?? [];
  const steps: AfterStateStep[] = [];
  for (let next = 0; next <= models.length; next++) {
    const missing = new Set(models.slice(next).map(({ column }) => column));
    const ready: ComputedPlan[] = [];
    for (const computed of waiting) {
      if (readsAny(computed.expression, missing)) missing.add(computed.column);
      else ready.push(computed);
    }
    waiting = waiting.filter((one) => !ready.includes(one));
    const model = models[next] ?? null;
    if (model !== null && model.inputs.some((input) => readsAny(input, missing)))
      throw new Error(`a model stands before what it reads: model=${model.name}`);
    if (ready.length > 0 || model !== null) steps.push({ computed: ready, model });
  }
  return steps;
}

function readsAny(expression: Expression, columns: ReadonlySet<number>): boolean {
  if (expression.node === 'column') return columns.has(expression.column);
  return expression.node === 'call' && expression.operands.some((operand) => readsAny(operand, columns));
}
