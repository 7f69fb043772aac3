/**
 * Kernel, SQL and definition agree for every aggregate; an aggregate that has another's kernel or another's SQL is found
 * out.
 */

import { afterAll, describe, expect, test } from 'vitest';
import { AGGREGATES } from '../../../native-free-core/language/aggregates/index.ts';
import type { Aggregate } from '../../../native-free-core/language/aggregates/aggregate.ts';
import { AGGREGATE_NAMES, type AggregateName } from '../../../native-free-core/language/aggregates/aggregate-names.ts';
import { openWarehouse } from '../../columns/warehouse.ts';
import { agreementOf, unlikeSql } from './agreement.ts';
import { planOf, store, unlikeDefinition } from './sequences.ts';

/** The long form runs 10,000. */
const SEQUENCES = 120;
const MUTANT_SEQUENCES = 25;
const warehouse = openWarehouse();
afterAll(() => warehouse.close());

test(`kernel, SQL and definition agree on ${SEQUENCES} sequences: seed=1`, () => {
  const { values, ...wrong } = agreementOf(warehouse, 1, SEQUENCES);
  expect(wrong).toEqual({ unlikeDefinition: {}, unlikeSql: {} });
  expect(values).toBeGreaterThan(SEQUENCES * 8 * AGGREGATE_NAMES.length);
});

describe('a mutant is found out', () => {
  /** The next in the table that reads its input in the same way. */
  const others = AGGREGATE_NAMES.map((name, i): [AggregateName, AggregateName] => {
    const kind = AGGREGATES[name].check.input.kind;
    const order = [...AGGREGATE_NAMES.slice(i + 1), ...AGGREGATE_NAMES.slice(0, i)];
    return [name, order.find((other) => AGGREGATES[other].check.input.kind === kind) ?? order[0]!];
  });

  test.each(others)('%s with the kernel of %s', (name, other) => {
    const plan = planOf([name]);
    const { kernel, cells } = AGGREGATES[other];
    const wrong = mutated(name, { kernel, cells }, () => {
      store(warehouse, plan, 2, MUTANT_SEQUENCES);
      return {
        ...Object.fromEntries(unlikeDefinition(warehouse, plan, MUTANT_SEQUENCES).wrong),
        ...unlikeSql(warehouse, plan),
      };
    });
    expect(wrong).not.toEqual({});
  });

  test.each(others)('%s with the SQL of %s', (name, other) => {
    const plan = planOf([name]);
    store(warehouse, plan, 2, MUTANT_SEQUENCES);
    expect(unlikeSql(warehouse, plan)).toEqual({});
    const wrong = mutated(name, { sql: AGGREGATES[other].sql }, () => unlikeSql(warehouse, plan));
    expect(wrong).not.toEqual({});
  });
});

/** What `run` gives while the aggregate has other parts; that it cannot be run at all is found out, too. */
function mutated(name: AggregateName, parts: Partial<Aggregate>, run: () => object): object {
  const table: Record<AggregateName, Aggregate> = AGGREGATES;
  const original = table[name];
  table[name] = { ...original, ...parts };
  try {
    return run();
  } catch (error) {
    return { refused: String(error) };
  } finally {
    table[name] = original;
  }
}
