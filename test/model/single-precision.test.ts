/** exp and log of float32 as glibc gives them: values that it rounds away from the nearest, ends of the range. */

import { expect, test } from 'vitest';
import { expSingle, logSingle } from '../../native-free-core/model/single-precision.ts';
import { seeded } from '../random.ts';

test('ends of the range', () => {
  expect([0, -0, Infinity, -Infinity, NaN, 88.75, -104, -103.5].map(expSingle)).toEqual([
    1,
    1,
    Infinity,
    0,
    NaN,
    Infinity,
    0,
    2 ** -149,
  ]);
  expect([1, 0, -0, -1, Infinity, NaN].map(logSingle)).toEqual([0, -Infinity, -Infinity, NaN, Infinity, NaN]);
  expect(logSingle(2 ** -149)).toBe(Math.fround(-149 * Math.LN2));
});

test.each([
  ['expf', expSingle, -3.392015218734741, 0.03364081680774689],
  ['expf', expSingle, 4.102372169494629, 60.48359680175781],
  ['expf', expSingle, -7.5241498947143555, 0.0005398874636739492],
  ['expf', expSingle, -5.5817036628723145, 0.0037661439273506403],
  ['expf', expSingle, 88.72283172607422, 3.402798519021476e38],
  ['logf', logSingle, 0.9519926309585571, -0.04919798672199249],
  ['logf', logSingle, 1.0289901494979858, 0.028577882796525955],
  ['logf', logSingle, 1.4661082029342651, 0.38261139392852783],
  ['logf', logSingle, 1.014952540397644, 0.014841853640973568],
] as const)('%s of glibc, not always the nearest: %#', (_, ours, x, expected) => {
  expect(ours(x)).toBe(expected);
});

test('never more than the nearest float32 but one, and mostly the nearest', () => {
  const random = seeded(20261130);
  let apart = 0;
  const count = 50_000;
  for (let i = 0; i < count; i++) {
    const exponent = Math.fround((random() - 0.5) * 170);
    const number = Math.fround(2 ** ((random() - 0.5) * 250));
    for (const [ours, exact] of [
      [expSingle(exponent), Math.exp(exponent)],
      [logSingle(number), Math.log(number)],
    ] as const) {
      if (ours !== Math.fround(exact)) apart++;
      expect(Math.abs(ours - exact)).toBeLessThanOrEqual(2 ** -23 * Math.abs(exact));
    }
  }
  expect(apart).toBeGreaterThan(0);
  expect(apart).toBeLessThan(count / 100);
});
