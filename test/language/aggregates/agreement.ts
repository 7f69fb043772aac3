/**
 * Kernel, SQL and definition of every aggregate over seeded sequences; how many is the only difference between the short
 * form and the long one.
 */

import { AGGREGATE_NAMES } from '../../../native-free-core/language/aggregates/aggregate-names.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { verifySql, type VerifyLine } from '../../../src/warehouse/twin/index.ts';
import type { TestWarehouse } from '../../columns/warehouse.ts';
import { planOf, store, unlikeDefinition } from './sequences.ts';

export interface Agreement {
  /** By feature: an example. */
  readonly unlikeDefinition: Readonly<Record<string, string>>;
  readonly unlikeSql: Readonly<Record<string, string>>;
  readonly values: number;
}

export function agreementOf(warehouse: TestWarehouse, seed: number, sequences: number): Agreement {
  const plan = planOf(AGGREGATE_NAMES);
  store(warehouse, plan, seed, sequences);
  const { wrong, values } = unlikeDefinition(warehouse, plan, sequences);
  return { unlikeDefinition: Object.fromEntries(wrong), unlikeSql: unlikeSql(warehouse, plan), values };
}

export function unlikeSql(warehouse: TestWarehouse, plan: Plan): Record<string, string> {
  const entity = plan.entities[0]!;
  return Object.fromEntries(
    entity.features.flatMap((feature) => {
      const [line] = warehouse.rows<VerifyLine>(verifySql(plan, entity, feature));
      const { rows, different, example_key: key, example_seq: seq, example_stored: a, example_recomputed: b } = line!;
      if (Number(rows) > 0 && Number(different) === 0) return [];
      return [[feature.name, `${different} of ${rows}: key ${key} seq ${seq}: served ${a}, recomputed ${b}`] as const];
    }),
  );
}
