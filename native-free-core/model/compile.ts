/**
 * Compiles a model's content into a loop over the rows of a block. Made once a worker and version; the loops allocate nothing. The margins of
 * xgboost models are the library's own to the last bit: float32 inputs, thresholds and additions, in the file's order.
 */

import { BLOCK_ROWS_MAX } from '../layout/limits.ts';
import type { LinearContent, ModelFormat, ModelOutput, TreeContent } from '../layout/model-plan.ts';
import { MISSING_NONE, MISSING_ZERO, ZERO_MAX } from './tree-flags.ts';
import { packTrees, type Slot } from './tree-layout.ts';
import { addTrees, CHUNK_ROWS, rankOf } from './tree-loop.ts';

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

const CATEGORY_MAX = 1 << 24;
const ABOVE_ALL = 1 << 24;

function treeLoop(content: TreeContent, format: ModelFormat): ModelLoop {
  const { slots, nodes, leaves, roots, depths } = packTrees(content, format);
  const single = format === 'xgboost';
  const count = slots.length;
  const ranks = new Int32Array(CHUNK_ROWS * Math.max(1, count));
  const sums = single ? new Float32Array(CHUNK_ROWS) : new Float64Array(CHUNK_ROWS);
  const base = single ? Math.fround(content.base) : content.base;
  const rankers = slots.map((slot) => rankerOf(slot, single));
  return (inputs, rows, features, out) => {
    if (rows > BLOCK_ROWS_MAX) throw new Error(`more rows than a block has: ${rows}`);
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const size = Math.min(CHUNK_ROWS, rows - from);
      for (let slot = 0; slot < count; slot++) {
        const rank = rankers[slot];
        for (let r = 0, at = from * features + slots[slot].input; r < size; r++, at += features) {
          ranks[r * count + slot] = rank(inputs[at]);
        }
      }
      sums.fill(base, 0, size);
      addTrees(nodes, leaves, roots, depths, ranks, count, size, sums);
      for (let r = 0; r < size; r++) out[from + r] = sums[r];
    }
  };
}

/** Where a value lies among a slot's thresholds, or whether a set has it. */
function rankerOf({ missing, defaultLeft, thresholds, set }: Slot, single: boolean): (value: number) => number {
  if (set !== null) return single ? xgboostCategory(set, defaultLeft) : lightgbmCategory(set);
  const absent = defaultLeft ? -1 : ABOVE_ALL;
  if (single) {
    return (value) => (value === value ? rankOf(thresholds, Math.fround(value), true) : absent);
  }
  if (missing === MISSING_ZERO) {
    return (value) => (Math.abs(value) > ZERO_MAX ? rankOf(thresholds, value, false) : absent);
  }
  const instead = missing === MISSING_NONE ? rankOf(thresholds, 0, false) : absent;
  return (value) => (value === value ? rankOf(thresholds, Math.abs(value) > ZERO_MAX ? value : 0, false) : instead);
}

/** In the set goes right; what is no category goes left; missing as the default says. */
function xgboostCategory(set: Int32Array, defaultLeft: boolean): (value: number) => number {
  const absent = defaultLeft ? 0 : 1;
  return (value) => {
    if (value !== value) return absent;
    const category = Math.fround(value);
    if (category < 0 || category >= CATEGORY_MAX) return 0;
    return has(set, Math.trunc(category)) ? 1 : 0;
  };
}

/** In the set goes left; everything else, missing values included, goes right. */
function lightgbmCategory(set: Int32Array): (value: number) => number {
  return (value) => (value > -1 && value < 2 ** 31 && has(set, Math.trunc(value)) ? 0 : 1);
}

export function has(set: Int32Array, category: number): boolean {
  const word = category >> 5;
  return word < set.length && ((set[word] >> (category & 31)) & 1) !== 0;
}
