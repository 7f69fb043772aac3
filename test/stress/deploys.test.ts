import { test } from 'vitest';
import { patient } from '../patience.ts';
import { runStress } from './bit-exact.ts';

const seed = Number(process.env['TEST_SEED'] ?? 20261123);

test(
  '30,000 events, two workers, four versions, a crash: SQL agrees with every feature that each version stored',
  { timeout: patient(240_000) },
  async () => {
    await runStress({
      seed,
      events: 30_000,
      players: 4000,
      hunts: 1500,
      devices: 300,
      workers: 2,
      crashes: 1,
      producers: 3,
      deploys: 4,
      eventsPerSecond: 8000,
    });
  },
);
