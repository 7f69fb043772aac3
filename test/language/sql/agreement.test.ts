/** Random expressions give in ClickHouse what they give in the core; the long form runs 200,000 of them. */

import { expect, test } from 'vitest';
import { useEmbeddedServer } from '../../clickhouse-embedded/embedded-server.ts';
import { compareExpressions } from './agreement.ts';

const EXPRESSIONS = 2000;
const SEED = Number(process.env['HUNT_SEED'] ?? 20261123);

const server = useEmbeddedServer();

test(`${EXPRESSIONS} random expressions agree in ClickHouse and in the core, seed=${SEED}`, async () => {
  const seen = await compareExpressions(server, EXPRESSIONS, SEED);
  console.log(`seed=${SEED} expressions=${EXPRESSIONS} values=${JSON.stringify(seen)}`);
  // A test that only ever sees absent values would prove nothing.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(EXPRESSIONS);
});
