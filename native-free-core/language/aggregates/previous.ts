/** `previous`: the input of the contributing event before this one, by seq. */

import type { Aggregate } from './aggregate.ts';
import { lookingBackKernel, lookingBackSql } from './looking-back.ts';
import { NO_OPTIONS } from './aggregate-options.ts';
import { scaleOf } from './serve.ts';
import { keptValue } from './sql-value.ts';
import { KEPT_INPUT, KEPT_INPUT_TEXT, TIMED_CELLS } from './timed.ts';
import { LOOKING_BACK } from './windows.ts';

export const previous: Aggregate = {
  check: { input: KEPT_INPUT, result: 'input', windows: LOOKING_BACK, options: NO_OPTIONS },
  cells: TIMED_CELLS,
  kernel: lookingBackKernel({
    valueOf: (cells) => cells.float('value'),
    scaleOf,
    keep: (cells, { x }) => `${cells.float('value')} = ${x}; `,
  }),
  sql: lookingBackSql((feature) => keptValue(feature, 'kept')),
  text: { subject: () => 'previous' },
  documentation: {
    input: KEPT_INPUT_TEXT,
    value: 'that of the event before this one, by `seq`',
    empty: 'absent',
    example: 'paid_before: { agg: previous, of: event.payment.amount, exact: false }',
  },
};
