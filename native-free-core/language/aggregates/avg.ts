/** `avg`: the exact sum by the number of events, in one division. */

import type { Aggregate } from './aggregate.ts';
import { addingSql, EVENTS_TOTAL, INPUT_TOTAL } from './running-sums.ts';
import { emitServeValue, scaleOf } from './serve.ts';
import { doubleLiteralSql, bounded, wideAsDouble } from './sql-value.ts';
import { NO_OPTIONS } from './aggregate-options.ts';
import { addingKernel, addSum, moveCount, moveSum, SUM_CELLS, sumOf } from './sums.ts';
import { EVERY_WINDOW } from './windows.ts';

export const avg: Aggregate = {
  check: { input: { kind: 'number', times: false }, result: 'number', windows: EVERY_WINDOW, options: NO_OPTIONS },
  cells: { floats: () => SUM_CELLS, hasCount: true },
  kernel: addingKernel({
    functions: {},
    add: (to, event) => `${addSum(to, event)} ${to.count}++;`,
    move: (sign, to, from) => `${moveSum(sign, to, from)} ${moveCount(sign, to, from)}`,
    cleared: SUM_CELLS,
    serve: (from, { feature, plan }) => {
      const mean = `${sumOf(from)} / (${from.count} * ${scaleOf(feature)})`;
      return `if (${from.count} !== 0) { ${emitServeValue(feature, mean, plan, 1)} }`;
    },
  }),
  sql: addingSql({
    totals: (over) => `${EVENTS_TOTAL(over)}, ${INPUT_TOTAL(over)}`,
    value: (feature) => {
      const mean = `${wideAsDouble('total')} / (toFloat64(events) * ${doubleLiteralSql(scaleOf(feature))})`;
      return `if(events = 0, NULL, ${bounded(mean)})`;
    },
  }),
  text: { subject: () => 'avg' },
  documentation: {
    input: 'a number',
    value: 'the mean',
    empty: 'absent',
    example: 'usual_amount: { agg: avg, of: event.payment.amount, window: 30d, current_event: exclude }',
  },
};
