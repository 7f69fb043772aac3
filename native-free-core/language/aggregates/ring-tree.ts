/**
 * A window's extreme as the root of a tree over its buckets (tree.ts): of values for min and max, of times for first and
 * last.
 */

import type { EventCode, RingCode, RingPlace } from './kernel-part.ts';
import { emitServeValue } from './serve.ts';
import { dropMax, dropMin, lowerLeaf, raiseLeaf } from './tree.ts';

export type Order = 'min' | 'max';

export const TREE_FUNCTIONS = { raiseLeaf, lowerLeaf, dropMax, dropMin };
const GROW: Readonly<Record<Order, string>> = { min: 'lowerLeaf', max: 'raiseLeaf' };
const DROP: Readonly<Record<Order, string>> = { min: 'dropMin', max: 'dropMax' };
/** Of a tree with nothing in it. */
export const NO_LEAF: Readonly<Record<Order, string>> = { min: 'Infinity', max: '-Infinity' };

/** The extreme value itself; buckets keep theirs only where a delay holds them back. */
export function treeOfValues(order: Order, isDelayed: boolean, add: RingCode['addToBucket']): RingCode {
  return {
    ...treeRing(order, 'value', ({ x }) => x),
    inBuckets: isDelayed,
    addToBucket: (bucket, event) => (isDelayed ? add(bucket, event) : ''),
    serve: (place) => {
      const root = rootOf(place);
      return `if (${root} !== ${NO_LEAF[order]}) { ${emitServeValue(place.feature, root, place.plan)} }`;
    },
  };
}

/** The value of the bucket that holds the extreme time. */
export function treeOfTimes(order: Order, add: RingCode['addToBucket']): RingCode {
  return {
    ...treeRing(order, 'time', () => 't'),
    inBuckets: true,
    addToBucket: add,
    serve: (place) => {
      const { buckets, hopMs, bucket, bucketAt, feature, plan } = place;
      const root = rootOf(place);
      return `if (${root} !== ${NO_LEAF[order]}) { const hop = Math.floor(${root} / ${hopMs}), s = ${bucketAt(`(hop - ${buckets} * Math.floor(hop / ${buckets}))`)};
      ${emitServeValue(feature, bucket.float('value'), plan)} }`;
    },
  };
}

/** `cell`: of a bucket, its leaf; `leafOf`: of an event. */
function treeRing(
  order: Order,
  cell: 'value' | 'time',
  leafOf: (event: EventCode) => string,
): Omit<RingCode, 'inBuckets' | 'addToBucket' | 'serve'> {
  const grow = (place: RingPlace, bucket: string, leaf: string): string =>
    `${GROW[order]}(f, b + ${place.tree}, ${place.buckets}, ${bucket}, ${leaf});`;
  return {
    tree: order,
    inTotals: false,
    cleared: [],
    expire: ({ tree, buckets }) => `${DROP[order]}(f, b + ${tree}, ${buckets}, bucket);`,
    enter: (place) => `if (${place.bucket.count} !== 0) ${grow(place, 'entering', place.bucket.float(cell))}`,
    addToWindow: (place, event) => grow(place, 'bucket', leafOf(event)),
  };
}

function rootOf({ tree }: RingPlace): string {
  return `f[b + ${tree + 1}]`;
}
