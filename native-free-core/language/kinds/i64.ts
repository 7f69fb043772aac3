/** Kind i64: int64, sint64 and sfixed64. Two words a row, low and high. */

import { clearWords, storeWords } from './decoded.ts';
import { INT64_RANGE, wideKey } from './key-of-value.ts';
import type { Kind } from './kind.ts';
import { noNames } from './named-numbers.ts';
import { readLow, wideKernel, writeWide } from './number-columns.ts';

export const i64: Kind = {
  type: 'int',
  storage: { form: 'words', high: 'i32' },
  isInterned: false,
  names: noNames,
  widensTo: [],
  clickhouse: {
    type: 'Int64',
    types: ['Int64'],
    isLowCardinality: false,
    plannedCodec: '',
    codec: 'CODEC(T64, LZ4)',
    native: { form: 'fixed' },
  },
  decode: { store: storeWords, clear: clearWords },
  key: wideKey(INT64_RANGE),
  kernel: wideKernel('i32'),
  sql: (_, name) => ({ sql: name, type: 'Int64', bound: Infinity }),
  cells: {
    read: readLow,
    write: writeWide,
  },
};
