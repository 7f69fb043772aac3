/**
 * XGBoost's JSON model (`save_model('model.json')`): boosted trees, one score. Everything is float32: values are rounded once here, as
 * the library does when it loads the file.
 */

import type { TreeContent } from '../layout/model-plan.ts';
import type { ModelObjective, ParsedModel } from './parse.ts';
import { checkFeatureCount, checkTrees, ModelError, nameWarnings, parseLooseJson } from './model-problems.ts';
import { CATEGORICAL, DEFAULT_LEFT, MISSING_NAN, MISSING_SHIFT } from './tree-flags.ts';

interface Tree {
  readonly left_children: readonly number[];
  readonly right_children: readonly number[];
  readonly split_indices: readonly number[];
  readonly split_conditions: readonly (number | null)[];
  readonly split_type?: readonly number[];
  readonly default_left: readonly (boolean | number)[];
  readonly categories?: readonly number[];
  readonly categories_nodes?: readonly number[];
  readonly categories_segments?: readonly number[];
  readonly categories_sizes?: readonly number[];
}

interface Learner {
  readonly feature_names?: readonly string[];
  readonly gradient_booster: { readonly name: string; readonly model: { readonly trees: readonly Tree[] } };
  readonly learner_model_param: Readonly<Record<string, string>>;
  readonly objective: { readonly name: string };
}

const LOGISTIC = new Set(['binary:logistic', 'reg:logistic', 'binary:logitraw']);
const LOG = new Set(['count:poisson', 'reg:gamma', 'reg:tweedie']);
const IDENTITY = new Set([
  'reg:squarederror',
  'reg:linear',
  'reg:absoluteerror',
  'reg:pseudohubererror',
  'reg:squaredlogerror',
  'binary:hinge',
  'rank:pairwise',
  'rank:ndcg',
  'rank:map',
]);
const CATEGORY_MAX = 1 << 24;

export function parseXgBoost(text: string, inputNames: readonly string[]): ParsedModel {
  const learner = learnerOf(parseLooseJson(text));
  const { gradient_booster: booster, learner_model_param: parameters, objective } = learner;
  if (booster.name !== 'gbtree') throw new ModelError(`the booster ${booster.name} is not supported: gbtree is`);
  const classes = Number(parameters['num_class'] ?? 0);
  if (classes > 1) throw new ModelError(`models of several classes are not supported: num_class=${classes}`);
  if (Number(parameters['num_target'] ?? 1) > 1) throw new ModelError('models of several targets are not supported');
  checkFeatureCount(Number(parameters['num_feature']), inputNames);
  const link = linkOf(objective.name);
  const content = joinTrees(booster.model.trees, baseMargin(parameters['base_score'] ?? '0.5', objective.name), link);
  checkTrees(content, inputNames.length);
  return {
    content,
    objective: objective.name === 'binary:logitraw' || objective.name.startsWith('rank:') ? 'margin-only' : link,
    warnings: nameWarnings(learner.feature_names ?? [], inputNames),
  };
}

function learnerOf(value: unknown): Learner {
  const learner = (value as { learner?: Learner } | null)?.learner;
  if (!Array.isArray(learner?.gradient_booster?.model?.trees)) {
    const name = learner?.gradient_booster?.name;
    if (name !== undefined && name !== 'gbtree')
      throw new ModelError(`the booster ${name} is not supported: gbtree is`);
    throw new ModelError('the file is no XGBoost model in JSON: it has no learner with trees');
  }
  return learner;
}

function linkOf(objective: string): Exclude<ModelObjective, 'margin-only'> {
  if (LOGISTIC.has(objective)) return 'logistic';
  if (LOG.has(objective)) return 'exp';
  if (IDENTITY.has(objective)) return 'identity';
  throw new ModelError(`the objective ${objective} is not supported`);
}

/** `base_score` stands in the file as the objective's own value; trees add to its margin. `[5E-1]` since version 3. */
function baseMargin(text: string, objective: string): number {
  const value = Math.fround(Number(text.replace(/^\[|\]$/g, '')));
  if (!Number.isFinite(value)) throw new ModelError(`base_score is not a number: ${text}`);
  if (objective === 'binary:logitraw') return value;
  if (LOGISTIC.has(objective)) {
    if (!(value > 0 && value < 1)) throw new ModelError(`base_score must lie between 0 and 1: ${text}`);
    return Math.fround(-Math.log(Math.fround(Math.fround(1 / value) - 1)));
  }
  return LOG.has(objective) ? Math.fround(Math.log(value)) : value;
}

function joinTrees(trees: readonly Tree[], base: number, link: TreeContent['link']): TreeContent {
  const joined = {
    roots: [] as number[],
    feature: [] as number[],
    threshold: [] as number[],
    left: [] as number[],
    right: [] as number[],
    flags: [] as number[],
    setAt: [] as number[],
    setWords: [] as number[],
    categories: [] as number[],
  };
  trees.forEach((tree, index) => {
    const root = joined.feature.length;
    const sets = setsOf(tree, joined.categories, index);
    joined.roots.push(root);
    for (let node = 0; node < tree.left_children.length; node++) {
      const isLeaf = tree.left_children[node] === -1;
      const set = isLeaf ? undefined : sets.get(node);
      if (!isLeaf && tree.split_type?.[node] === 1 && set === undefined) {
        throw new ModelError(`tree ${index} splits by categories at node ${node} and names none`);
      }
      joined.feature.push(isLeaf ? -1 : tree.split_indices[node]);
      joined.threshold.push(set === undefined ? Math.fround(tree.split_conditions[node] ?? NaN) : 0);
      joined.left.push(isLeaf ? 0 : root + tree.left_children[node]);
      joined.right.push(isLeaf ? 0 : root + tree.right_children[node]);
      const isDefaultLeft = tree.default_left[node] === true || tree.default_left[node] === 1;
      const category = set === undefined ? 0 : CATEGORICAL;
      joined.flags.push((isDefaultLeft ? DEFAULT_LEFT : 0) | category | (MISSING_NAN << MISSING_SHIFT));
      joined.setAt.push(set?.at ?? 0);
      joined.setWords.push(set?.words ?? 0);
    }
  });
  return { kind: 'trees', ...joined, base, averages: false, link, sigmoid: 1 };
}

/** Sets of categories by node, appended to `words` as bits. */
function setsOf(tree: Tree, words: number[], index: number): Map<number, { at: number; words: number }> {
  const sets = new Map<number, { at: number; words: number }>();
  const {
    categories = [],
    categories_nodes: nodes = [],
    categories_segments: begins = [],
    categories_sizes: sizes = [],
  } = tree;
  nodes.forEach((node, i) => {
    const members = categories.slice(begins[i], begins[i] + sizes[i]);
    const largest = members.reduce((most, one) => Math.max(most, one), -1);
    if (!members.every((one) => Number.isInteger(one) && one >= 0) || largest >= CATEGORY_MAX) {
      throw new ModelError(`tree ${index} has categories that are no small integers`);
    }
    const at = words.length;
    const count = (largest >> 5) + 1;
    for (let word = 0; word < count; word++) words.push(0);
    for (const member of members) words[at + (member >> 5)] |= 1 << (member & 31);
    sets.set(node, { at, words: count });
  });
  return sets;
}
