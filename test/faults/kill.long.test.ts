/** The long form: ten kills of the server, four of its ClickHouse alone, forced ones and random ones mixed. */

import { test } from 'vitest';
import { killRun, type Kill } from './kill-run.ts';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const server = (phase: Kill['phase'], moment = ''): Kill => ({ whom: 'server', phase, moment });
const clickhouse = (phase: Kill['phase'], moment = ''): Kill => ({ whom: 'clickhouse', phase, moment });

test(`kill -9 of the server ten times in the middle of a load: seed=${seed}`, async () => {
  await killRun({
    seed,
    seconds: 110,
    rate: 60_000,
    whileCounting: 'server',
    kills: [
      server('random'),
      server('inside-fsync', 'before'),
      { ...server('before-insert', 'sealed'), twice: true },
      server('insert-in-flight', 'begun'),
      server('random'),
      server('inside-fsync', 'during'),
      server('insert-in-flight', 'sent'),
      server('before-insert', 'leaving'),
      server('inside-fsync', 'after'),
      server('insert-in-flight', 'answered'),
    ],
  });
});

test(`kill -9 of the embedded ClickHouse alone, four times: seed=${seed}`, async () => {
  await killRun({
    seed,
    seconds: 30,
    rate: 60_000,
    whileCounting: 'clickhouse',
    kills: [
      clickhouse('random'),
      clickhouse('insert-in-flight', 'begun'),
      clickhouse('insert-in-flight', 'sent'),
      clickhouse('random'),
    ],
  });
});
