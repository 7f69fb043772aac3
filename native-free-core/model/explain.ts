/**
 * How a model came to its score, for `hunt explain`: what each input adds in a linear model, the way through each tree.
 * Plain and slow, and written apart from the loops: their margins are tested against each other.
 */

import type { LinearContent, ModelFormat, TreeContent } from '../plan/model-plan.ts';
import {
  CATEGORICAL,
  DEFAULT_LEFT,
  MISSING_NAN,
  MISSING_NONE,
  MISSING_ZERO,
  missingOf,
  ZERO_MAX,
} from './tree-flags.ts';

export interface LinearContributions {
  /** Weight times value, by input; null: it is missing and has no default. */
  readonly contributions: readonly (number | null)[];
  /** null: there is no score. */
  readonly margin: number | null;
}

/** `inputs`: NaN where missing. XGBoost's gblinear is float32 throughout. */
export function contributionsOf(
  { intercept, weights, defaults }: LinearContent,
  format: ModelFormat,
  inputs: readonly number[],
): LinearContributions {
  const rounded = roundingOf(format);
  const contributions = weights.map((weight, i) => {
    const value = Number.isNaN(inputs[i]) ? defaults[i] : rounded(inputs[i]);
    return value === null ? null : rounded(weight * value);
  });
  const margin = contributions.reduce<number | null>(
    (sum, one) => (sum === null || one === null ? null : rounded(sum + one)),
    intercept,
  );
  return { contributions, margin };
}

function roundingOf(format: ModelFormat): (value: number) => number {
  return format === 'xgboost' ? Math.fround : (value) => value;
}

export interface TreeStep {
  /** Within the content's arrays. */
  readonly node: number;
  readonly input: number;
  readonly value: number;
  /** Of a numeric node. */
  readonly threshold: number;
  readonly isCategorical: boolean;
  readonly isMissing: boolean;
  readonly goesLeft: boolean;
}

export interface TreePath {
  readonly leaf: number;
  readonly steps: readonly TreeStep[];
}

export interface TreePaths {
  readonly trees: readonly TreePath[];
  readonly margin: number;
}

export function pathsOf(content: TreeContent, format: ModelFormat, inputs: readonly number[]): TreePaths {
  const single = format === 'xgboost';
  const rounded = roundingOf(format);
  const trees = content.roots.map((root) => pathOf(content, root, inputs, single));
  const margin = trees.reduce((sum, { leaf }) => rounded(sum + rounded(leaf)), rounded(content.base));
  return { trees, margin };
}

function pathOf(content: TreeContent, root: number, inputs: readonly number[], single: boolean): TreePath {
  const steps: TreeStep[] = [];
  let node = root;
  while (content.feature[node] >= 0) {
    const input = content.feature[node];
    const value = single ? Math.fround(inputs[input]) : inputs[input];
    const step = stepAt(content, node, value, single);
    steps.push({ node, input, value: inputs[input], threshold: content.threshold[node], ...step });
    node = step.goesLeft ? content.left[node] : content.right[node];
  }
  return { leaf: content.threshold[node], steps };
}

function stepAt(
  content: TreeContent,
  node: number,
  value: number,
  single: boolean,
): Pick<TreeStep, 'isCategorical' | 'isMissing' | 'goesLeft'> {
  const flags = content.flags[node];
  const isCategorical = (flags & CATEGORICAL) !== 0;
  const defaultLeft = (flags & DEFAULT_LEFT) !== 0;
  if (isCategorical) {
    const isMissing = Number.isNaN(value);
    if (!single) return { isCategorical, isMissing, goesLeft: !isMissing && isIn(content, node, Math.trunc(value)) };
    return {
      isCategorical,
      isMissing,
      goesLeft: isMissing ? defaultLeft : !(value >= 0 && isIn(content, node, Math.trunc(value))),
    };
  }
  const kind = single ? MISSING_NAN : missingOf(flags);
  const isZero = !single && Math.abs(value) <= ZERO_MAX;
  const known = isZero || (Number.isNaN(value) && kind !== MISSING_NAN) ? 0 : value;
  const isMissing = kind !== MISSING_NONE && (Number.isNaN(known) || (kind === MISSING_ZERO && known === 0));
  const threshold = content.threshold[node];
  const goesLeft = isMissing ? defaultLeft : single ? known < threshold : known <= threshold;
  return { isCategorical, isMissing, goesLeft };
}

function isIn({ categories, setAt, setWords }: TreeContent, node: number, category: number): boolean {
  if (!(category >= 0) || category >= setWords[node] * 32) return false;
  return ((categories[setAt[node] + (category >> 5)] >> (category & 31)) & 1) !== 0;
}
