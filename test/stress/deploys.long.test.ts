import { test } from 'vitest';
import { runStress } from './bit-exact.ts';

const seed = Number(process.env['TEST_SEED'] ?? 20261123);

test.each([2, 4])(
  'a million events, %i workers, ten versions, two crashes: SQL agrees with every feature that each version stored',
  async (workers) => {
    await runStress({
      seed: seed + workers,
      events: 1_050_000,
      skew: true,
      players: 12_000,
      hunts: 3000,
      devices: 1000,
      workers,
      crashes: 2,
      producers: 4,
      deploys: 10,
      eventsPerSecond: 15_000,
    });
  },
);
