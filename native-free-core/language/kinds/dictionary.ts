/** Kind dictionary: a string of few distinct values, held as the id of its entry in the shared dictionary. */

import { clearNumber } from './decoded.ts';
import { narrowKey } from './key-of-value.ts';
import type { Kind } from './kind.ts';
import { noNames } from './named-numbers.ts';
import { narrowKernel, UINT32_BOUND } from './number-columns.ts';

export const dictionary: Kind = {
  type: 'string',
  storage: { form: 'narrow', array: 'u32' },
  isInterned: true,
  names: noNames,
  widensTo: ['string'],
  clickhouse: {
    type: 'String',
    types: ['LowCardinality(String)'],
    isLowCardinality: true,
    plannedCodec: '',
    codec: '',
    native: { form: 'lowCardinality', width: 4, signed: false, textOf: () => null },
  },
  decode: {
    store: ({ type, form, column, at }) =>
      form !== 'text'
        ? null
        : `r = internText(d${column}, dictionary, bytes, view, p, n, ${type === 'string'});
if (r < 0) return r;
c${column}_u32[${at}] = r; p = (p + n) | 0;`,
    clear: clearNumber('u32'),
  },
  key: narrowKey('u32', { form: 'label' }),
  kernel: narrowKernel('u32', UINT32_BOUND),
  sql: null,
  cells: {
    read: (column, r) => column.u32[r],
    write: (column, r, value) => void (column.u32[r] = value),
  },
};
