/** Each batch is read once more by a reader that goes on; after anything that goes wrong, anew and with all checks. */

import { afterAll, expect, test } from 'vitest';
import { openSpoolReader } from '../../../src/spool/reader.ts';
import { nodeStorage } from '../../../src/spool/storage.ts';
import type { Batch, OpenReader } from '../../../src/warehouse/insert/batch.ts';
import { BatchEpochs } from '../../../src/warehouse/insert/batch-epochs.ts';
import { until, useEmbeddedServer } from '../../clickhouse-embedded/embedded-server.ts';
import { clickhouseOf, rowsOf } from './clickhouse-of.ts';
import { startFaultyProxy, type Fault } from './faulty-proxy.ts';
import { createStoreWorld } from './store-world.ts';
import { positionOf, written } from '../../../src/contract/event-log.ts';

const server = useEmbeddedServer();
const worlds: { close(): void }[] = [];
afterAll(() => {
  for (const world of worlds) world.close();
});

function createWorld() {
  const world = createStoreWorld();
  worlds.push(world);
  const opened: string[] = [];
  let closed = 0;
  const openReader: OpenReader = (how) => {
    opened.push(how?.bodies ?? 'checked');
    const reader = openSpoolReader(nodeStorage, `${world.folder}/spool`, how);
    const close = reader.close.bind(reader);
    reader.close = () => {
      closed++;
      close();
    };
    return reader;
  };
  return { world, opened, openReader, closed: () => closed };
}

function batchOf(id: number, firstEpoch: number, lastEpoch: number): Batch {
  return {
    log: 1,
    token: String(id),
    id,
    firstEpoch: positionOf(firstEpoch),
    lastEpoch: positionOf(lastEpoch),
    rows: 1,
    day: 20_000,
    sealedAt: 1,
  };
}

test('one reader goes on; what breaks off, or is asked for again, gives it up', () => {
  const { world, opened, openReader, closed } = createWorld();
  for (let epoch = 0; epoch < 10; epoch++) world.addEpoch({ rows: 1 });
  const epochs = new BatchEpochs(openReader);
  const numbers = (first: number, last: number, justRead = true): number[] =>
    [...epochs.of(batchOf(1, first, last), justRead)].map(({ epoch }) => written(epoch));
  expect(numbers(1, 3)).toEqual([1, 2, 3]);
  expect(numbers(4, 5)).toEqual([4, 5]);
  // Those between had no dead letters, say.
  expect(numbers(8, 8)).toEqual([8]);
  expect([opened, closed()]).toEqual([['trusted'], 0]);

  for (const { epoch } of epochs.of(batchOf(1, 9, 10), true)) if (written(epoch) === 9) break;
  expect(closed()).toBe(1);
  expect(numbers(9, 10)).toEqual([9, 10]);
  expect(opened).toEqual(['trusted', 'trusted']);

  expect(numbers(9, 10, false)).toEqual([9, 10]);
  expect([opened.at(-1), closed()]).toEqual(['checked', 3]);
  expect(() => numbers(11, 11)).toThrow('a durable epoch cannot be read: epoch=11');
  expect(closed()).toBe(4);
  epochs.close();
  expect(closed()).toBe(4);
});

test('inserts without errors open one reader in all, an insert that fails is made again from checked epochs', async () => {
  const { world, opened, openReader, closed } = createWorld();
  const faults: Fault[] = [];
  const proxy = await startFaultyProxy({
    host: server.clickhouse.host,
    port: server.clickhouse.port,
    random: () => 0.1,
    delayMs: 0,
    chooseFault: () => faults.shift() ?? 'none',
  });
  const warehouse = world.open(clickhouseOf(server, 'once', proxy.url), { openReader, batchRowsMax: 40 });
  await warehouse.start();
  async function store(epochs: number): Promise<void> {
    for (let epoch = 0; epoch < epochs; epoch++) world.addEpoch({ rows: 50 });
    await until(() => world.stored() === world.durable(), 30_000);
  }
  await store(5);
  // The follower's, and that of the batches.
  expect(opened).toEqual(['checked', 'trusted']);

  faults.push('cut-request');
  await store(1);
  expect(opened).toEqual(['checked', 'trusted', 'checked']);
  await store(2);
  expect(opened).toEqual(['checked', 'trusted', 'checked', 'trusted']);
  await warehouse.stop();
  await proxy.close();
  expect(closed()).toBe(opened.length);
  const [found] = await rowsOf<{ rows: number; ids: number }>(
    server,
    'SELECT count() AS rows, uniqExact(id) AS ids FROM once.events',
  );
  expect(found).toEqual({ rows: world.made.rows, ids: world.made.rows });
});
