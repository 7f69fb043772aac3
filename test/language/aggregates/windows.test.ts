/** A window for which an aggregate has no cells, code or SQL never gets past its check. */

import { describe, expect, test } from 'vitest';
import { eachAggregate } from '../../../native-free-core/language/aggregates/index.ts';
import type { FeaturePlan } from '../../../native-free-core/plan/plan.ts';

const FEATURE: FeaturePlan = {
  name: 'one',
  column: 0,
  aggregate: 'count',
  of: null,
  where: null,
  windowMs: 60_000,
  hopMs: 1000,
  decimals: 0,
};

describe.each(eachAggregate())('%s', (_, { check, kernel, sql }) => {
  test('a day and a session need sets of cells, a session its SQL', () => {
    if (check.windows.day === null) expect(kernel.set).not.toBe(null);
    if (check.windows.session === null) expect([kernel.set, sql.session]).not.toContain(null);
  });

  test('the whole life needs code without a ring', () => {
    if (check.windows.life === null) expect([kernel.plain, sql.life]).not.toContain(null);
  });

  test('a window of a duration has a ring, or code without one', () => {
    for (const delayMs of check.windows.delay === null ? [0, 5000] : [0])
      expect(kernel.ring({ ...FEATURE, delayMs }) ?? kernel.plain).not.toBe(null);
  });

  test('a delay needs a ring whose buckets enter the window later', () => {
    const ring = kernel.ring({ ...FEATURE, delayMs: 5000 });
    expect(check.windows.delay === null).toBe(ring !== null && ring.enter !== null);
  });
});
