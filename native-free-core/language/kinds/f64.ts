/** Kind f64: double, features, scores, and computed numbers, integers among them. */

import { clearNumber, storeReal } from './decoded.ts';
import { doubleKey } from './key-of-value.ts';
import type { Kind } from './kind.ts';
import { noNames } from './named-numbers.ts';
import { COMPUTED_BOUND, doubleColumn, doubleSql, integerColumn } from './number-columns.ts';

export const f64: Kind = {
  type: 'double',
  storage: { form: 'narrow', array: 'f64' },
  isInterned: false,
  names: noNames,
  widensTo: [],
  clickhouse: {
    type: 'Float64',
    types: ['Float64'],
    isLowCardinality: false,
    plannedCodec: '',
    codec: '',
    native: { form: 'fixed' },
  },
  decode: { store: storeReal('f64'), clear: clearNumber('f64') },
  key: doubleKey('f64'),
  kernel: (array, asDouble) => {
    const value = `${array('f64')}[r]`;
    return asDouble ? doubleColumn(value) : integerColumn(value, COMPUTED_BOUND);
  },
  sql: (_, name, asDouble) =>
    asDouble ? doubleSql(name) : { sql: `toInt64(${name})`, type: 'narrow', bound: COMPUTED_BOUND },
  cells: {
    read: (column, r) => column.f64[r],
    write: (column, r, value) => void (column.f64[r] = value),
  },
};
