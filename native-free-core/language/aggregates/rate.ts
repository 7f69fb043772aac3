/** `rate`: events a second. */

import type { Aggregate } from './aggregate.ts';
import { addingSql, EVENTS_TOTAL } from './running-sums.ts';
import { emitServeValue } from './serve.ts';
import { doubleLiteralSql } from './sql-value.ts';
import { NO_OPTIONS } from './aggregate-options.ts';
import { addingKernel, moveCount } from './sums.ts';
import { DURATIONS } from './windows.ts';

export const rate: Aggregate = {
  check: { input: { kind: 'none' }, result: 'number', windows: DURATIONS, options: NO_OPTIONS },
  cells: { floats: () => [], hasCount: true },
  kernel: addingKernel({
    functions: {},
    add: (to) => `${to.count}++;`,
    move: moveCount,
    cleared: [],
    serve: (from, { feature, plan }) => emitServeValue(feature, from.count, plan, feature.windowMs / 1000),
  }),
  sql: addingSql({
    totals: EVENTS_TOTAL,
    value: ({ windowMs }) => `toFloat64(events) / ${doubleLiteralSql(windowMs / 1000)}`,
  }),
  text: { subject: () => 'rate' },
  documentation: {
    input: 'none; needs a window',
    value: 'events a second',
    empty: '0',
    example: `views_per_second: { agg: rate, where: "event.type == 'view'", window: 1m }`,
  },
};
