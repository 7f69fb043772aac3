/** Kernel, SQL and definition of every aggregate agree on 10,000 seeded sequences. */

import { afterAll, expect, test } from 'vitest';
import { openWarehouse } from '../../columns/warehouse.ts';
import { agreementOf } from './agreement.ts';

const SEQUENCES = 10_000;
const warehouse = openWarehouse();
afterAll(() => warehouse.close());

test('kernel, SQL and definition agree on 10,000 sequences: seed=10', () => {
  const { values, ...wrong } = agreementOf(warehouse, 10, SEQUENCES);
  process.stdout.write(`values compared: ${values}\n`);
  expect(wrong).toEqual({ unlikeDefinition: {}, unlikeSql: {} });
});
