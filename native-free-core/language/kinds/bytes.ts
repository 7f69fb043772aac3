/** Kind bytes: bytes of the column's heap; stored as String. */

import { clearTextCode, storeText } from './decoded.ts';
import { TEXT_KEY } from './key-of-value.ts';
import type { Kind } from './kind.ts';
import { noNames } from './named-numbers.ts';

export const bytes: Kind = {
  type: 'bytes',
  storage: { form: 'heap' },
  isInterned: false,
  names: noNames,
  widensTo: [],
  clickhouse: {
    type: 'String',
    types: ['String'],
    isLowCardinality: false,
    plannedCodec: '',
    codec: '',
    native: { form: 'text' },
  },
  decode: { store: storeText, clear: clearTextCode },
  key: TEXT_KEY,
  kernel: null,
  sql: null,
  cells: null,
};
