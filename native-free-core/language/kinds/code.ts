/** Kind code: an index into the column's labels, a closed set: event types, actions, rules, arms. Stored by its label. */

import { clearNumber } from './decoded.ts';
import { narrowKey } from './key-of-value.ts';
import type { Kind } from './kind.ts';
import { numberOfName } from './named-numbers.ts';
import { INT32_BOUND, narrowKernel } from './number-columns.ts';
import type { ColumnPlan } from '../../plan/plan.ts';

const CODES_MAX = 65535;

export const code: Kind = {
  type: 'int',
  storage: { form: 'narrow', array: 'u16' },
  isInterned: false,
  names,
  widensTo: ['dictionary', 'string'],
  clickhouse: {
    type: 'String',
    types: ['LowCardinality(String)'],
    isLowCardinality: true,
    plannedCodec: '',
    codec: '',
    native: {
      form: 'lowCardinality',
      width: 2,
      signed: false,
      textOf:
        ({ labels }) =>
        (number) =>
          labels?.[number],
    },
  },
  // No field is stored as a code: the engine sets them.
  decode: { store: () => null, clear: clearNumber('u16') },
  key: narrowKey('u16', { form: 'label' }),
  kernel: narrowKernel('u16', CODES_MAX),
  sql: (plan, name) => ({ sql: numberOfName(names(plan), plan, name), type: 'narrow', bound: INT32_BOUND }),
  cells: {
    read: (column, r) => column.u16[r],
    write: (column, r, value) => void (column.u16[r] = value),
  },
};

function names({ labels = [] }: ColumnPlan): (readonly [number, string])[] {
  return labels.map((label, number) => [number, label]);
}
