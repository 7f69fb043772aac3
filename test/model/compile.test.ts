/** The loops against the plain walk through the trees, on models that no training would make. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LinearContent, ModelFormat, TreeContent } from '../../native-free-core/plan/model-plan.ts';
import { compileModel } from '../../native-free-core/model/compile-model.ts';
import { contributionsOf, pathsOf } from '../../native-free-core/model/explain.ts';
import { CATEGORICAL } from '../../native-free-core/model/tree-flags.ts';
import { seeded } from '../random.ts';

const FEATURES = 4;
const ODD = [
  0,
  -0,
  1e-40,
  -1e-35,
  1.0000000180025095e-35,
  0.1,
  Math.fround(0.1),
  3,
  -0.5,
  -1,
  31,
  32,
  40,
  2 ** 24,
  1e30,
  NaN,
];

/** Trees of every shape, a leaf alone included; thresholds and values share few numbers, so that they often meet. */
function randomTrees(random: () => number, format: ModelFormat): TreeContent {
  const pick = (): number => ODD[Math.floor(random() * (ODD.length - 1))]!;
  const single = format === 'xgboost';
  const trees: {
    [
      K in 'roots' | 'feature' | 'threshold' | 'left' | 'right' | 'flags' | 'setAt' | 'setWords' | 'categories'
    ]: number[];
  } = {
    roots: [],
    feature: [],
    threshold: [],
    left: [],
    right: [],
    flags: [],
    setAt: [],
    setWords: [],
    categories: [],
  };
  const grow = (depth: number): number => {
    const node = trees.feature.length;
    const isLeaf = depth === 0 || random() < 0.2;
    const isSet = !isLeaf && random() < 0.3;
    const words = isSet ? 1 + Math.floor(random() * 2) : 0;
    const missing = single ? 2 : Math.floor(random() * 3);
    trees.feature.push(isLeaf ? -1 : Math.floor(random() * FEATURES));
    trees.threshold.push(isLeaf ? Math.fround(random() - 0.5) : isSet ? 0 : single ? Math.fround(pick()) : pick());
    trees.flags.push(isLeaf ? 0 : (random() < 0.5 ? 1 : 0) | (isSet ? CATEGORICAL : 0) | (missing << 2));
    trees.setAt.push(isSet ? trees.categories.length : 0);
    trees.setWords.push(words);
    for (let word = 0; word < words; word++) trees.categories.push(Math.floor(random() * 2 ** 32) | 0);
    trees.left.push(0);
    trees.right.push(0);
    if (!isLeaf) {
      trees.left[node] = grow(depth - 1);
      trees.right[node] = grow(depth - 1);
    }
    return node;
  };
  const count = Math.floor(random() * 6);
  for (let tree = 0; tree < count; tree++) trees.roots.push(grow(Math.floor(random() * 7)));
  return {
    kind: 'trees',
    ...trees,
    base: random() - 0.5,
    averages: !single && random() < 0.2,
    link: 'identity',
    sigmoid: 1,
  };
}

test.each(['xgboost', 'lightgbm'] as const)('any trees of %s: the loop and the walk agree to the bit', (format) => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 300 }), (seed, rows) => {
      const random = seeded(seed);
      const content = randomTrees(random, format);
      const inputs = Float64Array.from({ length: rows * FEATURES }, () =>
        random() < 0.3 ? random() * 50 : ODD[Math.floor(random() * ODD.length)]!,
      );
      const out = new Float64Array(rows);
      compileModel(content, format, 'margin')(inputs, rows, FEATURES, out);
      for (let r = 0; r < rows; r++) {
        const { margin } = pathsOf(content, format, [...inputs.subarray(r * FEATURES, (r + 1) * FEATURES)]);
        if (!Object.is(out[r], margin)) expect({ r, margin: out[r] }).toEqual({ r, margin });
      }
    }),
    { numRuns: 400, seed: 4711 },
  );
});

test('a linear score is the sum of what its inputs add; without a default, a missing input leaves none', () => {
  const content: LinearContent = { kind: 'linear', intercept: -1.5, weights: [0.25, 3], defaults: [null, 7] };
  const inputs = Float64Array.of(2, 0.5, 2, NaN, NaN, 1);
  const margins = new Float64Array(3);
  compileModel(content, 'logistic', 'margin')(inputs, 3, 2, margins);
  expect([...margins]).toEqual([0.5, 20, NaN]);
  expect([0, 1, 2].map((r) => contributionsOf(content, 'logistic', [...inputs.subarray(2 * r, 2 * r + 2)]))).toEqual([
    { contributions: [0.5, 1.5], margin: 0.5 },
    { contributions: [0.5, 21], margin: 20 },
    { contributions: [null, 3], margin: null },
  ]);
  const scores = new Float64Array(3);
  compileModel(content, 'logistic', 'probability')(inputs, 3, 2, scores);
  expect([...scores]).toEqual([1 / (1 + Math.exp(-0.5)), 1 / (1 + Math.exp(-20)), NaN]);
});
