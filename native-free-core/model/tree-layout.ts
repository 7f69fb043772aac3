/**
 * Trees as the loops walk them (tree-loop.ts). A comparison of two floats whose outcome is a jump costs more than all else when nobody can
 * guess it, so each row's inputs become small integers once, and every node only subtracts:
 *
 *   slot    one for each (input, what counts as missing, where missing goes) that a node asks, and for each (input, set of categories)
 *   rank    of a row in a slot: how many of the slot's thresholds lie at or below the input (xgboost; below it: lightgbm). A missing input
 *           lies below all or above all, as its nodes' default says. In a slot of categories: 0 goes left, 1 goes right
 *   node    goes left where rank < its own threshold's place; children lie side by side, left first, so the step is
 *           `left + 1 + ((rank - place) >> 31)`. A leaf leads to itself, so that every row of a tree takes as many steps as its deepest
 *
 * Trees keep the order of the file: sums are in floating point.
 */

import type { ModelFormat, TreeContent } from '../layout/model-plan.ts';
import { CATEGORICAL, DEFAULT_LEFT, missingOf } from './tree-flags.ts';

export interface Slot {
  readonly input: number;
  readonly missing: number;
  /** Missing goes left. */
  readonly defaultLeft: boolean;
  /** Ascending; empty where it asks categories. */
  readonly thresholds: Float64Array;
  /** Bits of the categories, or null. */
  readonly set: Int32Array | null;
}

export interface PackedTrees {
  readonly slots: readonly Slot[];
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

export function packTrees(trees: TreeContent, format: ModelFormat): PackedTrees {
  const { slots, slotOf } = slotsOf(trees, format);
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
      nodes[at + 1] = placeOf(slots[slot], trees.threshold[node]);
      nodes[at + 2] = free * NODE_WORDS;
      order.push(trees.left[node], trees.right[node]);
      depthOf.push(depthOf[i] + 1, depthOf[i] + 1);
      free += 2;
    }
    roots[tree] = first * NODE_WORDS;
  });
  return { slots, nodes, leaves, roots, depths };
}

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.max(8, bytes));
}

/** A row goes left where its rank is below this. */
function placeOf({ thresholds, set }: Slot, threshold: number): number {
  if (set !== null) return 1;
  let low = 0;
  for (let high = thresholds.length; low < high;) {
    const middle = (low + high) >>> 1;
    if (thresholds[middle] < threshold) low = middle + 1;
    else high = middle;
  }
  return low + 1;
}

function slotsOf(trees: TreeContent, format: ModelFormat): { slots: Slot[]; slotOf: Int32Array } {
  const drafts: { input: number; flags: number; set: Int32Array | null; thresholds: Set<number> }[] = [];
  const byKey = new Map<string, number>();
  const slotOf = new Int32Array(trees.feature.length);
  trees.feature.forEach((input, node) => {
    if (input < 0) return;
    const flags = trees.flags[node];
    const isSet = (flags & CATEGORICAL) !== 0;
    const at = trees.setAt[node];
    const set = isSet ? Int32Array.from(trees.categories.slice(at, at + trees.setWords[node])) : null;
    const key = `${input}/${flags}/${set === null ? '' : set.join(',')}`;
    let slot = byKey.get(key);
    if (slot === undefined) {
      slot = drafts.push({ input, flags, set, thresholds: new Set() }) - 1;
      byKey.set(key, slot);
    }
    // -0 and 0 are one number to every comparison.
    if (set === null) drafts[slot].thresholds.add(trees.threshold[node] + 0);
    slotOf[node] = slot;
  });
  const slots = drafts.map(({ input, flags, set, thresholds }): Slot => ({
    input,
    missing: missingOf(flags),
    defaultLeft: (flags & DEFAULT_LEFT) !== 0,
    thresholds: Float64Array.from(thresholds).sort(),
    set: set ?? (format === 'xgboost' || thresholds.size > 0 ? null : new Int32Array(0)),
  }));
  return { slots, slotOf };
}
