/** What a caller may write for each type of a parameter, and what ClickHouse is given. */

import { expect, test } from 'vitest';
import { QUERY_TYPES, queryValue, queryValueExpected } from '../../native-free-core/plan/query-values.ts';

const INJECTIONS = [
  "1' OR '1'='1",
  '1; DROP TABLE events',
  '1)--',
  '{x:UInt8}',
  '\u0000',
  ' 1',
  '1 ',
  '١',
  '1e400',
  '',
];

test.each([
  ['Int8', ['-128', '127', '-0'], ['128', '-129', '1.0', '+1', '0x1']],
  ['UInt64', ['0', '18446744073709551615'], ['18446744073709551616', '-1']],
  ['Int64', ['-9223372036854775808'], ['9223372036854775808']],
  ['Float64', ['1', '-1.5', '.5', '1e10'], ['NaN', 'inf', '1e999', '0x10', '--1']],
  ['Bool', ['true', 'false'], ['1', 'TRUE', 'yes']],
  ['Date', ['2026-12-31', '2024-02-29'], ['2026-02-30', '2026-1-1', '31.12.2026']],
  ['DateTime', ['2026-12-31T23:59:59Z', '0'], ['2200-01-01T00:00:00Z', '2026-12-31', 'now()']],
  ['DateTime64(3)', ['2026-12-31T23:59:59.125+02:00', '1796093060937'], ['2026-12-31 23:59:59', '-1']],
])('%s', (type, taken, refused) => {
  for (const text of taken) expect(queryValue(type, text), text).not.toBeNull();
  for (const text of [...refused, ...INJECTIONS]) expect(queryValue(type, text), text).toBeNull();
});

test('times mean the same in every zone of a server', () => {
  expect(queryValue('DateTime64(3)', '2026-12-31T23:59:59.125+02:00')).toBe('1798754399.125');
  expect(queryValue('DateTime64(3)', '1796093060937')).toBe('1796093060.937');
  expect(queryValue('DateTime', '1970-01-02T00:00:00Z')).toBe('86400');
});

test('a text is any text within its bound', () => {
  for (const text of ["' OR 1=1 --", '', '\\', 'ü€'.repeat(10)]) expect(queryValue('String', text)).toBe(text);
  for (const text of ['x'.repeat(2001), 'a\u0000b']) expect(queryValue('String', text)).toBeNull();
});

test('every type says what it takes; names that objects inherit are no types', () => {
  for (const type of QUERY_TYPES) expect(queryValueExpected(type).length, type).toBeGreaterThan(5);
  for (const type of ['constructor', '__proto__', 'toString']) expect(queryValue(type, '1')).toBeNull();
});
