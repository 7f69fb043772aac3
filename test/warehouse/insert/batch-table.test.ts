/** Blocks of a batch: their memory serves later ones once they are released, and nobody else's while they are not. */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Batch } from '../../../src/warehouse/insert/batch.ts';
import { BatchEpochs } from '../../../src/warehouse/insert/batch-epochs.ts';
import { eventsBatchTable, type BatchTable } from '../../../src/warehouse/insert/batch-table.ts';
import { createBlockWorld } from '../../columns/block-world.ts';
import { utf8 } from '../../columns/write-value.ts';
import { PLAN, PRODUCER } from './store-world.ts';
import { positionOf, written, type LogEntry, type LogReader } from '../../../src/contract/event-log.ts';

/** Three Native blocks. */
const EPOCHS = 150;
const ROWS = 1000;
const BATCH: Batch = {
  log: 1,
  id: 7,
  firstEpoch: positionOf(1),
  lastEpoch: positionOf(EPOCHS),
  rows: EPOCHS * ROWS,
  day: 20_000,
  sealedAt: 1,
  token: '7',
};

const world = createBlockWorld(PLAN);
world.producer(PRODUCER);
world.writeRows(
  Array.from({ length: ROWS }, (_, r) => ({ id: `event-${r}`, score: r, note: null, producer: PRODUCER, type: 1 })),
);
const block = world.seal(ROWS).slice();

function openReader(): LogReader {
  let epoch = 1;
  return {
    seek: (wanted) => void (epoch = written(wanted)),
    next: (through): LogEntry | null =>
      epoch > written(through) ? null : { epoch: positionOf(epoch++), blocks: [block] },
    close: () => undefined,
  };
}

function createTable(): BatchTable {
  return eventsBatchTable(PLAN, { dictionary: world.textOf, utf8 }, new BatchEpochs(openReader));
}

function digest(chunks: readonly Uint8Array[]): string {
  const hash = createHash('sha1');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

/** Of the whole body, each block released once it has been read; and the memory that it lay in. */
function readAll(table: BatchTable) {
  const digests: string[] = [];
  const memory = new Set<ArrayBufferLike>();
  for (const { chunks, release } of table.blocks(BATCH, true)) {
    digests.push(digest(chunks));
    for (const chunk of chunks) memory.add(chunk.buffer);
    release();
  }
  return { digests, memory };
}

test('a batch is the same bytes in the memory of the one before', () => {
  const table = createTable();
  const first = readAll(table);
  const second = readAll(table);
  expect(first.digests.length).toBe(3);
  expect(second.digests).toEqual(first.digests);
  for (const buffer of second.memory) expect(first.memory.has(buffer)).toBe(true);
});

test('a batch that breaks off keeps its memory to itself, and the next attempt is the same bytes', () => {
  const whole = readAll(createTable()).digests;
  const table = createTable();
  const chunks: Uint8Array[] = [];
  for (const lent of table.blocks(BATCH, true)) {
    chunks.push(...lent.chunks);
    // In a socket's queue still, when the connection breaks.
    if (chunks.length > lent.chunks.length) break;
  }
  const before = digest(chunks);
  expect(readAll(table).digests).toEqual(whole);
  expect(readAll(table).digests).toEqual(whole);
  expect(digest(chunks)).toBe(before);
});
