/** `kill -9` in the middle of `hunt load`, once at each moment that matters: every answered event is in ClickHouse once. */

import { test } from 'vitest';
import { patient } from '../patience.ts';
import { killRun } from './kill-run.ts';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

/**
 * Half a minute of load, longer where the machine is busy, five starts, and the count. Three of the starts fall into the
 * load, which has to outlast them.
 */
const RUN_MS = patient(240_000);

test(
  `kill -9 of the server inside the fsync, before and during an insert, and of ClickHouse: seed=${seed}`,
  { timeout: RUN_MS },
  async () => {
    await killRun({
      seed,
      seconds: 30,
      rate: 14_000,
      whileCounting: 'server',
      kills: [
        { whom: 'server', phase: 'inside-fsync', moment: 'during' },
        { whom: 'server', phase: 'before-insert', moment: 'sealed' },
        { whom: 'server', phase: 'insert-in-flight', moment: 'begun' },
        { whom: 'clickhouse', phase: 'insert-in-flight', moment: 'sent' },
      ],
    });
  },
);
