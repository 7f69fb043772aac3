/** Kind enum: a protobuf enum's number, an open set. Stored by its name, or as decimal text where it has none. */

import type { ColumnPlan } from '../../plan/plan.ts';
import { clearNumber, storeSigned } from './decoded.ts';
import { narrowKey } from './key-of-value.ts';
import type { Kind } from './kind.ts';
import { numberOfName } from './named-numbers.ts';
import { INT32_BOUND, narrowKernel } from './number-columns.ts';

export const enumeration: Kind = {
  type: 'int',
  storage: { form: 'narrow', array: 'i32' },
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
      width: 4,
      signed: true,
      textOf: ({ enumNames }) => {
        const known = new Map(enumNames);
        return (number) => known.get(number) ?? String(number);
      },
    },
  },
  decode: { store: storeSigned, clear: clearNumber('u32') },
  key: narrowKey('i32', { form: 'label' }),
  kernel: narrowKernel('i32', INT32_BOUND),
  sql: (plan, name) => ({ sql: numberOfName(names(plan), plan, name), type: 'narrow', bound: INT32_BOUND }),
  cells: {
    read: (column, r) => column.i32[r],
    write: (column, r, value) => void (column.u32[r] = value),
  },
};

function names({ enumNames = [] }: ColumnPlan): readonly (readonly [number, string])[] {
  return enumNames;
}
