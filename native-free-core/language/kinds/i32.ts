/** Kind i32: int32, sint32 and sfixed32, days. */

import { clearNumber, storeSigned } from './decoded.ts';
import { INT32_RANGE, narrowKey } from './key-of-value.ts';
import type { Kind } from './kind.ts';
import { noNames } from './named-numbers.ts';
import { INT32_BOUND, narrowKernel, narrowSql } from './number-columns.ts';

export const i32: Kind = {
  type: 'int',
  storage: { form: 'narrow', array: 'i32' },
  isInterned: false,
  names: noNames,
  widensTo: ['i64', 'f64'],
  clickhouse: {
    type: 'Int32',
    types: ['Int32'],
    isLowCardinality: false,
    plannedCodec: '',
    codec: 'CODEC(T64, LZ4)',
    native: { form: 'fixed' },
  },
  decode: { store: storeSigned, clear: clearNumber('u32') },
  key: narrowKey('i32', { form: 'integer', range: INT32_RANGE, takesWords: false }),
  kernel: narrowKernel('i32', INT32_BOUND),
  sql: narrowSql(INT32_BOUND),
  cells: {
    read: (column, r) => column.i32[r],
    write: (column, r, value) => void (column.u32[r] = value),
  },
};
