/** `sum`: the exact sum, divided once by the scale. Nothing in the window is a sum of 0, so it counts no events. */

import type { Aggregate } from './aggregate.ts';
import { addingSql, INPUT_TOTAL } from './running-sums.ts';
import { emitServeValue, scaleOf } from './serve.ts';
import { bounded, divided, wideAsDouble } from './sql-value.ts';
import { NO_OPTIONS } from './aggregate-options.ts';
import { addingKernel, addSum, moveSum, SUM_CELLS, sumOf } from './sums.ts';
import { EVERY_WINDOW } from './windows.ts';

export const sum: Aggregate = {
  check: { input: { kind: 'number', times: false }, result: 'number', windows: EVERY_WINDOW, options: NO_OPTIONS },
  cells: { floats: () => SUM_CELLS, hasCount: false },
  kernel: addingKernel({
    functions: {},
    add: addSum,
    move: moveSum,
    cleared: SUM_CELLS,
    serve: (from, { feature, plan }) => emitServeValue(feature, sumOf(from), plan),
  }),
  sql: addingSql({
    totals: INPUT_TOTAL,
    value: (feature) => bounded(divided(wideAsDouble('total'), scaleOf(feature))),
  }),
  text: { subject: () => 'sum' },
  documentation: {
    input: 'a number',
    value: 'the exact sum',
    empty: '0',
    example: 'spent_last_week: { agg: sum, of: event.payment.amount, window: 7d, hop: 6h, delay: 1d }',
  },
};
