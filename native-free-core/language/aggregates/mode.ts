/** `mode`: the most frequent input; of several that are equally frequent, the one that came last, by seq. */

import type { Aggregate } from './aggregate.ts';
import { gatheredMode } from './kept-values.ts';
import { CAP, CAP_DEFAULT, LATEST_CELLS, latestKernel, latestSql } from './latest-inputs.ts';
import { NOT_DELAYED } from './windows.ts';

/** Of each input, how often it was there up to here. */
const NTHS = 'arrayEnumerateUniq(inside)';

export const mode: Aggregate = {
  check: {
    input: { kind: 'kept', asItCame: false },
    result: 'input',
    windows: NOT_DELAYED,
    options: { keys: { cap: CAP }, parameters: ({ cap = CAP_DEFAULT }) => ({ cap }) },
  },
  cells: LATEST_CELLS,
  kernel: latestKernel({ functions: { gatheredMode }, choose: (count) => `gatheredMode(${count})` }),
  // A value that is there n times comes for the n-th time where it comes last.
  sql: latestSql(() => `inside[length(inside) + 1 - indexOf(arrayReverse(${NTHS}), arrayMax(${NTHS}))]`),
  text: { subject: () => 'mode' },
  documentation: {
    input: 'a number, a time, a name of an enum, or a text with `dictionary: true`',
    value: 'the most frequent of the latest `cap` inputs that are in the window, of several the one that came last',
    empty: 'absent',
    example: 'usual_country: { agg: mode, of: event.country, window: 30d, cap: 100 }',
  },
};
