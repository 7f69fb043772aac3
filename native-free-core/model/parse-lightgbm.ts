/**
 * LightGBM's text model (`save_model('model.txt')`): one score, double precision. Leaf values in the file have the learning
 * rate in them, and the first tree has the average that boosting began from. After early stopping, save_model writes the
 * best rounds only.
 */

import type { TreeContent } from '../plan/model-plan.ts';
import { lightGbmObjective, type LightGbmObjective } from './lightgbm-objectives.ts';
import { columnCategoriesOf } from './lightgbm-categories.ts';
import { checkFeatureCount, checkTrees, ModelError, nameWarnings } from './model-problems.ts';
import type { FileInput, Iterations, ParsedModel } from './parsed-model.ts';
import { CATEGORICAL } from './tree-flags.ts';
import { setMaxima, splitKinds } from './tree-inputs.ts';

type Fields = ReadonlyMap<string, string>;

/** Of decision_type: bit 0 categorical, bit 1 default left, bits 2 and 3 what counts as missing. */
const TYPE_CATEGORICAL = 1;
const TYPE_DEFAULT_LEFT = 2;

export function parseLightGbm(text: string, inputNames: readonly string[], iterations: Iterations): ParsedModel {
  const sections = text.replaceAll('\r', '').split(/\n(?=Tree=\d+\n)/);
  const header = fieldsOf(sections[0]);
  if (!/^tree\s*\n/.test(text) || !header.has('max_feature_idx')) {
    throw new ModelError('the file is no LightGBM model in text: it does not begin with "tree" and a header');
  }
  checkIsWhole(sections, header);
  checkFeatureCount(Number(header.get('max_feature_idx')) + 1, inputNames);
  const objective = lightGbmObjective(header.get('objective'));
  if (Number(header.get('num_class') ?? 1) > 1 || Number(header.get('num_tree_per_iteration') ?? 1) > 1) {
    throw new ModelError('models of several classes are not supported');
  }
  const trees = sections.slice(1).map((section) => fieldsOf(section.split('\nend of trees')[0]));
  const counted = trees.slice(0, roundsThatCount(trees.length, iterations));
  const content = joinTrees(counted, header.has('average_output'), objective);
  checkTrees(content, inputNames.length);
  return {
    content,
    link: objective.link,
    inputs: inputsOf(content, (header.get('feature_infos') ?? '').split(' '), inputNames.length),
    columnCategories: columnCategoriesOf(text),
    warnings: nameWarnings((header.get('feature_names') ?? '').split(' '), inputNames),
  };
}

/** A file that was cut short still reads as a model, of fewer trees. */
function checkIsWhole(sections: readonly string[], header: Fields): void {
  const said = (header.get('tree_sizes') ?? '').split(' ').filter((word) => word !== '').length;
  const has = sections.length - 1;
  if (header.has('tree_sizes') && said !== has)
    throw new ModelError(`the file says that it has ${said} trees, it has ${has}`);
  if (!sections.at(-1)!.includes('\nend of trees'))
    throw new ModelError('the file is cut short: it has no "end of trees"');
}

function roundsThatCount(all: number, iterations: Iterations): number {
  if (iterations === undefined || iterations === 'all') return all;
  if (iterations === 'best')
    throw new ModelError(
      'iterations: best, and a LightGBM file does not say which: save_model writes the best rounds only',
    );
  if (iterations <= all) return iterations;
  throw new ModelError(`iterations: ${iterations} is more than the ${all} rounds in the file`);
}

/** `[-1:2.5]` is a range of numbers, `2:0:1` are categories, `none` a feature that no tree could ask. */
function inputsOf(content: TreeContent, infos: readonly string[], features: number): FileInput[] {
  const kinds = splitKinds(content, features);
  const maxima = setMaxima(content, features);
  return Array.from({ length: features }, (_, i) => {
    const info = infos[i] ?? 'none';
    const kind = info.startsWith('[') ? 'number' : /^-?\d/.test(info) ? 'category' : kinds[i];
    return { kind, categories: null, categoryMax: maxima[i] };
  });
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

function joinTrees(trees: readonly Fields[], averages: boolean, { link, sigmoid }: LightGbmObjective): TreeContent {
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
    if (Number(tree.get('is_linear') ?? 0) !== 0)
      throw new ModelError('trees with linear leaves (linear_tree) are not supported');
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
