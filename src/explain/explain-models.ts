/**
 * How each model of a plan came to its score, for the event in row 0 of the plan's columns: inputs as the model took them,
 * what each adds to a linear model, the way through every tree. The inputs come from the loop that fed the model
 * (policy/gather-inputs.ts).
 */

import type { Expression, ModelPlan, TreeContent } from '../../native-free-core/plan/plan.ts';
import { contributionsOf, pathsOf, type TreePath, type TreeStep } from '../../native-free-core/model/explain.ts';
import { compileGather } from '../../native-free-core/policy/gather-inputs.ts';
import type { KeyList } from '../../native-free-core/state/key-list.ts';
import type { ExplainedInput, ExplainedModel, ExplainedSplit } from '../contract/explanation.ts';
import { valueAt, type ExplainedRow } from './column-values.ts';
import type { Evaluation } from './evaluation.ts';
import type { ExpressionText } from './expression-text.ts';

/** Sets of categories that have more are not spelled out. */
const CATEGORIES_SHOWN = 12;

/** What a model's inputs stand for: the field itself where its category is what the model takes. */
export function modelSources({ inputs, categories }: ModelPlan): Expression[] {
  return inputs.map((input, i) => (categories[i] === null ? input : categorySource(input)));
}

/** A category is compiled into `source == a ? 0 : source == b ? 1 : …` (src/config/models.ts). */
function categorySource(input: Expression): Expression {
  const test = input.node === 'call' && input.operator === 'conditional' ? input.operands[0]! : input;
  return test.node === 'call' && test.operator === 'eq' ? test.operands[0]! : input;
}

/** The answer explains the row as it is when it is called; `evaluation` must have run, and know `modelSources`. */
export function compileModelExplainer(
  row: ExplainedRow,
  evaluation: Evaluation,
  textOf: ExpressionText,
  keyLists: readonly KeyList[] | undefined,
): () => ExplainedModel[] {
  const { plan, columns, dictionary } = row;
  const explainers = (plan.models ?? []).map((model) => {
    const gather = compileGather(plan, model.inputs, columns, dictionary, keyLists);
    const sources = modelSources(model);
    const numbers = new Float64Array(model.inputs.length);
    return (): ExplainedModel => {
      gather(0, 1, numbers);
      const inputs = sources.map((source, i) => ({
        text: textOf(source),
        value: evaluation.valueOf(source),
        number: Number.isNaN(numbers[i]!) ? null : numbers[i]!,
      }));
      const { name, format, file, output } = model;
      const common = { name: `model.${name}`, format, file, output, score: valueAt(row, model.column) };
      return { ...common, ...explainMargin(model, inputs, [...numbers]) };
    };
  });
  return () => explainers.map((explain) => explain());
}

function explainMargin(
  { content, format, categories }: ModelPlan,
  inputs: readonly ExplainedInput[],
  numbers: readonly number[],
): Pick<ExplainedModel, 'margin' | 'inputs' | 'intercept' | 'trees'> {
  if (content.kind === 'linear') {
    const { contributions, margin } = contributionsOf(content, format, numbers);
    return {
      margin,
      intercept: content.intercept,
      inputs: inputs.map((input, i) => ({ ...input, contribution: contributions[i]! })),
    };
  }
  const { trees, margin } = pathsOf(content, format, numbers);
  const names = inputs.map(({ text }) => text);
  return {
    margin,
    inputs: inputs.map((input, i) => ({ ...input, paths: pathsThatAsk(trees, i) })),
    trees: trees.map(({ leaf, steps }, tree) => ({
      tree,
      splits: steps.map((step) => explainSplit(content, step, names, categories, format === 'xgboost')),
      leaf,
    })),
  };
}

function pathsThatAsk(trees: readonly TreePath[], input: number): number {
  return trees.filter(({ steps }) => steps.some((step) => step.input === input)).length;
}

/** As the library compares: xgboost asks for less than, and sends a set's categories to the right. */
function explainSplit(
  content: TreeContent,
  { input, node, threshold, isCategorical, isMissing, goesLeft }: TreeStep,
  names: readonly string[],
  categories: ModelPlan['categories'],
  isXgBoost: boolean,
): ExplainedSplit {
  const missing = isMissing ? { missing: true as const } : {};
  const name = names[input]!;
  if (!isCategorical) {
    const text = isXgBoost ? `${name} < ${shortest(threshold)}` : `${name} <= ${threshold}`;
    return { text, holds: goesLeft, ...missing };
  }
  const members = membersOf(content, node).map((member) => categories[input]?.[member] ?? String(member));
  const shown = members.slice(0, CATEGORIES_SHOWN);
  const more = members.length - shown.length;
  const text = `${name} in [${[...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ')}]`;
  return { text, holds: isXgBoost ? !goesLeft : goesLeft, ...missing };
}

function membersOf({ categories, setAt, setWords }: TreeContent, node: number): number[] {
  const bits = categories.slice(setAt[node], setAt[node]! + setWords[node]!);
  return bits.flatMap((word, i) =>
    Array.from({ length: 32 }, (_, bit) => bit)
      .filter((bit) => ((word >>> bit) & 1) !== 0)
      .map((bit) => i * 32 + bit),
  );
}

/** A float32 in as few digits as tell it from its neighbours. */
function shortest(single: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return String(short);
  }
  return String(Number(single.toPrecision(9)));
}
