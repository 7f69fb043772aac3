/**
 * Emits the update of one ring of hop buckets: let fall what the clock has passed, then add the event to its bucket and
 * to the totals. The window of an event holds the hops from head - buckets + 1 to head. Called by kernel.ts.
 *
 * Variables of the emitted code: f, w row and table views; b, bw the row's first f64 and Int32 index; t, clock, before,
 * fresh as in kernel.ts; per ring i: head<i>, in<i> (the event lies inside), s<i> (its bucket, f64 index).
 */

import type { Plan } from '../layout/plan.ts';
import type { Cells, FeatureLayout, RingLayout } from './record-layout.ts';
import { emitServe } from './emit-serve.ts';

type IndexOf = (feature: FeatureLayout) => number;

export function emitRing(ring: RingLayout, i: number, indexOf: IndexOf): string {
  const { buckets, hopMs, at, bucketSlots } = ring;
  return `const head${i} = Math.floor(clock / ${hopMs});
    if (!fresh && clock !== before) {
      const last = Math.floor(before / ${hopMs});
      if (head${i} !== last) {
        let n = head${i} - last;
        if (n > ${buckets}) n = ${buckets};
        const first = head${i} - n + 1;
        let bucket = first - ${buckets} * Math.floor(first / ${buckets});
        ${staleFlags(ring)}
        for (; n > 0; n--) {
          const s = b + ${at} + bucket * ${bucketSlots}, sw = s * 2;
          ${ring.features.map((feature) => emitExpire(feature)).join('\n          ')}
          bucket = bucket + 1 === ${buckets} ? 0 : bucket + 1;
        }
        ${ring.features.map((feature) => emitRescan(feature, ring)).join('\n        ')}
      }
    }
    const hop${i} = t === clock ? head${i} : Math.floor(t / ${hopMs});
    if (hop${i} >= head${i} - ${buckets - 1}) {
      const s = b + ${at} + (hop${i} - ${buckets} * Math.floor(hop${i} / ${buckets})) * ${bucketSlots}, sw = s * 2;
      ${ring.features.map((feature) => emitAdd(feature, indexOf(feature))).join('\n      ')}
    }`;
}

function extremes(ring: RingLayout): FeatureLayout[] {
  return ring.features.filter(({ feature }) => feature.aggregate === 'min' || feature.aggregate === 'max');
}

function staleFlags(ring: RingLayout): string {
  return extremes(ring)
    .map(({ totals }) => `let stale${totals.count} = false;`)
    .join(' ');
}

/** Takes a bucket's cells off the totals and clears it for the hop that moves in. */
function emitExpire({ feature, totals, bucket }: FeatureLayout): string {
  if (bucket === null) return '';
  const countT = `w[bw + ${totals.count}]`;
  const countB = `w[sw + ${bucket.count}]`;
  switch (feature.aggregate) {
    case 'count':
      return `${countT} -= ${countB}; ${countB} = 0;`;
    case 'sum':
      return emitSumExpire(totals, bucket);
    case 'avg':
      return `${emitSumExpire(totals, bucket)} ${countT} -= ${countB}; ${countB} = 0;`;
    default: {
      const value = `f[s + ${bucket.floats['value']}]`;
      return `if (${countB} !== 0) { ${countT} -= ${countB}; ${countB} = 0;
            if (${value} === f[b + ${totals.floats['value']}]) stale${totals.count} = true; }`;
    }
  }
}

function emitSumExpire(totals: Cells, bucket: Cells): string {
  const high = `f[b + ${totals.floats['high']}]`;
  const low = `f[b + ${totals.floats['low']}]`;
  const bucketHigh = `f[s + ${bucket.floats['high']}]`;
  const bucketLow = `f[s + ${bucket.floats['low']}]`;
  return `${high} -= ${bucketHigh}; ${low} -= ${bucketLow}; if (${low} < 0) { ${low} += 4294967296; ${high} -= 1; } ${bucketHigh} = 0; ${bucketLow} = 0;`;
}

/** The extreme itself fell out: find the next among the buckets that are left. */
function emitRescan({ feature, totals, bucket }: FeatureLayout, ring: RingLayout): string {
  if (bucket === null || (feature.aggregate !== 'min' && feature.aggregate !== 'max')) return '';
  const better = feature.aggregate === 'min' ? '<' : '>';
  const value = bucket.floats['value'];
  return `if (stale${totals.count} && w[bw + ${totals.count}] !== 0) {
          let best = ${feature.aggregate === 'min' ? 'Infinity' : '-Infinity'};
          for (let s = b + ${ring.at}, end = s + ${ring.buckets * ring.bucketSlots}; s < end; s += ${ring.bucketSlots}) {
            if (w[s * 2 + ${bucket.count}] !== 0 && f[s + ${value}] ${better} best) best = f[s + ${value}];
          }
          f[b + ${totals.floats['value']}] = best;
        }`;
}

function emitAdd({ feature, totals, bucket }: FeatureLayout, i: number): string {
  if (bucket === null) return '';
  const cells: [string, Cells][] = [
    ['b', totals],
    ['s', bucket],
  ];
  return `if (add${i}) { ${cells.map(([base, cell]) => emitAddTo(feature.aggregate, base, cell, i)).join(' ')} }`;
}

/** Adds x<i> to the cells at `base` ('b': the row's totals, 's': a bucket). Also used for features without a window. */
export function emitAddTo(aggregate: string, base: string, cells: Cells, i: number): string {
  const count = `w[${base}w + ${cells.count}]`;
  const high = `f[${base} + ${cells.floats['high']}]`;
  const low = `f[${base} + ${cells.floats['low']}]`;
  const value = `f[${base} + ${cells.floats['value']}]`;
  const sum = `const h${base} = Math.floor(x${i} / 4294967296); ${high} += h${base}; ${low} += x${i} - h${base} * 4294967296;
        if (${low} >= 4294967296) { ${low} -= 4294967296; ${high} += 1; }`;
  switch (aggregate) {
    case 'count':
      return `${count}++;`;
    case 'sum':
      return sum;
    case 'avg':
      return `${sum} ${count}++;`;
    default:
      return `if (${count} === 0 || x${i} ${aggregate === 'min' ? '<' : '>'} ${value}) ${value} = x${i}; ${count}++;`;
  }
}

export function emitRingRead(ring: RingLayout, plan: Plan): string {
  return ring.features.map(({ feature, totals }) => emitServe(feature, totals, plan)).join('\n    ');
}
