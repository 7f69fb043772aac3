/** Kind u32: uint32 and fixed32, counts. */

import { clearNumber, storeNumber } from './decoded.ts';
import { narrowKey } from './key-of-value.ts';
import type { Kind } from './kind.ts';
import { noNames } from './named-numbers.ts';
import { narrowKernel, narrowSql, UINT32_BOUND } from './number-columns.ts';

export const u32: Kind = {
  type: 'int',
  storage: { form: 'narrow', array: 'u32' },
  isInterned: false,
  names: noNames,
  widensTo: ['u64', 'i64', 'f64'],
  clickhouse: {
    type: 'UInt32',
    types: ['UInt32'],
    isLowCardinality: false,
    plannedCodec: '',
    codec: 'CODEC(T64, LZ4)',
    native: { form: 'fixed' },
  },
  decode: { store: storeNumber('u32', ['uint32', 'fixed32']), clear: clearNumber('u32') },
  key: narrowKey('u32', { form: 'integer', range: [0n, 2n ** 32n - 1n], takesWords: false }),
  kernel: narrowKernel('u32', UINT32_BOUND),
  sql: narrowSql(UINT32_BOUND),
  cells: {
    read: (column, r) => column.u32[r],
    write: (column, r, value) => void (column.u32[r] = value),
  },
};
