import { test } from 'vitest';
import { patient } from '../patience.ts';
import { runStress } from './bit-exact.ts';

const seed = Number(process.env['TEST_SEED'] ?? 20261123);

test(
  '30,000 events, two workers, a crash: SQL agrees with every feature of every row',
  { timeout: patient(120_000) },
  async () => {
    await runStress({
      seed,
      events: 30_000,
      players: 6000,
      hunts: 1500,
      devices: 300,
      workers: 2,
      crashes: 1,
      producers: 3,
    });
  },
);

// 33 hours in Berlin: the days of 23 and of 25 hours with both of their midnights.
test.each(['2024-04-01T01:00:00Z', '2024-10-28T01:00:00Z'])(
  'daylight saving, until %s: no day differs',
  { timeout: patient(120_000) },
  async (end) => {
    await runStress({
      seed,
      events: 12_000,
      players: 3000,
      hunts: 1500,
      devices: 300,
      workers: 1,
      crashes: 0,
      producers: 2,
      endsAt: Date.parse(end),
      stepMs: 10_000,
    });
  },
);
