/**
 * Trees as the loops walk them (tree-loop.ts). A comparison of two floats whose outcome is a jump costs more than all else
 * when nobody can guess it, so each row's inputs become small integers once (ranks.ts), and every node only subtracts:
 *
 *   slot    one for each (input, what counts as missing, where missing goes) that a node asks, and for each (input, set of categories)
 *   rank    of a row in a slot: how many of the thresholds of that input lie at or below it (xgboost; below it: lightgbm). A missing
 *           input lies below all or above all, as its nodes' default says. In a slot of categories: 0 goes left, 1 goes right
 *   node    goes left where rank < its own threshold's place; children lie side by side, left first, so the step is
 *           `left + 1 + ((rank - place) >> 31)`. A leaf leads to itself, so that every row of a tree takes as many steps as its deepest
 *
 * Trees keep the order of the file: sums are in floating point.
 */

import type { TreeContent } from '../plan/model-plan.ts';
import { CATEGORICAL, DEFAULT_LEFT, missingOf } from './tree-flags.ts';

/** A number that nodes compare with thresholds. */
export interface NumberSlots {
  readonly input: number;
  readonly missing: number;
  /** Slot of nodes that send a missing value left, and of those that send it right; -1: there are none. */
  left: number;
  right: number;
  /** Ascending. */
  readonly thresholds: Float64Array;
}

/** A set that nodes look a category up in. */
export interface CategorySlot {
  readonly input: number;
  readonly slot: number;
  /** Missing goes left. */
  readonly defaultLeft: boolean;
  /** Bits of the categories. */
  readonly set: Int32Array;
}

export interface PackedTrees {
  readonly slots: number;
  readonly numbers: readonly NumberSlots[];
  readonly categories: readonly CategorySlot[];
  /** Four words a node: slot, place, first word of the left child, 0. */
  readonly nodes: Int32Array;
  /** By node: a leaf's value. */
  readonly leaves: Float64Array;
  /** First word of each tree's root, and the steps that reach every leaf. */
  readonly roots: Int32Array;
  readonly depths: Int32Array;
}

export const NODE_WORDS = 4;
/** A leaf's place: every rank lies above. */
const ALWAYS_RIGHT = -(1 << 30);

export function packTrees(trees: TreeContent): PackedTrees {
  const { slots, slotOf, thresholdsOf, numbers, categories } = slotsOf(trees);
  const count = trees.feature.length;
  const nodes = new Int32Array(shared(count * NODE_WORDS * 4));
  const leaves = new Float64Array(shared(count * 8));
  const roots = new Int32Array(trees.roots.length);
  const depths = new Int32Array(trees.roots.length);
  let free = 0;
  trees.roots.forEach((root, tree) => {
    const first = free;
    // In breadth: what most rows visit lies together.
    const order = [root];
    const depthOf = [0];
    free++;
    for (let i = 0; i < order.length; i++) {
      const node = order[i];
      const at = (first + i) * NODE_WORDS;
      if (trees.feature[node] < 0) {
        leaves[first + i] = trees.threshold[node];
        nodes[at] = 0;
        nodes[at + 1] = ALWAYS_RIGHT;
        nodes[at + 2] = at - NODE_WORDS;
        depths[tree] = Math.max(depths[tree], depthOf[i]);
        continue;
      }
      const slot = slotOf[node];
      nodes[at] = slot;
      nodes[at + 1] = placeOf(thresholdsOf[slot], trees.threshold[node]);
      nodes[at + 2] = free * NODE_WORDS;
      order.push(trees.left[node], trees.right[node]);
      depthOf.push(depthOf[i] + 1, depthOf[i] + 1);
      free += 2;
    }
    roots[tree] = first * NODE_WORDS;
  });
  return { slots, numbers, categories, nodes, leaves, roots, depths };
}

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.max(8, bytes));
}

/** A row goes left where its rank is below this. */
function placeOf(thresholds: Float64Array | null, threshold: number): number {
  if (thresholds === null) return 1;
  let low = 0;
  for (let high = thresholds.length; low < high;) {
    const middle = (low + high) >>> 1;
    if (thresholds[middle] < threshold) low = middle + 1;
    else high = middle;
  }
  return low + 1;
}

interface Slots {
  readonly slots: number;
  readonly slotOf: Int32Array;
  /** By slot; null: categories. */
  readonly thresholdsOf: readonly (Float64Array | null)[];
  readonly numbers: readonly NumberSlots[];
  readonly categories: readonly CategorySlot[];
}

function slotsOf(trees: TreeContent): Slots {
  const numbers = numberSlots(trees);
  const categories = new Map<string, CategorySlot>();
  const thresholdsOf: (Float64Array | null)[] = [];
  const slotOf = new Int32Array(trees.feature.length);
  trees.feature.forEach((input, node) => {
    if (input < 0) return;
    const flags = trees.flags[node];
    const defaultLeft = (flags & DEFAULT_LEFT) !== 0;
    if ((flags & CATEGORICAL) !== 0) {
      const at = trees.setAt[node];
      const set = Int32Array.from(trees.categories.slice(at, at + trees.setWords[node]));
      const key = `${input}/${defaultLeft}/${set.join(',')}`;
      const known = categories.get(key);
      slotOf[node] = known?.slot ?? thresholdsOf.push(null) - 1;
      if (known === undefined) categories.set(key, { input, slot: slotOf[node], defaultLeft, set });
      return;
    }
    const found = numbers.get(numberKey(input, flags))!;
    const side = defaultLeft ? 'left' : 'right';
    if (found[side] < 0) found[side] = thresholdsOf.push(found.thresholds) - 1;
    slotOf[node] = found[side];
  });
  return {
    slots: thresholdsOf.length,
    slotOf,
    thresholdsOf,
    numbers: [...numbers.values()],
    categories: [...categories.values()],
  };
}

function numberKey(input: number, flags: number): string {
  return `${input}/${missingOf(flags)}`;
}

function numberSlots(trees: TreeContent): Map<string, NumberSlots> {
  const thresholds = new Map<string, Set<number>>();
  const slots = new Map<string, NumberSlots>();
  const isNumber = (node: number): boolean => trees.feature[node] >= 0 && (trees.flags[node] & CATEGORICAL) === 0;
  trees.feature.forEach((input, node) => {
    if (!isNumber(node)) return;
    const key = numberKey(input, trees.flags[node]);
    const found = thresholds.get(key) ?? new Set();
    // -0 and 0 are one number to every comparison.
    thresholds.set(key, found.add(trees.threshold[node] + 0));
  });
  trees.feature.forEach((input, node) => {
    if (!isNumber(node)) return;
    const key = numberKey(input, trees.flags[node]);
    if (slots.has(key)) return;
    const sorted = Float64Array.from(thresholds.get(key)!).sort();
    slots.set(key, { input, missing: missingOf(trees.flags[node]), left: -1, right: -1, thresholds: sorted });
  });
  return slots;
}
