/** `min`: the smallest input. */

import type { Aggregate } from './aggregate.ts';
import { EXTREME_CELLS, EXTREME_CHECK, extremeKernel, extremeSql } from './extremes.ts';

export const min: Aggregate = {
  check: EXTREME_CHECK,
  cells: EXTREME_CELLS,
  kernel: extremeKernel('min'),
  sql: extremeSql('min'),
  text: { subject: () => 'min' },
  documentation: {
    input: 'a number or a time',
    value: 'the smallest',
    empty: 'absent',
    example: 'smallest_today: { agg: min, of: event.payment.amount, window: { calendar: day, zone: Europe/Berlin } }',
  },
};
