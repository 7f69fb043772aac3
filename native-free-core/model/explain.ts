/**
 * How a model came to its score, for `hunt explain`: what each input adds in a linear model, the way through each tree. Plain and slow, and
 * written apart from the loops: their margins are tested against each other.
 */

import type { LinearContent, ModelFormat, TreeContent } from '../layout/model-plan.ts';
import { CATEGORICAL, DEFAULT_LEFT, MISSING_NAN, MISSING_NONE, MISSING_ZERO, missingOf } from './tree-flags.ts';

export interface LinearContributions {
  readonly intercept: number;
  /** Weight times value, by input. */
  readonly contributions: readonly number[];
  readonly margin: number;
}

/** null: an input is missing and has no default. `inputs`: NaN where missing. */
export function contributionsOf(content: LinearContent, inputs: readonly number[]): LinearContributions | null {
  const { intercept, weights, defaults } = content;
  const contributions = weights.map(
    (weight, i) => weight * (Number.isNaN(inputs[i]) ? (defaults[i] ?? NaN) : inputs[i]),
  );
  if (contributions.some(Number.isNaN)) return null;
  return { intercept, contributions, margin: contributions.reduce((sum, one) => sum + one, intercept) };
}

export interface TreeStep {
  /** Within its tree, the root is 0. */
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
  const rounded = (value: number): number => (single ? Math.fround(value) : value);
  const trees = content.roots.map((root) => pathOf(content, root, inputs, single));
  const sum = trees.reduce((margin, { leaf }) => rounded(margin + rounded(leaf)), rounded(content.base));
  return { trees, margin: content.averages && trees.length > 0 ? sum / trees.length : sum };
}

function pathOf(content: TreeContent, root: number, inputs: readonly number[], single: boolean): TreePath {
  const steps: TreeStep[] = [];
  let node = root;
  while (content.feature[node] >= 0) {
    const input = content.feature[node];
    const value = single ? Math.fround(inputs[input]) : inputs[input];
    const step = stepAt(content, node, value, single);
    steps.push({ node: node - root, input, value: inputs[input], threshold: content.threshold[node], ...step });
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
    if (!single) return { isCategorical, isMissing, goesLeft: !isMissing && isIn(content, node, value) };
    return { isCategorical, isMissing, goesLeft: isMissing ? defaultLeft : !isIn(content, node, value) };
  }
  const kind = single ? MISSING_NAN : missingOf(flags);
  const known = Number.isNaN(value) && kind !== MISSING_NAN ? 0 : value;
  const isZero = Math.abs(known) <= 1.0000000180025095e-35;
  const isMissing = kind !== MISSING_NONE && (Number.isNaN(known) || (kind === MISSING_ZERO && isZero));
  const threshold = content.threshold[node];
  const goesLeft = isMissing ? defaultLeft : single ? known < threshold : known <= threshold;
  return { isCategorical, isMissing, goesLeft };
}

function isIn({ categories, setAt, setWords }: TreeContent, node: number, value: number): boolean {
  const category = Math.trunc(value);
  if (!(value >= 0) || category >= setWords[node] * 32) return false;
  return ((categories[setAt[node] + (category >> 5)] >> (category & 31)) & 1) !== 0;
}
