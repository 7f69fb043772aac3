import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { openBatchLog } from '../../../src/warehouse/insert/batch-log.ts';
import type { BatchLog } from '../../../src/warehouse/insert/batch-log.ts';
import type { Batch, BatchRange } from '../../../src/warehouse/insert/batch.ts';
import { nodeStorage, type Storage } from '../../../src/spool/storage.ts';
import { LossyStorage, seededRandom } from '../../spool/lossy-storage.ts';
import { positionOf, written } from '../../../src/contract/event-log.ts';

const DIRECTORY = '/data/log';
const LOG = 0xfeed_beef;

/** As a start does it. */
function openNamed(storage: Storage, directory: string): BatchLog {
  const log = openBatchLog(storage, directory);
  log.nameLog(LOG);
  return log;
}

/** The next batch, of a size that follows from its number. */
function range(log: BatchLog): BatchRange {
  const firstEpoch = written(log.sealedEpoch) + 1;
  const id = log.nextBatchId;
  return {
    firstEpoch: positionOf(firstEpoch),
    lastEpoch: positionOf(firstEpoch + (id % 7)),
    rows: id * 100,
    day: 20_000 + id,
    sealedAt: 1.7e12 + id,
  };
}

test('seals and confirmations survive a start, on real files', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'batches-'));
  const log = openNamed(nodeStorage, directory);
  expect([log.nextBatchId, log.sealedEpoch, log.confirmedEpoch, log.openBatches()]).toEqual([1, 0, 0, []]);
  const batches = Array.from({ length: 5 }, () => log.seal(range(log)));
  log.confirm(1);
  log.confirm(2);
  log.confirm(4);
  expect(log.confirmedEpoch).toBe(batches[1].lastEpoch);
  expect(log.flush()).toBe(batches[1].lastEpoch);
  log.close();
  const again = openNamed(nodeStorage, directory);
  expect(again.openBatches()).toEqual([batches[2], batches[4]]);
  expect([again.nextBatchId, again.sealedEpoch, again.confirmedEpoch]).toEqual([
    6,
    batches[4].lastEpoch,
    batches[1].lastEpoch,
  ]);
  again.confirm(3);
  expect(again.confirmedEpoch).toBe(batches[3].lastEpoch);
  again.confirm(5);
  again.close();
  const last = openNamed(nodeStorage, directory);
  expect([last.nextBatchId, last.confirmedEpoch, last.openBatches()]).toEqual([6, batches[4].lastEpoch, []]);
  last.close();
  fs.rmSync(directory, { recursive: true });
});

test('a long log is replaced by a short one', () => {
  const disk = new LossyStorage();
  const log = openNamed(disk, DIRECTORY);
  for (let id = 1; id <= 3000; id++) {
    log.seal(range(log));
    if (id > 2) log.confirm(id - 2);
    if (id % 10 === 0) log.flush();
  }
  expect(disk.open(path.join(DIRECTORY, 'batches.log')).size()).toBeLessThan(64 * 4200);
  const again = openNamed(disk, DIRECTORY);
  expect(again.nextBatchId).toBe(3001);
  expect(again.openBatches().map((batch) => batch.id)).toEqual([2999, 3000]);
});

test('200 power cuts: a returned seal is there, unchanged; no number is given twice; a flushed confirmation stays', () => {
  const seed = Number(process.env['TEST_SEED'] ?? 99);
  console.log(`seed=${seed}`);
  const random = seededRandom(seed);
  let disk = new LossyStorage();
  const sealed = new Map<number, Batch>();
  let confirmedDurable = 0;
  for (let image = 0; image < 200; image++) {
    disk.crashAfter(1 + Math.floor(random() * 40), random);
    try {
      const log = openNamed(disk, DIRECTORY);
      for (;;) {
        const batch = log.seal(range(log));
        sealed.set(batch.id, batch);
        for (const open of log.openBatches()) if (random() < 0.4) log.confirm(open.id);
        if (random() < 0.3) confirmedDurable = Math.max(confirmedDurable, written(log.flush()));
      }
    } catch (error) {
      if (!disk.crashed) throw error;
    }
    disk = disk.image(random);
    const log = openNamed(disk, DIRECTORY);
    for (const batch of log.openBatches()) {
      // One that was sealed when the power went may be there: then it counts.
      if (!sealed.has(batch.id)) sealed.set(batch.id, batch);
      expect(batch).toEqual(sealed.get(batch.id));
    }
    const last = Math.max(0, ...sealed.keys());
    expect(log.nextBatchId).toBe(last + 1);
    expect(log.sealedEpoch).toBe(sealed.get(last)?.lastEpoch ?? 0);
    expect(log.confirmedEpoch).toBeGreaterThanOrEqual(confirmedDurable);
  }
  expect(sealed.size).toBeGreaterThan(300);
});

