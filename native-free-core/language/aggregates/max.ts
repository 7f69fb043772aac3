/** `max`: the largest input. */

import type { Aggregate } from './aggregate.ts';
import { EXTREME_CELLS, EXTREME_CHECK, extremeKernel, extremeSql } from './extremes.ts';

export const max: Aggregate = {
  check: EXTREME_CHECK,
  cells: EXTREME_CELLS,
  kernel: extremeKernel('max'),
  sql: extremeSql('max'),
  text: { subject: () => 'max' },
  documentation: {
    input: 'a number or a time',
    value: 'the largest',
    empty: 'absent',
    example: 'largest_of_visit: { agg: max, of: event.payment.amount, window: { session: 30m, late: 1h } }',
  },
};
