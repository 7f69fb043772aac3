/**
 * `last`: the input of the latest event, by (effective_time, seq). The latest is the last to fall out of a window, so there
 * it needs no buckets, unless a delay holds events back.
 */

import type { Aggregate } from './aggregate.ts';
import { keepingSql } from './kept-extremes.ts';
import type { PlainCode } from './kernel-part.ts';
import { NO_OPTIONS } from './aggregate-options.ts';
import { andInside, served } from './plain.ts';
import { TREE_FUNCTIONS, treeOfTimes } from './ring-tree.ts';
import { emitServeValue } from './serve.ts';
import { KEPT_INPUT, KEPT_INPUT_TEXT, TIMED_CELLS, timedSet } from './timed.ts';
import { EVERY_WINDOW } from './windows.ts';

const set = timedSet('>=');
const ring = treeOfTimes('max', set.add);

const plain: PlainCode = {
  update: (cells, event, code) => {
    const [time, value] = [cells.float('time'), cells.float('value')];
    const { feature } = code;
    return served(
      feature,
      `if (${event.adds}${andInside(feature, 't')} && (${cells.count} === 0 || t >= ${time})) { ${time} = t; ${value} = ${event.x}; ${cells.count} = 1; }`,
      plain.read(cells, code),
    );
  },
  move: () => '',
  read: (cells, { feature, plan }) =>
    `if (${cells.count} !== 0${andInside(feature, cells.float('time'))}) { ${emitServeValue(feature, cells.float('value'), plan)} }`,
};

export const last: Aggregate = {
  check: { input: KEPT_INPUT, result: 'input', windows: EVERY_WINDOW, options: NO_OPTIONS },
  cells: TIMED_CELLS,
  kernel: {
    functions: TREE_FUNCTIONS,
    declaration: () => '',
    set,
    ring: ({ delayMs = 0 }) => (delayMs > 0 ? ring : null),
    plain,
  },
  sql: keepingSql({
    order: 'max',
    by: 'time',
    isNewest: ({ dayColumn, delayMs = 0 }) => dayColumn === undefined && delayMs === 0,
  }),
  text: { subject: () => 'last' },
  documentation: {
    input: KEPT_INPUT_TEXT,
    value: 'that of the latest event',
    empty: 'absent',
    example: 'last_country: { agg: last, of: event.country, window: 1d }',
  },
};
