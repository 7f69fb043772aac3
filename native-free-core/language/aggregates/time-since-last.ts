/**
 * `time_since_last`: how long ago the contributing event before this one was, in ms; on events that do not contribute, too.
 */

import type { Aggregate } from './aggregate.ts';
import { lookingBackKernel, lookingBackSql } from './looking-back.ts';
import { NO_OPTIONS } from './aggregate-options.ts';
import { LOOKING_BACK } from './windows.ts';

export const timeSinceLast: Aggregate = {
  check: { input: { kind: 'none' }, result: 'number', windows: LOOKING_BACK, options: NO_OPTIONS },
  cells: { floats: () => ['time'], hasCount: true },
  kernel: lookingBackKernel({
    valueOf: (cells, now) => `${now} - ${cells.float('time')}`,
    scaleOf: () => 1,
    keep: () => '',
  }),
  sql: lookingBackSql(() => 'toFloat64(t - kept_t)'),
  text: { subject: () => 'time_since_last' },
  documentation: {
    input: 'none',
    value: 'ms since the event before',
    empty: 'absent',
    example: "ms_since_failure: { agg: time_since_last, where: 'event.login.success == false' }",
  },
};
