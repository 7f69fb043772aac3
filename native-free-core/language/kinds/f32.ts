/** Kind f32: float. */

import { clearNumber, storeReal } from './decoded.ts';
import { doubleKey } from './key-of-value.ts';
import type { Kind } from './kind.ts';
import { noNames } from './named-numbers.ts';
import { doubleColumn, doubleSql } from './number-columns.ts';

export const f32: Kind = {
  type: 'double',
  storage: { form: 'narrow', array: 'f32' },
  isInterned: false,
  names: noNames,
  widensTo: [],
  clickhouse: {
    type: 'Float32',
    types: ['Float32'],
    isLowCardinality: false,
    plannedCodec: '',
    codec: '',
    native: { form: 'fixed' },
  },
  decode: { store: storeReal('f32'), clear: clearNumber('u32') },
  key: doubleKey('f32'),
  kernel: (array) => doubleColumn(`${array('f32')}[r]`),
  sql: (_, name) => doubleSql(`toFloat64(${name})`),
  cells: {
    read: (column, r) => column.f32[r],
    write: (column, r, value) => void (column.f32[r] = value),
  },
};
