/**
 * The extreme of a window as the root of a tree over its buckets: one bucket changes, and the root follows in log2(buckets)
 * steps. Leaf `bucket` lies at `buckets + bucket`, node k above 2k and 2k + 1, the root at 1; so any number of buckets will
 * do. Empty leaves are -Infinity (max) or Infinity (min). Called by the emitted kernels.
 */
// hot path: no allocation

export function raiseLeaf(f: Float64Array, at: number, buckets: number, bucket: number, x: number): void {
  for (let k = buckets + bucket; k > 0 && x > f[at + k]; k >>= 1) f[at + k] = x;
}

export function lowerLeaf(f: Float64Array, at: number, buckets: number, bucket: number, x: number): void {
  for (let k = buckets + bucket; k > 0 && x < f[at + k]; k >>= 1) f[at + k] = x;
}

/** Empties a leaf of a tree of maxima. */
export function dropMax(f: Float64Array, at: number, buckets: number, bucket: number): void {
  let k = buckets + bucket;
  if (f[at + k] === -Infinity) return;
  f[at + k] = -Infinity;
  for (k >>= 1; k > 0; k >>= 1) {
    const a = f[at + 2 * k];
    const b = f[at + 2 * k + 1];
    const most = a > b ? a : b;
    if (f[at + k] === most) return;
    f[at + k] = most;
  }
}

/** Empties a leaf of a tree of minima. */
export function dropMin(f: Float64Array, at: number, buckets: number, bucket: number): void {
  let k = buckets + bucket;
  if (f[at + k] === Infinity) return;
  f[at + k] = Infinity;
  for (k >>= 1; k > 0; k >>= 1) {
    const a = f[at + 2 * k];
    const b = f[at + 2 * k + 1];
    const least = a < b ? a : b;
    if (f[at + k] === least) return;
    f[at + k] = least;
  }
}
