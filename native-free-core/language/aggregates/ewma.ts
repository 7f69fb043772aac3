/**
 * `ewma`: a mean in which an event counts half as much so long after. Weights of hops are integers, so that both sums are
 * exact, and nobody calls exp().
 */

import { WORD } from '../../base/words.ts';
import type { FeaturePlan } from '../../plan/plan.ts';
import type { Aggregate } from './aggregate.ts';
import type { RingCode, RingPlace } from './kernel-part.ts';
import type { HopWindow } from './aggregate-options.ts';
import { valued } from './running-sums.ts';
import { emitServeValue, scaleOf } from './serve.ts';
import { doubleLiteralSql, bounded, roundedOnce } from './sql-value.ts';
import { frameOf, type Rows, type Step } from './sql-part.ts';
import { addSum, SUM_CELLS } from './sums.ts';
import { nearestOfWords } from './three-words.ts';
import { UNDELAYED_DURATIONS } from './windows.ts';

/** Weights have so many bits, so that weighted sums stay exact. */
const WEIGHT_ONE = 2 ** 20;
const HALF_LIFE_DEFAULT_MS = 60_000;

/** 2^(-age / half-life), by the hop that lies 0, 1, 2, … hops back. */
function weightsOf(declaredMs: number, { windowMs, hopMs }: HopWindow): number[] {
  const halfLifeMs = Math.max(1, declaredMs);
  const hops = hopMs === 0 ? 0 : windowMs / hopMs;
  return Array.from({ length: hops + 1 }, (_, age) => Math.round(WEIGHT_ONE * 2 ** (-(age * hopMs) / halfLifeMs)));
}

function weightsName({ column }: FeaturePlan): string {
  return `weights${column}`;
}

const ring: RingCode = {
  tree: null,
  inTotals: true,
  inBuckets: true,
  cleared: SUM_CELLS,
  addToBucket: (bucket, event) => `${addSum(bucket, event)} ${bucket.count}++;`,
  expire: () => '',
  enter: null,
  addToWindow: () => '',
  serve: emitWeighted,
};

/** Bucket by bucket, each with the weight of its age: two exact sums, one division. */
function emitWeighted({ feature, plan, bucket, buckets, bucketAt }: RingPlace, head: string): string {
  const [count, high, low] = [bucket.count, bucket.float('high'), bucket.float('low')];
  const value = `nearestOfWords(top, high, low) / (weight * ${scaleOf(feature)})`;
  return `{ let top = 0, high = 0, low = 0, weight = 0, bucket = ${head} - ${buckets} * Math.floor(${head} / ${buckets});
      for (let age = 0; age < ${buckets}; age++) {
        const s = ${bucketAt('bucket')}, sw = s * 2;
        if (${count} !== 0) {
          const by = ${weightsName(feature)}[age];
          const up = Math.floor(${high} / ${WORD});
          weight += by * ${count}; top += by * up; high += by * (${high} - up * ${WORD}); low += by * ${low};
          let over = Math.floor(low / ${WORD}); low -= over * ${WORD}; high += over;
          over = Math.floor(high / ${WORD}); high -= over * ${WORD}; top += over;
        }
        bucket = bucket === 0 ? ${buckets - 1} : bucket - 1;
      }
      if (weight !== 0) { ${emitServeValue(feature, value, plan, 1)} } }`;
}

/** Weights change with every head, so that a row stands at each head under which it is inside, with the weight there. */
function weighed({ keys, identity }: Rows, feature: FeaturePlan): Step[] {
  const over = `OVER (PARTITION BY ${keys}, life, at ORDER BY is_row, seq ${frameOf(feature)})`;
  const heads = `if(entered, arrayConcat([toInt64(-1)], range(if(direct, head + 1, greatest(enter, head + 1)), leave)), [toInt64(-1)])`;
  const weight = `[${(feature.weights ?? []).join(', ')}][at - place + 1]`;
  return [
    [
      'moved',
      `SELECT ${identity}, x, arrayJoin(${heads}) AS g, g = -1 AS is_row, if(is_row, head, g) AS at, ` +
        `toInt64(if(x IS NULL OR (is_row AND NOT direct), 0, ${weight})) AS weight FROM placed`,
    ],
    [
      'summed',
      `SELECT * FROM (SELECT ${identity}, is_row, sum(toInt128(weight)) ${over} AS events, ` +
        `sum(toInt128(weight) * ifNull(x, 0)) ${over} AS total FROM moved) WHERE is_row`,
    ],
    valued(identity, { value: weightedMean }, feature),
  ];
}

/** Weighted, a sum may need more than two words. */
function weightedMean(feature: FeaturePlan): string {
  const total = `if(total < 0, -1., 1.) * ${roundedOnce('toInt256(abs(total))')}`;
  return `if(events = 0, NULL, ${bounded(`${total} / (toFloat64(events) * ${doubleLiteralSql(scaleOf(feature))})`)})`;
}

export const ewma: Aggregate = {
  check: {
    input: { kind: 'number', times: false },
    result: 'number',
    windows: UNDELAYED_DURATIONS,
    options: {
      keys: {
        half_life: {
          shape: { kind: 'duration' },
          default: null,
          example: 'half_life: 10m',
          description: 'an event counts half as much so long after',
        },
      },
      parameters: ({ half_life: halfLifeMs = HALF_LIFE_DEFAULT_MS }, window) => ({
        weights: weightsOf(halfLifeMs, window),
      }),
    },
  },
  cells: { floats: () => SUM_CELLS, hasCount: true },
  kernel: {
    functions: { nearestOfWords },
    declaration: (feature) => `const ${weightsName(feature)} = Float64Array.of(${(feature.weights ?? []).join(', ')});`,
    set: null,
    ring: () => ring,
    plain: null,
  },
  sql: { life: null, window: weighed, session: null },
  text: { subject: () => 'ewma' },
  documentation: {
    input: 'a number; needs a window and `half_life`',
    value: 'the mean, by age',
    empty: 'absent',
    example: 'recent_amount: { agg: ewma, of: event.payment.amount, window: 1d, half_life: 2h }',
  },
};
