/** Every feature of the twin against what the real core stored, row by row, doubles by their bits. */

import { afterAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { verifySql, type VerifyLine } from '../../../src/warehouse/twin/index.ts';
import { openWarehouse } from '../../columns/warehouse.ts';
import { storeFrames } from './core-world.ts';
import { FEATURES, planFrom, randomFrames } from './random-steps.ts';

describe('features', () => {
  const warehouse = openWarehouse();
  afterAll(() => warehouse.close());

  test('every aggregate, late and early rows, lives and absent keys, seed=1', () => {
    const plan = planFrom(FEATURES);
    storeFrames(warehouse, plan, randomFrames(1, 20_000, 40));
    const [stored] = warehouse.rows<{ n: number; lives: number }>(
      'SELECT toUInt32(count()) AS n, toUInt32(uniqExact((player, player_life)) - uniqExact(player)) AS lives FROM events',
    );
    expect(stored!.n).toBeGreaterThan(19_000);
    expect(stored!.lives).toBeGreaterThan(0);
    expect(differences(plan)).toEqual([]);
  });

  function differences(plan: Plan): object[] {
    return plan.entities.flatMap((entity) =>
      entity.features.flatMap((feature) => {
        const [line] = warehouse.rows<VerifyLine>(verifySql(plan, entity, feature));
        expect(Number(line!.rows)).toBeGreaterThan(0);
        return Number(line!.different) === 0 ? [] : [{ feature: `${entity.name}.${feature.name}`, ...line! }];
      }),
    );
  }
});
