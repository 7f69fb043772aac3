/**
 * Walks packed trees over the rows of a block (tree-layout.ts): a chunk of rows at a time, so that their ranks stay in the
 * first cache; tree by tree, so that its nodes do, too; four rows at once, because each step waits for the one before it.
 * Called by compile-model.ts on a worker's thread.
 */
// hot path: no allocation

/** Rows of a chunk. */
export const CHUNK_ROWS = 128;
const WORDS_SHIFT = 2;

/**
 * Adds the leaves of every tree, in order, to `sums` (one a row, [0, rows)). `sums` rounds as its kind does: Float32Array
 * for xgboost, Float64Array for lightgbm. `ranks`: `slots` a row.
 */
export function addTrees(
  nodes: Int32Array,
  leaves: Float64Array,
  roots: Int32Array,
  depths: Int32Array,
  ranks: Int32Array,
  slots: number,
  rows: number,
  sums: Float32Array | Float64Array,
): void {
  const fours = rows & -4;
  for (let tree = 0; tree < roots.length; tree++) {
    const root = roots[tree];
    const depth = depths[tree];
    for (let r = 0; r < fours; r += 4) {
      const a = r * slots;
      const b = a + slots;
      const c = b + slots;
      const d = c + slots;
      let i = root;
      let j = root;
      let k = root;
      let l = root;
      for (let step = 0; step < depth; step++) {
        i = nodes[i + 2] + 4 + (((ranks[a + nodes[i]] - nodes[i + 1]) >> 31) << 2);
        j = nodes[j + 2] + 4 + (((ranks[b + nodes[j]] - nodes[j + 1]) >> 31) << 2);
        k = nodes[k + 2] + 4 + (((ranks[c + nodes[k]] - nodes[k + 1]) >> 31) << 2);
        l = nodes[l + 2] + 4 + (((ranks[d + nodes[l]] - nodes[l + 1]) >> 31) << 2);
      }
      sums[r] += leaves[i >> WORDS_SHIFT];
      sums[r + 1] += leaves[j >> WORDS_SHIFT];
      sums[r + 2] += leaves[k >> WORDS_SHIFT];
      sums[r + 3] += leaves[l >> WORDS_SHIFT];
    }
    for (let r = fours; r < rows; r++) {
      const a = r * slots;
      let i = root;
      for (let step = 0; step < depth; step++) {
        i = nodes[i + 2] + 4 + (((ranks[a + nodes[i]] - nodes[i + 1]) >> 31) << 2);
      }
      sums[r] += leaves[i >> WORDS_SHIFT];
    }
  }
}
