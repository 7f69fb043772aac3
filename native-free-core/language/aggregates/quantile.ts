/**
 * `quantile`: the smallest input that at least the share `q` of the inputs do not exceed: of n inputs in their order, the
 * one at ceil(q * n). It is one of the inputs, so nothing is rounded. q has four digits at most, so that the rank is an
 * integer on both sides.
 */

import type { FeatureParameters } from './aggregate-names.ts';
import type { Aggregate } from './aggregate.ts';
import { gatheredAt } from './kept-values.ts';
import { CAP, CAP_DEFAULT, LATEST_CELLS, latestKernel, latestSql } from './latest-inputs.ts';
import { NOT_DELAYED } from './windows.ts';

const DIGITS = 4;
const WHOLE = 10 ** DIGITS;
const MEDIAN = 0.5;

function shareOf({ q = MEDIAN }: FeatureParameters): number {
  return Math.round(q * WHOLE);
}

export const quantile: Aggregate = {
  check: {
    input: { kind: 'number', times: true },
    result: 'number',
    windows: NOT_DELAYED,
    options: {
      keys: {
        q: {
          shape: { kind: 'fraction', digits: DIGITS },
          default: null,
          example: 'q: 0.95',
          description: `the share of inputs that it is not below, from 0 to 1 with at most ${DIGITS} digits behind the point; 0.5 is the median`,
        },
        cap: CAP,
      },
      parameters: ({ q = MEDIAN, cap = CAP_DEFAULT }) => ({ cap, q }),
    },
  },
  cells: LATEST_CELLS,
  kernel: latestKernel({
    functions: { gatheredAt },
    choose: (count, feature) =>
      `gatheredAt(${count}, Math.max(0, Math.ceil((${count} * ${shareOf(feature)}) / ${WHOLE}) - 1))`,
  }),
  sql: latestSql(
    (feature) =>
      `arraySort(inside)[greatest(1, intDiv(length(inside) * ${shareOf(feature)} + ${WHOLE - 1}, ${WHOLE}))]`,
  ),
  text: { subject: (parameters) => `quantile ${shareOf(parameters) / WHOLE}` },
  documentation: {
    input: 'a number or a time; needs `q`',
    value: 'of the latest `cap` inputs that are in the window, in their order, the one at `ceil(q * n)`',
    empty: 'absent',
    example: 'amount_p95: { agg: quantile, of: event.payment.amount, q: 0.95, window: 1d, cap: 500 }',
  },
};
