/** The long form of agreement.test.ts. */

import { expect, test } from 'vitest';
import { useEmbeddedServer } from '../../clickhouse-embedded/embedded-server.ts';
import { compareExpressions } from './agreement.ts';

const EXPRESSIONS = 200_000;
const SEED = Number(process.env['HUNT_SEED'] ?? 20261124);

const server = useEmbeddedServer();

test(`${EXPRESSIONS} random expressions agree in ClickHouse and in the core, seed=${SEED}`, async () => {
  const seen = await compareExpressions(server, EXPRESSIONS, SEED);
  console.log(`seed=${SEED} expressions=${EXPRESSIONS} values=${JSON.stringify(seen)}`);
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(EXPRESSIONS);
});
