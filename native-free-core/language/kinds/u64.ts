/** Kind u64: uint64 and fixed64. Two words a row, low and high. */

import { clearWords, storeWords } from './decoded.ts';
import { wideKey } from './key-of-value.ts';
import type { Kind } from './kind.ts';
import { noNames } from './named-numbers.ts';
import { readLow, wideKernel, writeWide } from './number-columns.ts';

export const u64: Kind = {
  type: 'int',
  storage: { form: 'words', high: 'u32' },
  isInterned: false,
  names: noNames,
  widensTo: [],
  clickhouse: {
    type: 'UInt64',
    types: ['UInt64'],
    isLowCardinality: false,
    plannedCodec: '',
    codec: 'CODEC(T64, LZ4)',
    native: { form: 'fixed' },
  },
  decode: { store: storeWords, clear: clearWords },
  key: wideKey([0n, 2n ** 64n - 1n]),
  kernel: wideKernel('u32'),
  sql: (_, name) => ({ sql: name, type: 'UInt64', bound: Infinity }),
  cells: {
    read: readLow,
    write: writeWide,
  },
};
