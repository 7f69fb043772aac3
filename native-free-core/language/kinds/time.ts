/** Kind time: milliseconds UTC, laid out as an i64. */

import { clearWords, storeWords } from './decoded.ts';
import { INT64_RANGE, wideKey } from './key-of-value.ts';
import type { Kind } from './kind.ts';
import { noNames } from './named-numbers.ts';
import { readLow, wideKernel, writeWide } from './number-columns.ts';

export const time: Kind = {
  type: 'time',
  storage: { form: 'words', high: 'i32' },
  isInterned: false,
  names: noNames,
  widensTo: [],
  clickhouse: {
    type: "DateTime64(3, 'UTC')",
    types: ["DateTime64(3, 'UTC')"],
    isLowCardinality: false,
    // Neighbouring times lie close together: their differences compress where they do not. LZ4: inserting must stay cheap.
    plannedCodec: 'CODEC(Delta(8), LZ4)',
    codec: 'CODEC(T64, LZ4)',
    native: { form: 'fixed' },
  },
  decode: { store: storeWords, clear: clearWords },
  key: wideKey(INT64_RANGE),
  kernel: wideKernel('i32'),
  sql: (_, name) => ({ sql: `toUnixTimestamp64Milli(${name})`, type: 'Int64', bound: Infinity }),
  cells: {
    read: readLow,
    write: writeWide,
  },
};
