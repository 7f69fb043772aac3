/** The aggregates of the language: the table that every part of the engine asks, one entry and one file each. */

import type { FeaturePlan } from '../../plan/plan.ts';
import type { Aggregate } from './aggregate.ts';
import { avg } from './avg.ts';
import { count } from './count.ts';
import { countDistinct } from './count-distinct.ts';
import { ewma } from './ewma.ts';
import { first } from './first.ts';
import { last } from './last.ts';
import { max } from './max.ts';
import { min } from './min.ts';
import { AGGREGATE_NAMES, type AggregateName } from './aggregate-names.ts';
import type { Option } from './aggregate-options.ts';
import { mode } from './mode.ts';
import { previous } from './previous.ts';
import { quantile } from './quantile.ts';
import { rate } from './rate.ts';
import { stddevPop } from './stddev-pop.ts';
import { sum } from './sum.ts';
import { timeSinceLast } from './time-since-last.ts';

export interface AggregateOption extends Option {
  readonly aggregate: AggregateName;
}

export const AGGREGATES = {
  count,
  rate,
  sum,
  avg,
  min,
  max,
  first,
  last,
  previous,
  time_since_last: timeSinceLast,
  stddev_pop: stddevPop,
  count_distinct: countDistinct,
  ewma,
  quantile,
  mode,
} satisfies Record<AggregateName, Aggregate>;

/** In the order of the documentation. */
export function eachAggregate(): (readonly [AggregateName, Aggregate])[] {
  return AGGREGATE_NAMES.map((name) => [name, AGGREGATES[name]]);
}

/** Keys of a feature that only some aggregates take, with the names of those. */
export function aggregateOptions(): ReadonlyMap<string, readonly AggregateOption[]> {
  const options = new Map<string, AggregateOption[]>();
  for (const [aggregate, { check }] of eachAggregate()) {
    for (const [key, option] of Object.entries(check.options.keys))
      options.set(key, [...(options.get(key) ?? []), { ...option, aggregate }]);
  }
  return options;
}

export function aggregateOf({ aggregate }: Pick<FeaturePlan, 'aggregate'>): Aggregate {
  return AGGREGATES[aggregate];
}
