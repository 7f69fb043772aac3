/**
 * Emits the update of one ring of hop buckets: let fall what the clock has passed, take in what a delay has held back, serve
 * what excludes the event, add it to its bucket and to the totals, serve the rest. The window holds the hops from
 * head - buckets + 1 to head, with a delay to the hop before head - delay. Called by kernel.ts, and by read.ts to let
 * fall and to serve.
 *
 * Variables of the emitted code: f, w row and table views; b, bw the row's first f64 and Int32 index; t, clock, before,
 * fresh as in kernel.ts; per ring i: head<i>, hop<i>; s, sw a bucket.
 */

import type { Plan } from '../plan/plan.ts';
import { cellNames, emitAddTo, emitClear, emitMove } from './emit-cells.ts';
import { emitServe, emitServeValue } from './emit-serve.ts';
import type { FeatureLayout, RingLayout } from './record-layout.ts';

type IndexOf = (feature: FeatureLayout) => number;

export function emitRing(ring: RingLayout, i: number, indexOf: IndexOf, plan: Plan): string {
  const { buckets, hopMs, features } = ring;
  const excluding = features.filter(({ feature }) => feature.excludesCurrent === true);
  const including = features.filter(({ feature }) => feature.excludesCurrent !== true);
  const trees = features.filter(({ tree }) => tree >= 0).map((feature) => emitEmptyTree(feature, ring));
  return `const head${i} = Math.floor(clock / ${hopMs});
    ${trees.length === 0 ? '' : `if (fresh) { ${trees.join(' ')} }`}
    if (!fresh && clock !== before) { ${emitRingMove(ring, i)} }
    ${excluding.map((feature) => emitRingServe(feature, ring, `head${i}`, plan)).join('\n    ')}
    const hop${i} = t === clock ? head${i} : Math.floor(t / ${hopMs});
    if (hop${i} >= head${i} - ${buckets - 1}) {
      const bucket = hop${i} - ${buckets} * Math.floor(hop${i} / ${buckets}), s = ${bucketAt(ring, 'bucket')}, sw = s * 2;
      ${features.map((feature) => emitAdd(feature, ring, i, indexOf(feature))).join('\n      ')}
    }
    ${including.map((feature) => emitRingServe(feature, ring, `head${i}`, plan)).join('\n    ')}`;
}

function bucketAt({ at, bucketSlots }: RingLayout, bucket: string): string {
  return `b + ${at} + ${bucket} * ${bucketSlots}`;
}

/** The entity's clock has moved from `before` to `clock`; head<i> is its hop. */
export function emitRingMove(ring: RingLayout, i: number): string {
  const trees = ring.features.filter(({ tree }) => tree >= 0).map((feature) => emitEmptyTree(feature, ring));
  return `const last = Math.floor(before / ${ring.hopMs});
      if (head${i} !== last) { ${emitAdvance(ring, i, trees)} }`;
}

/** A jump beyond the ring empties it; otherwise hop by hop. */
function emitAdvance(ring: RingLayout, i: number, trees: readonly string[]): string {
  const { buckets, features, delayHops } = ring;
  const clear = features.map(({ feature, bucket }) => emitClear(feature, 's', bucket!)).join(' ');
  const totals = features
    .filter(({ tree }) => tree < 0)
    .map(({ feature, totals: cells }) => emitClear(feature, 'b', cells))
    .join(' ');
  return `if (head${i} - last >= ${buckets}) {
          for (let bucket = 0; bucket < ${buckets}; bucket++) { const s = ${bucketAt(ring, 'bucket')}, sw = s * 2; ${clear} }
          ${totals} ${trees.join(' ')}
        } else {
          let bucket = last + 1 - ${buckets} * Math.floor((last + 1) / ${buckets});
          for (let n = head${i} - last; n > 0; n--) {
            { const s = ${bucketAt(ring, 'bucket')}, sw = s * 2;
            ${features.map((feature) => emitExpire(feature, ring)).join('\n            ')} }
            ${delayHops === 0 ? '' : emitEnter(ring)}
            bucket = bucket + 1 === ${buckets} ? 0 : bucket + 1;
          }
        }`;
}

/** The hop just behind the delay moves into the window. */
function emitEnter(ring: RingLayout): string {
  const { buckets, delayHops, features } = ring;
  const moves = features.map((layout) => {
    const { feature, totals, bucket, tree } = layout;
    if (tree < 0) return emitMove(feature, 1, 'b', totals, 's', bucket!);
    const { count, time, value } = cellNames('s', bucket!);
    const leaf = isTimed(layout) ? time : value;
    return `if (${count} !== 0) ${grow(layout)}(f, b + ${tree}, ${buckets}, entering, ${leaf});`;
  });
  return `{ const entering = bucket < ${delayHops + 1} ? bucket - ${delayHops + 1} + ${buckets} : bucket - ${delayHops + 1}, s = ${bucketAt(ring, 'entering')}, sw = s * 2;
            ${moves.join(' ')} }`;
}

