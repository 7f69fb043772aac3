/** Conditions as trees with the truth of each part and the values that it compared. */

import type { CompoundKind } from '../../native-free-core/language/functions/function.ts';
import { FUNCTIONS } from '../../native-free-core/language/functions/index.ts';
import type { Expression } from '../../native-free-core/plan/plan.ts';
import type { ExplainedCondition, NamedValue } from '../contract/explanation.ts';
import type { Evaluation } from './evaluation.ts';
import type { ExpressionText } from './expression-text.ts';

export function explainCondition(
  expression: Expression,
  evaluation: Evaluation,
  textOf: ExpressionText,
): ExplainedCondition {
  const explain = (part: Expression): ExplainedCondition => explainCondition(part, evaluation, textOf);
  const value = evaluation.valueOf(expression);
  const common = { text: textOf(expression), holds: value === null ? null : value === true };
  const kind = compoundOf(expression);
  if (kind === null)
    return { ...common, kind: 'test', conditions: [], values: valuesOf(expression, evaluation, textOf) };
  return { ...common, kind, conditions: partsOf(expression, kind).map(explain), values: [] };
}

function compoundOf(expression: Expression): CompoundKind | null {
  if (expression.node !== 'call' || expression.type !== 'bool') return null;
  return FUNCTIONS[expression.operator].condition?.compound ?? null;
}

/** `a && b && c` is one chain, however it was nested. */
function partsOf(expression: Expression, kind: CompoundKind): readonly Expression[] {
  if (expression.node !== 'call') return [expression];
  if (kind !== 'and' && kind !== 'or') return expression.operands;
  return expression.operands.flatMap((part) => (compoundOf(part) === kind ? partsOf(part, kind) : [part]));
}

/** What a test compares: its operands, and what these were made of. Each once; constants speak for themselves. */
function valuesOf(test: Expression, evaluation: Evaluation, textOf: ExpressionText): NamedValue[] {
  const values = new Map<string, NamedValue>();
  const visit = (part: Expression): void => {
    if (part.node === 'constant') return;
    const text = textOf(part);
    if (!values.has(text)) values.set(text, { text, value: evaluation.valueOf(part) });
    evaluation.partsOf(part).forEach(visit);
  };
  const parts = evaluation.partsOf(test);
  if (parts.length > 0) parts.forEach(visit);
  else visit(test);
  return [...values.values()];
}
