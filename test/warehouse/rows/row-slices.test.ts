/** Stored rows through a connection that breaks off: a slice is read again until it is whole, and none is left out. */

import { expect, test } from 'vitest';
import { BLOCK_ROWS_MAX } from '../../../native-free-core/layout/limits.ts';
import { createDictionary, openDictionary } from '../../../native-free-core/state/dictionary.ts';
import { readSlices } from '../../../src/warehouse/rows/row-slices.ts';
import { seeded } from '../../random.ts';
import { useEmbeddedServer } from '../../clickhouse-embedded/embedded-server.ts';
import { clickhouseOf, rowsOf } from '../insert/clickhouse-of.ts';
import { startFaultyProxy, type Fault } from '../insert/faulty-proxy.ts';
import { positionOf } from '../../../src/contract/event-log.ts';

const ROWS = 60_000;
const SLICE_ROWS = 20_000;

const server = useEmbeddedServer();

test('each of three slices breaks off once', async () => {
  await rowsOf(server, 'CREATE DATABASE slices');
  await rowsOf(
    server,
    'CREATE TABLE slices.events (_log UInt32, _epoch UInt64, x UInt64) ENGINE = MergeTree ORDER BY x',
  );
  await rowsOf(server, `INSERT INTO slices.events SELECT 7, 1 + number, number FROM numbers(${ROWS})`);
  // Another log counts its epochs for itself.
  await rowsOf(server, `INSERT INTO slices.events SELECT 8, 1 + number, number FROM numbers(${ROWS})`);
  // Every other request is cut in the middle of its answer.
  let requests = 0;
  const chooseFault = (): Fault => (requests++ % 2 === 0 ? 'cut-answer' : 'none');
  const { host, port } = server.clickhouse;
  const proxy = await startFaultyProxy({ host, port, chooseFault, random: seeded(11), delayMs: 0 });
  const seen = new Uint8Array(ROWS);
  let last = -1;
  let isOrdered = true;
  const into = new Float64Array(BLOCK_ROWS_MAX);
  const { username, password } = clickhouseOf(server, 'slices');
  await readSlices({
    address: { url: proxy.url, database: 'slices', username, password },
    columns: [],
    needed: [],
    numbers: [{ sql: 'x', into }],
    dictionary: openDictionary(createDictionary(16, 256)),
    slices: [0, 1, 2].map((i) => ({
      log: 7,
      afterEpoch: positionOf(i * SLICE_ROWS),
      throughEpoch: positionOf((i + 1) * SLICE_ROWS),
    })),
    where: 'x >= 0',
    orderBy: 'x',
    onRows(rows) {
      for (const x of into.subarray(0, rows)) {
        seen[x] = 1;
        // Behind the last one, or the begin of a slice again.
        isOrdered &&= x === last + 1 || (x % SLICE_ROWS === 0 && x <= last);
        last = x;
      }
    },
  });
  expect(seen.every((one) => one === 1)).toBe(true);
  expect(isOrdered).toBe(true);
  expect(last).toBe(ROWS - 1);
  expect(proxy.struck['cut-answer']).toBe(3);
  await proxy.close();
});