function isTimed({ feature }: FeatureLayout): boolean {
  return feature.aggregate === 'first' || feature.aggregate === 'last';
}

/** Trees of maxima: max, and the times of last. */
function isMaximum({ feature }: FeatureLayout): boolean {
  return feature.aggregate === 'max' || feature.aggregate === 'last';
}

function grow(layout: FeatureLayout): string {
  return isMaximum(layout) ? 'raiseLeaf' : 'lowerLeaf';
}

function emitEmptyTree(layout: FeatureLayout, { buckets }: RingLayout): string {
  const { tree } = layout;
  return `f.fill(${isMaximum(layout) ? '-Infinity' : 'Infinity'}, b + ${tree}, b + ${tree + 2 * buckets});`;
}

/** Takes a bucket's cells off the totals and clears it for the hop that moves in. */
function emitExpire(layout: FeatureLayout, { buckets }: RingLayout): string {
  const { feature, totals, bucket, tree } = layout;
  const clear = emitClear(feature, 's', bucket!);
  if (tree < 0)
    return `${feature.aggregate === 'ewma' ? '' : emitMove(feature, -1, 'b', totals, 's', bucket!)} ${clear}`;
  return `${isMaximum(layout) ? 'dropMax' : 'dropMin'}(f, b + ${tree}, ${buckets}, bucket); ${clear}`;
}

function emitAdd(layout: FeatureLayout, ring: RingLayout, i: number, index: number): string {
  const { feature, totals, bucket, tree } = layout;
  const { buckets, delayHops } = ring;
  const isIn = delayHops === 0 ? '' : `if (hop${i} < head${i} - ${delayHops})`;
  const hasCells = bucket!.count >= 0 || Object.keys(bucket!.floats).length > 0;
  const toBucket = hasCells ? emitAddTo(feature, 's', bucket!, index) : '';
  const leaf = isTimed(layout) ? 't' : `x${index}`;
  const toTotals =
    tree >= 0
      ? `${grow(layout)}(f, b + ${tree}, ${buckets}, bucket, ${leaf});`
      : feature.aggregate === 'ewma'
        ? ''
        : emitAddTo(feature, 'b', totals, index);
  return `if (add${index}) { ${toBucket} ${isIn} { ${toTotals} } }`;
}

/** `head`: a variable that holds the hop of the entity's clock. */
export function emitRingServe(layout: FeatureLayout, ring: RingLayout, head: string, plan: Plan): string {
  const { feature, totals, tree } = layout;
  if (feature.aggregate === 'ewma') return emitWeighted(layout, ring, head, plan);
  if (tree < 0) return emitServe(feature, 'b', totals, plan);
  const root = `f[b + ${tree + 1}]`;
  if (!isTimed(layout))
    return `if (${root} !== ${isMaximum(layout) ? '-Infinity' : 'Infinity'}) { ${emitServeValue(feature, root, plan)} }`;
  const { value } = cellNames('s', layout.bucket!);
  return `if (${root} !== ${isMaximum(layout) ? '-Infinity' : 'Infinity'}) { const hop = Math.floor(${root} / ${ring.hopMs}), s = ${bucketAt(ring, `(hop - ${ring.buckets} * Math.floor(hop / ${ring.buckets}))`)};
      ${emitServeValue(feature, value, plan)} }`;
}

/** Bucket by bucket, each with the weight of its age: two exact sums, one division. */
function emitWeighted(layout: FeatureLayout, ring: RingLayout, head: string, plan: Plan): string {
  const { feature, bucket } = layout;
  const { count, high, low } = cellNames('s', bucket!);
  const scale = feature.decimals > 0 ? 10 ** feature.decimals : 1;
  const { buckets } = ring;
  return `{ let top = 0, high = 0, low = 0, weight = 0, bucket = ${head} - ${buckets} * Math.floor(${head} / ${buckets});
      for (let age = 0; age < ${buckets}; age++) {
        const s = ${bucketAt(ring, 'bucket')}, sw = s * 2;
        if (${count} !== 0) {
          const by = weights${feature.column}[age];
          const up = Math.floor(${high} / 4294967296);
          weight += by * ${count}; top += by * up; high += by * (${high} - up * 4294967296); low += by * ${low};
          let over = Math.floor(low / 4294967296); low -= over * 4294967296; high += over;
          over = Math.floor(high / 4294967296); high -= over * 4294967296; top += over;
        }
        bucket = bucket === 0 ? ${buckets - 1} : bucket - 1;
      }
      if (weight !== 0) { ${emitServeValue(feature, `nearestOfWords(top, high, low) / (weight * ${scale})`, plan, 1)} } }`;
}

/** Constants of the emitted closure. */
export function weightDeclarations(rings: readonly RingLayout[]): string {
  return rings
    .flatMap(({ features }) => features.filter(({ feature }) => feature.aggregate === 'ewma'))
    .map(({ feature }) => `const weights${feature.column} = Float64Array.of(${feature.weights!.join(', ')});`)
    .join('\n');
}
