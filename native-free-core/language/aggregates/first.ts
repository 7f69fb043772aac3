/** `first`: the input of the earliest event, by (effective_time, seq). */

import type { Aggregate } from './aggregate.ts';
import { keepingSql } from './kept-extremes.ts';
import { NO_OPTIONS } from './aggregate-options.ts';
import { plainSet } from './plain.ts';
import { TREE_FUNCTIONS, treeOfTimes } from './ring-tree.ts';
import { KEPT_INPUT, KEPT_INPUT_TEXT, TIMED_CELLS, timedSet } from './timed.ts';
import { EVERY_WINDOW } from './windows.ts';

const set = timedSet('<');
const ring = treeOfTimes('min', set.add);

export const first: Aggregate = {
  check: { input: KEPT_INPUT, result: 'input', windows: EVERY_WINDOW, options: NO_OPTIONS },
  cells: TIMED_CELLS,
  kernel: { functions: TREE_FUNCTIONS, declaration: () => '', set, ring: () => ring, plain: plainSet(set) },
  sql: keepingSql({ order: 'min', by: 'time', isNewest: () => false }),
  text: { subject: () => 'first' },
  documentation: {
    input: KEPT_INPUT_TEXT,
    value: 'that of the earliest event',
    empty: 'absent',
    example: 'home: { agg: first, of: event.country }',
  },
};
