/**
 * Compiles a model's content into a loop over the rows of a block. Made once a worker and version; the loops allocate
 * nothing. The margins of xgboost models are the library's own to the last bit: float32 inputs, thresholds and additions, in
 * the file's order.
 */

import { BLOCK_ROWS_MAX } from '../layout/limits.ts';
import type { LinearContent, ModelFormat, ModelOutput, TreeContent } from '../plan/model-plan.ts';
import { linkOf } from './links.ts';
import { rankDoubleCategories, rankDoubles, rankSingleCategories, rankSingles } from './ranks.ts';
import { createThresholdGrid } from './threshold-grid.ts';
import { MISSING_NONE, MISSING_ZERO } from './tree-flags.ts';
import { packTrees, type CategorySlot, type NumberSlots } from './tree-layout.ts';
import { addTrees, CHUNK_ROWS } from './tree-loop.ts';

/**
 * `inputs`: rows x features, row by row, NaN where missing; `out`: a score a row, NaN where there is none. At most
 * BLOCK_ROWS_MAX rows.
 */
export type ModelLoop = (inputs: Float64Array, rows: number, features: number, out: Float64Array) => void;

/**
 * `format` says how numbers are rounded and compared; linear and logistic differ in what `probability` means, not in the
 * margin.
 */
export function compileModel(
  content: LinearContent | TreeContent,
  format: ModelFormat,
  output: ModelOutput,
): ModelLoop {
  const loop = loopOf(content, format);
  const link = linkOf(content, format, output);
  return (inputs, rows, features, out) => {
    loop(inputs, rows, features, out);
    if (link === null) for (let r = 0; r < rows; r++) out[r] = scoreOf(out[r]);
    else for (let r = 0; r < rows; r++) out[r] = out[r] === out[r] ? scoreOf(link(out[r])) : NaN;
  };
}

/** An overflow is no score, as elsewhere in the engine what is no number is absent. */
function scoreOf(value: number): number {
  return Math.abs(value) < Infinity ? value : NaN;
}

function loopOf(content: LinearContent | TreeContent, format: ModelFormat): ModelLoop {
  if (content.kind === 'trees') return treeLoop(content, format);
  return format === 'xgboost' ? singleLinearLoop(content) : linearLoop(content);
}

/** XGBoost's gblinear: each step is rounded, and a missing input adds nothing. */
function singleLinearLoop({ intercept, weights }: LinearContent): ModelLoop {
  const count = weights.length;
  const weight = Float32Array.from(weights);
  return (inputs, rows, features, out) => {
    for (let r = 0; r < rows; r++) {
      let sum = intercept;
      for (let i = 0, at = r * features; i < count; i++, at++) {
        const value = Math.fround(inputs[at]);
        if (value === value) sum = Math.fround(sum + Math.fround(value * weight[i]));
      }
      out[r] = sum;
    }
  };
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
