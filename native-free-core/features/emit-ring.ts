/**
 * Emits the update of one ring of hop buckets: let fall what the clock has passed, take in what a delay has held back, serve
 * what excludes the event, add it to its bucket and to the totals, serve the rest. The window holds the hops from
 * head - buckets + 1 to head, with a delay to the hop before head - delay. Called by kernel.ts, and by read.ts to let
 * fall and to serve.
 *
 * Variables of the emitted code: f, w row and table views; b, bw the row's first f64 and Int32 index; t, clock, before,
 * fresh as in kernel.ts; per ring i: head<i>, hop<i>; s, sw a bucket.
 */

import { cellSet, emitClear } from '../language/aggregates/cells.ts';
import { aggregateOf } from '../language/aggregates/index.ts';
import type { RingCode, RingPlace } from '../language/aggregates/kernel-part.ts';
import { NO_LEAF } from '../language/aggregates/ring-tree.ts';
import type { Plan } from '../plan/plan.ts';
import { eventOf } from './emit-plain.ts';
import type { FeatureLayout, RingLayout } from './record-layout.ts';

type IndexOf = (feature: FeatureLayout) => number;

export function emitRing(ring: RingLayout, i: number, indexOf: IndexOf, plan: Plan): string {
  const { buckets, hopMs, features } = ring;
  const excluding = features.filter(({ feature }) => feature.excludesCurrent === true);
  const including = features.filter(({ feature }) => feature.excludesCurrent !== true);
  const trees = emptyTrees(ring);
  return `const head${i} = Math.floor(clock / ${hopMs});
    ${trees === '' ? '' : `if (fresh) { ${trees} }`}
    if (!fresh && clock !== before) { ${emitRingMove(ring, i, plan)} }
    ${excluding.map((feature) => emitRingServe(feature, ring, `head${i}`, plan)).join('\n    ')}
    const hop${i} = t === clock ? head${i} : Math.floor(t / ${hopMs});
    if (hop${i} >= head${i} - ${buckets - 1}) {
      const bucket = hop${i} - ${buckets} * Math.floor(hop${i} / ${buckets}), s = ${bucketAt(ring, 'bucket')}, sw = s * 2;
      ${features.map((feature) => emitAdd(feature, ring, i, indexOf(feature), plan)).join('\n      ')}
    }
    ${including.map((feature) => emitRingServe(feature, ring, `head${i}`, plan)).join('\n    ')}`;
}

function bucketAt({ at, bucketSlots }: RingLayout, bucket: string): string {
  return `b + ${at} + ${bucket} * ${bucketSlots}`;
}

function codeOf({ feature }: FeatureLayout): RingCode {
  const ring = aggregateOf(feature).kernel.ring(feature);
  if (ring === null) throw new Error(`no ring: aggregate=${feature.aggregate} feature=${feature.name}`);
  return ring;
}

function placeOf({ feature, totals, bucket, tree }: FeatureLayout, ring: RingLayout, plan: Plan): RingPlace {
  return {
    feature,
    plan,
    totals: cellSet('b', totals),
    bucket: cellSet('s', bucket!),
    tree,
    buckets: ring.buckets,
    hopMs: ring.hopMs,
    bucketAt: (text) => bucketAt(ring, text),
  };
}

/** The entity's clock has moved from `before` to `clock`; head<i> is its hop. */
export function emitRingMove(ring: RingLayout, i: number, plan: Plan): string {
  return `const last = Math.floor(before / ${ring.hopMs});
      if (head${i} !== last) { ${emitAdvance(ring, i, plan)} }`;
}

/** A jump beyond the ring empties it; otherwise hop by hop. */
function emitAdvance(ring: RingLayout, i: number, plan: Plan): string {
  const { buckets, features, delayHops } = ring;
  const clear = features.map((layout) => emitClear('s', layout.bucket!, codeOf(layout).cleared)).join(' ');
  const totals = features
    .filter((layout) => codeOf(layout).inTotals)
    .map((layout) => emitClear('b', layout.totals, codeOf(layout).cleared))
    .join(' ');
  return `if (head${i} - last >= ${buckets}) {
          for (let bucket = 0; bucket < ${buckets}; bucket++) { const s = ${bucketAt(ring, 'bucket')}, sw = s * 2; ${clear} }
          ${totals} ${emptyTrees(ring)}
        } else {
          let bucket = last + 1 - ${buckets} * Math.floor((last + 1) / ${buckets});
          for (let n = head${i} - last; n > 0; n--) {
            { const s = ${bucketAt(ring, 'bucket')}, sw = s * 2;
            ${features.map((layout) => emitExpire(layout, ring, plan)).join('\n            ')} }
            ${delayHops === 0 ? '' : emitEnter(ring, plan)}
            bucket = bucket + 1 === ${buckets} ? 0 : bucket + 1;
          }
        }`;
}

/** The hop just behind the delay moves into the window. */
function emitEnter(ring: RingLayout, plan: Plan): string {
  const { delayHops, buckets, features } = ring;
  const moves = features.map((layout) => {
    const { enter } = codeOf(layout);
    if (enter === null) throw new Error(`no delay: aggregate=${layout.feature.aggregate}`);
    return enter(placeOf(layout, ring, plan));
  });
  return `{ const entering = bucket < ${delayHops + 1} ? bucket - ${delayHops + 1} + ${buckets} : bucket - ${delayHops + 1}, s = ${bucketAt(ring, 'entering')}, sw = s * 2;
            ${moves.join(' ')} }`;
}

function emptyTrees({ features, buckets }: RingLayout): string {
  return features
    .flatMap((layout) => {
      const { tree: order } = codeOf(layout);
      const { tree } = layout;
      return order === null ? [] : [`f.fill(${NO_LEAF[order]}, b + ${tree}, b + ${tree + 2 * buckets});`];
    })
    .join(' ');
}

/** Takes a bucket's cells out of the window and clears it for the hop that moves in. */
function emitExpire(layout: FeatureLayout, ring: RingLayout, plan: Plan): string {
  const { expire, cleared } = codeOf(layout);
  return `${expire(placeOf(layout, ring, plan))} ${emitClear('s', layout.bucket!, cleared)}`;
}

function emitAdd(layout: FeatureLayout, ring: RingLayout, i: number, index: number, plan: Plan): string {
  const { addToBucket, addToWindow } = codeOf(layout);
  const place = placeOf(layout, ring, plan);
  const event = eventOf(index);
  const isIn = ring.delayHops === 0 ? '' : `if (hop${i} < head${i} - ${ring.delayHops})`;
  return `if (${event.adds}) { ${addToBucket(place.bucket, event)} ${isIn} { ${addToWindow(place, event)} } }`;
}

/** `head`: a variable that holds the hop of the entity's clock. */
export function emitRingServe(layout: FeatureLayout, ring: RingLayout, head: string, plan: Plan): string {
  return codeOf(layout).serve(placeOf(layout, ring, plan), head);
}
