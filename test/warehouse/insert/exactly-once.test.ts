/** Every row exactly once, whatever happens on the way: 70 batches through a connection that breaks, over many restarts. */

import { afterAll, expect, test } from 'vitest';
import { seeded } from '../../random.ts';
import { until, useEmbeddedServer } from '../../clickhouse-embedded/embedded-server.ts';
import { clickhouseOf, rowsOf } from './clickhouse-of.ts';
import { startFaultyProxy, type Fault } from './faulty-proxy.ts';
import { createStoreWorld } from './store-world.ts';

const server = useEmbeddedServer();
const world = createStoreWorld();
afterAll(() => world.close());

const BATCHES = 70;
const RESTARTS = 10;
const FAULTS: readonly Fault[] = ['cut-request', 'lose-answer', 'cut-answer', 'delay', 'error-500', 'reset'];
const FAULT_SHARE = 0.1;

test(`${BATCHES} batches, random faults, restarts in the middle: every row is there once`, async () => {
  const seed = Number(process.env.HUNT_SEED ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  const random = seeded(seed);
  const proxy = await startFaultyProxy({
    host: server.clickhouse.host,
    port: server.clickhouse.port,
    random,
    delayMs: 800,
    chooseFault: () => (random() < FAULT_SHARE ? FAULTS[Math.floor(random() * FAULTS.length)]! : 'none'),
  });
  const options = { batchRowsMax: 40, requestMsMax: 500 };
  const clickhouse = clickhouseOf(server, 'faults', proxy.url);
  let warehouse = world.open(clickhouse, options);
  await warehouse.start();
  for (let stop = 0; stop < RESTARTS; stop++) {
    for (let epoch = 0; epoch < (2 * BATCHES) / RESTARTS; epoch++) {
      world.addEpoch({ rows: 20 + Math.floor(random() * 5), deadLetters: Math.floor(random() * 3) });
    }
    const target = world.durable() - Math.floor(random() * 30);
    await until(() => world.stored() >= target, 30_000);
    // As if killed: whatever is in flight is left where it is.
    await warehouse.stop(0);
    warehouse = world.open(clickhouse, options);
    await warehouse.start();
  }
  await until(() => world.stored() === world.durable(), 30_000);
  const totals = warehouse.stored();
  await warehouse.stop();
  await proxy.close();
  console.log({ ...proxy.struck, ...warehouse.figures() });

  const [events] = await rowsOf<{ rows: number; placed: number; ids: number }>(
    server,
    'SELECT count() AS rows, uniqExact(_batch, _row) AS placed, uniqExact(id) AS ids FROM faults.events',
  );
  expect(events).toEqual({ rows: world.made.rows, placed: events!.rows, ids: events!.rows });
  const [letters] = await rowsOf<{ rows: number; placed: number; texts: number }>(
    server,
    'SELECT count() AS rows, uniqExact(_batch, _row) AS placed, uniqExact(bytes) AS texts FROM faults.dead_letters',
  );
  expect(letters).toEqual({ rows: world.made.deadLetters, placed: letters!.rows, texts: letters!.rows });
  const batches = await rowsOf<Record<'batch' | 'first_epoch' | 'last_epoch', number>>(
    server,
    'SELECT batch, first_epoch, last_epoch FROM faults.batches FINAL ORDER BY batch',
  );
  expect(batches.length).toBeGreaterThanOrEqual(BATCHES * 0.9);
  let epoch = 0;
  for (const [index, batch] of batches.entries()) {
    expect([batch.batch, batch.first_epoch]).toEqual([index + 1, epoch + 1]);
    epoch = batch.last_epoch;
  }
  expect(epoch).toBe(world.durable());
  expect(totals).toMatchObject({ epoch, events: world.made.rows, deadLetters: world.made.deadLetters });
  expect(world.ledger.epochs).toBe(world.made.epochs);
});
