/** Texts of CSV files as values of the fields' types. */

import { expect, test } from 'vitest';
import type { FieldPlan } from '../../native-free-core/plan/plan.ts';
import { converterOf } from '../../native-free-core/mapping/field-value.ts';

function convert(type: FieldPlan['type'], text: string, repeated = false): unknown {
  return converterOf({ number: 1, name: 'f', jsonName: 'f', type, repeated, column: 0, branch: -1, oneof: -1 })(text);
}

test.each<[FieldPlan['type'], string, unknown]>([
  ['int32', '7', 7],
  ['int32', ' -7 ', -7],
  ['uint64', '17850.0', 17850],
  ['uint64', '18446744073709551615', '18446744073709551615'],
  ['int64', '+9007199254740993', '9007199254740993'],
  ['int32', '7.5', '7.5'],
  ['int32', 'seven', 'seven'],
  ['enum', 'SPADE', 'SPADE'],
  ['enum', '2', 2],
  ['double', '2.55', 2.55],
  ['double', '1e3', 1000],
  ['double', '.5', 0.5],
  ['double', '2,55', '2,55'],
  ['float', 'NaN', 'NaN'],
  ['bool', 'True', true],
  ['bool', '0', false],
  ['bool', 'maybe', 'maybe'],
  ['string', '007', '007'],
  ['bytes', 'AQI=', 'AQI='],
  ['timestamp', '2010-12-01 08:26:00', '2010-12-01T08:26:00Z'],
  ['timestamp', '2010-12-01T08:26', '2010-12-01T08:26:00Z'],
  ['timestamp', '2010-12-01', '2010-12-01T00:00:00Z'],
  ['timestamp', '2010-12-01 08:26:00.123456 +0200', '2010-12-01T08:26:00.123456+02:00'],
  ['timestamp', '2010-12-01 08:26:00 UTC', '2010-12-01T08:26:00Z'],
  ['timestamp', '12/1/2010 8:26', '12/1/2010 8:26'],
  ['map', '{"a":1}', { a: 1 }],
  ['message', 'x', 'x'],
])('%s: %s', (type, text, value) => {
  expect(convert(type, text)).toEqual(value);
});

test('lists', () => {
  expect(convert('int32', '[1,"2",3.0]', true)).toEqual([1, 2, 3]);
  expect(convert('int32', '5', true)).toEqual([5]);
  expect(convert('string', '[a', true)).toBe('[a');
});
