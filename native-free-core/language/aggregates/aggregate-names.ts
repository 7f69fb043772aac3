/**
 * The names of the aggregates and of what their options become in a plan. Apart from the table in index.ts, since a plan
 * names aggregates and the table's parts read plans.
 */

/** In the order of the documentation. */
export const AGGREGATE_NAMES = [
  'count',
  'rate',
  'sum',
  'avg',
  'min',
  'max',
  'first',
  'last',
  'previous',
  'time_since_last',
  'stddev_pop',
  'count_distinct',
  'ewma',
  'quantile',
  'mode',
] as const;

export type AggregateName = (typeof AGGREGATE_NAMES)[number];

/** What a feature's plan has besides, by the aggregate's own options. */
export interface FeatureParameters {
  /** count_distinct: the largest count told apart. quantile, mode: how many of the latest inputs are looked at. */
  readonly cap?: number;
  /** ewma: integer weight of the hop that lies 0, 1, 2, … hops back; windowMs / hopMs + 1 of them. */
  readonly weights?: readonly number[];
  /** quantile: the share of inputs. */
  readonly q?: number;
}
