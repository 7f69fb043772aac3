/** What first and last share: one value and the time that chose it, of equal times by seq. */

import type { CellsPart, Input } from './aggregate.ts';
import { serveKept } from './extremes.ts';
import type { SimpleSet } from './kernel-part.ts';

export const KEPT_INPUT: Input = { kind: 'kept', asItCame: true };
export const KEPT_INPUT_TEXT = 'a number, a time, a name of an enum, or a text with `dictionary: true`';
export const TIMED_CELLS: CellsPart = { floats: () => ['time', 'value'], hasCount: true };

/** `later`: how a time compares that takes the place of the one that is kept. */
export function timedSet(later: '<' | '>='): SimpleSet {
  return {
    add: (to, { x }) => {
      const [time, value] = [to.float('time'), to.float('value')];
      return `if (${to.count} === 0 || t ${later} ${time}) { ${time} = t; ${value} = ${x}; ${to.count} = 1; }`;
    },
    merge: (to, from) => {
      const [time, other] = [to.float('time'), from.float('time')];
      return `if (${from.count} !== 0 && (${to.count} === 0 || ${other} ${later} ${time})) { ${to.float('value')} = ${from.float('value')}; ${time} = ${other}; ${to.count} = 1; }`;
    },
    cleared: [],
    serve: serveKept,
  };
}
