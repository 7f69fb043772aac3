/**
 * LightGBM's text model (`save_model('model.txt')`): one score, double precision. Leaf values in the file have the learning rate in them,
 * and the first tree has the average that boosting began from.
 */

import { lookup } from '../base/lookup.ts';
import type { TreeContent } from '../layout/model-plan.ts';
import type { ModelObjective, ParsedModel } from './parse.ts';
import { checkFeatureCount, checkTrees, ModelError, nameWarnings } from './model-problems.ts';
import { CATEGORICAL } from './tree-flags.ts';

type Fields = ReadonlyMap<string, string>;

/** Of decision_type: bit 0 categorical, bit 1 default left, bits 2 and 3 what counts as missing. */
const TYPE_CATEGORICAL = 1;
const TYPE_DEFAULT_LEFT = 2;

const OBJECTIVES: Readonly<Record<string, Exclude<ModelObjective, 'margin-only'>>> = {
  binary: 'logistic',
  cross_entropy: 'logistic',
  regression: 'identity',
  regression_l1: 'identity',
  huber: 'identity',
  fair: 'identity',
  quantile: 'identity',
  mape: 'identity',
  lambdarank: 'identity',
  rank_xendcg: 'identity',
  poisson: 'exp',
  gamma: 'exp',
  tweedie: 'exp',
};

export function parseLightGbm(text: string, inputNames: readonly string[]): ParsedModel {
  const sections = text.replaceAll('\r', '').split(/\n(?=Tree=\d+\n)/);
  const header = fieldsOf(sections[0]);
  if (!/^tree\s*\n/.test(text) || !header.has('max_feature_idx')) {
    throw new ModelError('the file is no LightGBM model in text: it does not begin with "tree" and a header');
  }
  if (Number(header.get('num_class') ?? 1) > 1 || Number(header.get('num_tree_per_iteration') ?? 1) > 1) {
    throw new ModelError('models of several classes are not supported');
  }
  checkFeatureCount(Number(header.get('max_feature_idx')) + 1, inputNames);
  const [objective = 'regression', ...options] = (header.get('objective') ?? 'regression').split(' ');
  const link = lookup(OBJECTIVES, objective);
  if (link === undefined) throw new ModelError(`the objective ${objective} is not supported`);
  const sigmoid = Number(options.find((option) => option.startsWith('sigmoid:'))?.slice('sigmoid:'.length) ?? 1);
  const trees = sections.slice(1).map((section) => fieldsOf(section.split('\nend of trees')[0]));
  const content = joinTrees(trees, header.has('average_output'), link, sigmoid);
  checkTrees(content, inputNames.length);
  return {
    content,
    objective: link,
    warnings: nameWarnings((header.get('feature_names') ?? '').split(' '), inputNames),
  };
}

function fieldsOf(section: string): Fields {
  return new Map(
    section.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=');
      return at < 0 ? [line.trim(), ''] : [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

function numbersOf(fields: Fields, name: string, count: number, tree: number): number[] {
  const numbers = (fields.get(name) ?? '')
    .split(' ')
    .filter((word) => word !== '')
    .map(numberOf);
  if (numbers.length === count && numbers.every((value) => !Number.isNaN(value))) return numbers;
  throw new ModelError(`tree ${tree} has ${numbers.length} values of ${name}, it needs ${count} numbers`);
}

/** C++ spells infinity in its own way. */
function numberOf(word: string): number {
  return word === 'inf' ? Infinity : word === '-inf' ? -Infinity : Number(word);
}

function joinTrees(
  trees: readonly Fields[],
  averages: boolean,
  link: TreeContent['link'],
  sigmoid: number,
): TreeContent {
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
    joined.roots.push(root);
    const leaves = Number(tree.get('num_leaves'));
    if (!(leaves >= 1)) throw new ModelError(`tree ${index} does not say how many leaves it has`);
    if (Number(tree.get('is_linear') ?? 0) !== 0) throw new ModelError('trees with linear leaves are not supported');
    const inner = leaves - 1;
    const list = (name: string): number[] => numbersOf(tree, name, inner, index);
    const [features, thresholds, types] = [list('split_feature'), list('threshold'), list('decision_type')];
    const [left, right] = [list('left_child'), list('right_child')];
    const bounds = fieldNumbers(tree, 'cat_boundaries');
    const setsAt = joined.categories.length;
    for (const word of fieldNumbers(tree, 'cat_threshold')) joined.categories.push(word | 0);
    // Leaf n is written as ~n; here it comes behind the inner nodes.
    const place = (child: number): number => {
      if (child >= inner || ~child >= leaves)
        throw new ModelError(`tree ${index} has a child that is not there: ${child}`);
      return root + (child >= 0 ? child : inner + ~child);
    };
    for (let node = 0; node < inner; node++) {
      const isSet = (types[node] & TYPE_CATEGORICAL) !== 0;
      const set = isSet ? thresholds[node] : 0;
      if (isSet && !(bounds[set + 1] > bounds[set]))
        throw new ModelError(`tree ${index} names categories that are not there`);
      joined.feature.push(features[node]);
      joined.threshold.push(isSet ? 0 : thresholds[node]);
      joined.left.push(place(left[node]));
      joined.right.push(place(right[node]));
      const defaultLeft = (types[node] & TYPE_DEFAULT_LEFT) !== 0 ? 1 : 0;
      joined.flags.push(defaultLeft | (isSet ? CATEGORICAL : 0) | (types[node] & 12));
      joined.setAt.push(isSet ? setsAt + bounds[set] : 0);
      joined.setWords.push(isSet ? bounds[set + 1] - bounds[set] : 0);
    }
    for (const value of numbersOf(tree, 'leaf_value', leaves, index)) {
      joined.feature.push(-1);
      joined.threshold.push(value);
      for (const field of ['left', 'right', 'flags', 'setAt', 'setWords'] as const) joined[field].push(0);
    }
  });
  return { kind: 'trees', ...joined, base: 0, averages, link, sigmoid };
}

function fieldNumbers(fields: Fields, name: string): number[] {
  return (fields.get(name) ?? '')
    .split(' ')
    .filter((word) => word !== '')
    .map(Number);
}