test('a damaged record among synced ones is refused', () => {
  const disk = new LossyStorage();
  const log = openNamed(disk, DIRECTORY);
  for (let id = 1; id <= 5; id++) log.seal(range(log));
  const file = disk.open(path.join(DIRECTORY, 'batches.log'));
  file.writev([Uint8Array.of(0xff)], 2 * 64 + 20);
  expect(() => openBatchLog(disk, DIRECTORY)).toThrow(/unreadable/);
});

test('a log that gets its number keeps the tokens of what was sealed before, through further starts', () => {
  const disk = new LossyStorage();
  // As a former version has left it: with a number, but none of its records says so.
  const former = openNamed(disk, DIRECTORY);
  for (let id = 1; id <= 3; id++) former.seal(range(former));
  const file = path.join(DIRECTORY, 'batches.log');
  const bytes = new Uint8Array(disk.open(file).size());
  disk.open(file).read(bytes, 0, bytes.length, 0);
  disk.unlink(file);
  const older = disk.create(file);
  older.writev([bytes.subarray(0, 64), bytes.subarray(128)], 0);
  older.fdatasync();
  const log = openBatchLog(disk, DIRECTORY);
  expect(log.knownLogNumber).toBe(0);
  expect(() => log.openBatches()).toThrow(/batch_log_unnamed/);
  log.nameLog(LOG);
  log.seal(range(log));
  const tokens = ['1-1700000000001', '2-1700000000002', '3-1700000000003', `${LOG}-4-1700000000004`];
  expect(log.openBatches().map(({ token }) => token)).toEqual(tokens);
  log.confirm(2);
  log.close();
  for (let start = 0; start < 2; start++) {
    const again = openNamed(disk, DIRECTORY);
    expect(again.openBatches().map(({ token }) => token)).toEqual([tokens[0], tokens[2], tokens[3]]);
    expect(again.openBatches().every((batch) => batch.log === LOG)).toBe(true);
    again.close();
  }
  expect(() => openBatchLog(disk, DIRECTORY).nameLog(LOG + 1)).toThrow(/belongs to another spool/);
});

test('a batch must follow the one before', () => {
  const log = openNamed(new LossyStorage(), DIRECTORY);
  log.seal({ firstEpoch: positionOf(10), lastEpoch: positionOf(12), rows: 1, day: 1, sealedAt: 1 });
  expect(() =>
    log.seal({ firstEpoch: positionOf(14), lastEpoch: positionOf(15), rows: 1, day: 1, sealedAt: 1 }),
  ).toThrow(/batch_not_contiguous/);
  expect(() => log.confirm(7)).toThrow(/batch_not_open/);
});

/** Two sealed, one confirmed; a start; one sealed, one confirmed, one sealed. From before layout/batch-record.ts. */
const WRITTEN_BEFORE = [
  'QkFUMcnYxYABAAAAIk4AAAAAAAAAAABAAAAAAAAACEAAAAAAAAAUQAAAAAAAAGlAACCAVv68eEIAAAAAAAAAAA==',
  'QkFUMaqjNqQFAAAAAAAAAAAA4N233e9BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==',
  'QkFUMbDseqYCAAAAIk4AAAAAAAAAAABAAAAAAAAACEAAAAAAAAAUQAAAAAAAAGlAACCAVv68eEIAAAAAAAAAAA==',
  'QkFUMd9XXRoDAAAAI04AAAAAAAAAAAhAAAAAAAAAGEAAAAAAAAAiQAAAAAAAwHJAADCAVv68eEIAAAAAAAAIQA==',
  'QkFUMYPXGtcEAAAAIk4AAAAAAAAAAABAAAAAAAAACEAAAAAAAAAUQAAAAAAAAGlAACCAVv68eEIAAAAAAAAQQA==',
  'QkFUMUbsKQEDAAAAJE4AAAAAAAAAABBAAAAAAAAAJEAAAAAAAAAsQAAAAAAAAHlAAECAVv68eEIAAAAAAAAQQA==',
];

test('the bytes on the disk are what they have been, and are read as before', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'batches-'));
  const file = path.join(directory, 'batches.log');
  const first = openNamed(nodeStorage, directory);
  first.seal(range(first));
  first.seal(range(first));
  first.confirm(1);
  first.close();
  const second = openNamed(nodeStorage, directory);
  const third = second.seal(range(second));
  second.confirm(2);
  const fourth = second.seal(range(second));
  second.close();
  const bytes = fs.readFileSync(file);
  const records = Array.from({ length: bytes.length / 64 }, (_, i) => bytes.subarray(64 * i, 64 * i + 64));
  expect(records.map((record) => record.toString('base64'))).toEqual(WRITTEN_BEFORE);
  fs.writeFileSync(file, Buffer.concat(WRITTEN_BEFORE.map((record) => Buffer.from(record, 'base64'))));
  const again = openNamed(nodeStorage, directory);
  expect(again.openBatches()).toEqual([third, fourth]);
  expect([again.nextBatchId, again.sealedEpoch, again.confirmedEpoch]).toEqual([5, 14, 5]);
  again.close();
  fs.rmSync(directory, { recursive: true });
});
