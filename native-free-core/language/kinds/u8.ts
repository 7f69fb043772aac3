/** Kind u8: a bool, or a number that a bool has widened to. One byte a row. */

import { clearNumber, storeNumber } from './decoded.ts';
import { narrowKey } from './key-of-value.ts';
import type { Kind } from './kind.ts';
import { noNames } from './named-numbers.ts';
import { narrowKernel, narrowSql } from './number-columns.ts';

const BOUND = 255;

export const u8: Kind = {
  type: 'int',
  storage: { form: 'narrow', array: 'u8' },
  isInterned: false,
  names: noNames,
  widensTo: ['u32', 'u64', 'i32', 'i64', 'f64'],
  clickhouse: {
    type: 'UInt8',
    types: ['Bool', 'UInt8'],
    isLowCardinality: false,
    plannedCodec: '',
    codec: '',
    native: { form: 'fixed' },
  },
  decode: { store: storeNumber('u8', ['bool']), clear: clearNumber('u8') },
  key: narrowKey('u8', { form: 'integer', range: [0n, 1n], takesWords: true }),
  kernel: narrowKernel('u8', BOUND),
  sql: narrowSql(BOUND),
  cells: {
    read: (column, r) => column.u8[r],
    write: (column, r, value) => void (column.u8[r] = value),
  },
};
