/**
 * Compiles a model's content into a loop over the rows of a block. Made once a worker and version; the loops allocate nothing. The margins of
 * xgboost models are the library's own to the last bit: float32 inputs, thresholds and additions, in the file's order.
 */

import { BLOCK_ROWS_MAX } from '../layout/limits.ts';
import type { LinearContent, ModelFormat, ModelOutput, TreeContent } from '../layout/model-plan.ts';
import { rankDoubleCategories, rankDoubles, rankSingleCategories, rankSingles } from './ranks.ts';
import { createThresholdGrid } from './threshold-grid.ts';
import { MISSING_NONE, MISSING_ZERO } from './tree-flags.ts';
import { packTrees, type CategorySlot, type NumberSlots } from './tree-layout.ts';
import { addTrees, CHUNK_ROWS } from './tree-loop.ts';

/**
 * `inputs`: rows x features, row by row, NaN where missing; `out`: a score a row, NaN where there is none. At most BLOCK_ROWS_MAX rows.
 */
export type ModelLoop = (inputs: Float64Array, rows: number, features: number, out: Float64Array) => void;

/** `format`: linear and logistic differ in what `probability` means, not in the margin. */
export function compileModel(
  content: LinearContent | TreeContent,
  format: ModelFormat,
  output: ModelOutput,
): ModelLoop {
  const loop = content.kind === 'linear' ? linearLoop(content) : treeLoop(content, format);
  const link = linkOf(content, format, output);
  if (link === null) return loop;
  return (inputs, rows, features, out) => {
    loop(inputs, rows, features, out);
    for (let r = 0; r < rows; r++) out[r] = link(out[r]);
  };
}

/** From margin to what was asked for; null: the margin itself. In double precision: only margins are the library's own bits. */
export function linkOf(
  content: LinearContent | TreeContent,
  format: ModelFormat,
  output: ModelOutput,
): ((margin: number) => number) | null {
  if (output === 'margin') return null;
  const logistic = content.kind === 'linear' ? format === 'logistic' : content.link === 'logistic';
  const sigmoid = content.kind === 'linear' ? 1 : content.sigmoid;
  // A forest's margin is the sum, as the library's own raw score; its score comes from the average.
  const share = content.kind === 'trees' && content.averages ? Math.max(1, content.roots.length) : 1;
  if (logistic) return (margin) => 1 / (1 + Math.exp(-sigmoid * (margin / share)));
  if (content.kind === 'trees' && content.link === 'exp') return (margin) => Math.exp(margin / share);
  return share === 1 ? null : (margin) => margin / share;
}

function linearLoop({ intercept, weights, defaults }: LinearContent): ModelLoop {
  const count = weights.length;
  const weight = Float64Array.from(weights);
  const standIn = Float64Array.from(defaults, (value) => value ?? NaN);
  return (inputs, rows, features, out) => {
    for (let r = 0; r < rows; r++) {
      let sum = intercept;
      for (let i = 0, at = r * features; i < count; i++, at++) {
        const value = inputs[at];
        sum += weight[i] * (value === value ? value : standIn[i]);
      }
      out[r] = sum;
    }
  };
}

/** Fills slots of `ranks` for a chunk of rows; `from`: where the first row's inputs begin. */
type RankLoop = (inputs: Float64Array, from: number, features: number, rows: number, ranks: Int32Array) => void;

function treeLoop(content: TreeContent, format: ModelFormat): ModelLoop {
  const packed = packTrees(content);
  const { slots, nodes, leaves, roots, depths } = packed;
  const single = format === 'xgboost';
  const ranks = new Int32Array(CHUNK_ROWS * Math.max(1, slots));
  const sums = single ? new Float32Array(CHUNK_ROWS) : new Float64Array(CHUNK_ROWS);
  const base = single ? Math.fround(content.base) : content.base;
  const rankLoops = [
    ...packed.numbers.map((number) => numberRanks(number, single, slots)),
    ...packed.categories.map((category) => categoryRanks(category, single, slots)),
  ];
  return (inputs, rows, features, out) => {
    if (rows > BLOCK_ROWS_MAX) throw new Error(`more rows than a block has: ${rows}`);
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const size = Math.min(CHUNK_ROWS, rows - from);
      for (const rank of rankLoops) rank(inputs, from * features, features, size, ranks);
      sums.fill(base, 0, size);
      addTrees(nodes, leaves, roots, depths, ranks, slots, size, sums);
      for (let r = 0; r < size; r++) out[from + r] = sums[r];
    }
  };
}

function numberRanks(
  { input, missing, left, right, thresholds }: NumberSlots,
  single: boolean,
  slots: number,
): RankLoop {
  const grid = createThresholdGrid(thresholds);
  if (single) {
    return (inputs, from, features, rows, ranks) =>
      rankSingles(inputs, from + input, features, rows, grid, left, right, ranks, slots);
  }
  const missingIsZero = missing === MISSING_NONE;
  const zeroIsMissing = missing === MISSING_ZERO;
  return (inputs, from, features, rows, ranks) =>
    rankDoubles(inputs, from + input, features, rows, grid, missingIsZero, zeroIsMissing, left, right, ranks, slots);
}

function categoryRanks({ input, slot, defaultLeft, set }: CategorySlot, single: boolean, slots: number): RankLoop {
  const absent = defaultLeft ? 0 : 1;
  if (single) {
    return (inputs, from, features, rows, ranks) =>
      rankSingleCategories(inputs, from + input, features, rows, set, absent, slot, ranks, slots);
  }
  return (inputs, from, features, rows, ranks) =>
    rankDoubleCategories(inputs, from + input, features, rows, set, slot, ranks, slots);
}
