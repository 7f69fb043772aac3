/** `count`: how many events contribute. */

import type { Aggregate } from './aggregate.ts';
import { addingSql, EVENTS_TOTAL } from './running-sums.ts';
import { emitPresent } from './serve.ts';
import { NO_OPTIONS } from './aggregate-options.ts';
import { addingKernel, moveCount } from './sums.ts';
import { EVERY_WINDOW } from './windows.ts';

export const count: Aggregate = {
  check: { input: { kind: 'none' }, result: 'count', windows: EVERY_WINDOW, options: NO_OPTIONS },
  cells: { floats: () => [], hasCount: true },
  kernel: addingKernel({
    functions: {},
    add: (to) => `${to.count}++;`,
    move: moveCount,
    cleared: [],
    serve: (from, { feature, plan }) => `${emitPresent(feature, plan)} c${feature.column}_u32[r] = ${from.count};`,
  }),
  sql: addingSql({ totals: EVENTS_TOTAL, value: () => 'toUInt32(events)' }),
  text: { subject: () => 'count' },
  documentation: {
    input: 'none',
    value: 'events',
    empty: '0',
    example: "failures: { agg: count, where: 'event.login.success == false', windows: [1m, 10m] }",
  },
};
