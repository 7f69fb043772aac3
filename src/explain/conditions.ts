/** Conditions as trees with the truth of each part and the values that it compared. */

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
  if (expression.node === 'call' && expression.type === 'bool') {
    const { operator, operands } = expression;
    if (operator === 'and' || operator === 'or')
      return { ...common, kind: operator, conditions: chain(expression, operator).map(explain), values: [] };
    if (operator === 'not' || operator === 'conditional')
      return { ...common, kind: operator, conditions: operands.map(explain), values: [] };
  }
  return { ...common, kind: 'test', conditions: [], values: valuesOf(expression, evaluation, textOf) };
}

/** `a && b && c` is one chain, however it was nested. */
function chain(expression: Expression, operator: 'and' | 'or'): Expression[] {
  if (expression.node !== 'call' || expression.operator !== operator) return [expression];
  return expression.operands.flatMap((part) => chain(part, operator));
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
