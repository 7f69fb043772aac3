/** Joins the trees of an XGBoost file into the plan's arrays, in the file's order. Called by parse-xgboost.ts. */

import type { TreeContent } from '../plan/model-plan.ts';
import { ModelError } from './model-problems.ts';
import { CATEGORICAL, DEFAULT_LEFT, MISSING_NAN, MISSING_SHIFT } from './tree-flags.ts';

export interface XgBoostTree {
  readonly left_children: readonly number[];
  readonly right_children: readonly number[];
  readonly split_indices: readonly number[];
  readonly split_conditions: readonly (number | null)[];
  readonly split_type?: readonly number[];
  readonly default_left: readonly (boolean | number)[];
  readonly tree_param?: Readonly<Record<string, string>>;
  readonly categories?: readonly number[];
  readonly categories_nodes?: readonly number[];
  readonly categories_segments?: readonly number[];
  readonly categories_sizes?: readonly number[];
}

export type JoinedTrees = Omit<TreeContent, 'kind' | 'base' | 'averages' | 'link' | 'sigmoid'>;

const CATEGORY_MAX = 1 << 24;

/** `weights`: of dart, one a tree; the library multiplies each leaf, in float32. */
export function joinXgBoostTrees(trees: readonly XgBoostTree[], weights: readonly number[] | null): JoinedTrees {
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
    if (Number(tree.tree_param?.['size_leaf_vector'] ?? 1) > 1)
      throw new ModelError('trees with several scores a leaf are not supported');
    const root = joined.feature.length;
    const weight = Math.fround(weights?.[index] ?? 1);
    const sets = setsOf(tree, joined.categories, index);
    joined.roots.push(root);
    for (let node = 0; node < tree.left_children.length; node++) {
      const isLeaf = tree.left_children[node] === -1;
      const set = isLeaf ? undefined : sets.get(node);
      if (!isLeaf && tree.split_type?.[node] === 1 && set === undefined) {
        throw new ModelError(`tree ${index} splits by categories at node ${node} and names none`);
      }
      joined.feature.push(isLeaf ? -1 : tree.split_indices[node]);
      const condition = set === undefined ? Math.fround(tree.split_conditions[node] ?? NaN) : 0;
      joined.threshold.push(isLeaf ? Math.fround(condition * weight) : condition);
      joined.left.push(isLeaf ? 0 : root + tree.left_children[node]);
      joined.right.push(isLeaf ? 0 : root + tree.right_children[node]);
      const isDefaultLeft = tree.default_left[node] === true || tree.default_left[node] === 1;
      const category = set === undefined ? 0 : CATEGORICAL;
      joined.flags.push((isDefaultLeft ? DEFAULT_LEFT : 0) | category | (MISSING_NAN << MISSING_SHIFT));
      joined.setAt.push(set?.at ?? 0);
      joined.setWords.push(set?.words ?? 0);
    }
  });
  return joined;
}

/** Sets of categories by node, appended to `words` as bits. */
function setsOf(tree: XgBoostTree, words: number[], index: number): Map<number, { at: number; words: number }> {
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
