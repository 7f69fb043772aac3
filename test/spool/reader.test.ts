/** A reader that is kept: it goes on where it stands, and what it read too early it reads again. */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { openSpoolReader } from '../../src/spool/reader.ts';
import type { SpoolEpoch } from '../../src/spool/reader.ts';
import { slotPath } from '../../src/spool/segment-pool.ts';
import { nodeStorage } from '../../src/spool/storage.ts';
import type { Storage } from '../../src/spool/storage.ts';
import { openLog } from './open-log.ts';
import type { LogShape, OpenLog } from './open-log.ts';
import { positionOf } from '../../src/contract/event-log.ts';

/** All epochs of a test in one segment, so that bytes and openings can be counted. */
const SHAPE: LogShape = { workers: 1, segmentBytes: 4 << 20, laneBytes: 16 * 1024, bytesMin: 1000, bytesMax: 1500 };
const EPOCHS = 600;
const BATCH = 40;

let directory = '';
let log: OpenLog;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'spool-'));
  log = openLog(nodeStorage, directory, SHAPE);
});
afterEach(() => {
  log.writer.close();
  fs.rmSync(directory, { recursive: true });
});

function sealAndCommit(epochs: number): void {
  for (let count = 0; count < epochs; count++) {
    log.workers.seal();
    while (log.writer.waiting()) log.writer.commitWaiting();
  }
}

/** The real files, with what is opened and read counted. */
function counting() {
  const figures = { opened: 0, bytes: 0 };
  const storage: Storage = {
    ...nodeStorage,
    open(name) {
      figures.opened++;
      const file = nodeStorage.open(name);
      const read = file.read.bind(file);
      file.read = (into, offset, length, position) => {
        const bytes = read(into, offset, length, position);
        figures.bytes += bytes;
        return bytes;
      };
      return file;
    },
  };
  return { storage, figures };
}

function flip(epoch: SpoolEpoch): void {
  const file = slotPath(directory, 1);
  const bytes = fs.readFileSync(file);
  // In the last block, which ends before the padding.
  const at = epoch.position + 104 + epoch.blocks[0]!.length - 1;
  bytes[at]! ^= 0xff;
  fs.writeFileSync(file, bytes);
}

function copyOf(epoch: SpoolEpoch | null): Buffer[] {
  return epoch!.blocks.map((block) => Buffer.from(block));
}

test('batch after batch reads the log once, from where the batch before ended', () => {
  sealAndCommit(EPOCHS);
  const { storage, figures } = counting();
  const reader = openSpoolReader(storage, directory, { bodies: 'trusted' });
  let last = 0;
  let bytes = 0;
  for (let first = 1; first <= EPOCHS; first += BATCH) {
    reader.seek(positionOf(first));
    for (const found of reader.through(positionOf(first + BATCH - 1))) {
      expect(found.epoch).toBe(++last);
      bytes += found.blocks[0]!.length;
    }
  }
  reader.close();
  expect(last).toBe(EPOCHS);
  // Each file of the folder is looked at once, and the one that has the epoch is opened.
  expect(figures.opened).toBeLessThanOrEqual(fs.readdirSync(directory).length + 1);
  // Each batch reads at least 64 KiB; from the beginning of the segment, each time, it would be eight times as much.
  expect(figures.bytes).toBeLessThan(3 * bytes);
});

test('a seek ahead passes over what lies between, one back finds its epoch as well', () => {
  sealAndCommit(EPOCHS);
  const { storage, figures } = counting();
  const reader = openSpoolReader(storage, directory);
  const fresh = openSpoolReader(nodeStorage, directory);
  reader.next(positionOf(1));
  const { opened } = figures;
  for (const epoch of [100, 101, 250, EPOCHS]) {
    reader.seek(positionOf(epoch));
    fresh.seek(positionOf(epoch));
    expect(copyOf(reader.next(positionOf(EPOCHS)))).toEqual(copyOf(fresh.next(positionOf(EPOCHS))));
  }
  expect(figures.opened).toBe(opened);
  reader.seek(positionOf(7));
  fresh.seek(positionOf(7));
  expect(reader.next(positionOf(EPOCHS))).toMatchObject({ epoch: 7, blocks: fresh.next(positionOf(EPOCHS))!.blocks });
  reader.close();
  fresh.close();
});

test.each(['checked', 'trusted'] as const)('%s: what was read before it was durable is read again', (bodies) => {
  sealAndCommit(3);
  const reader = openSpoolReader(nodeStorage, directory, { bodies });
  const [first, second] = [reader.next(positionOf(2))!, copyOf(reader.next(positionOf(2)))];
  expect(first.epoch).toBe(1);
  // The third lies in the reader's memory already, as if the spool thread had been writing there; now it is another one.
  const look = openSpoolReader(nodeStorage, directory);
  look.seek(positionOf(3));
  const third = look.next(positionOf(3))!;
  const before = copyOf(third);
  flip(third);
  if (bodies === 'checked') expect(() => reader.next(positionOf(3))).toThrow('no whole epoch where it must be');
  else expect(copyOf(reader.next(positionOf(3)))).not.toEqual(before);
  expect(second).not.toEqual(before);
  look.close();
  reader.close();
});

test('a trusted body goes unchecked, a record never', () => {
  sealAndCommit(2);
  const look = openSpoolReader(nodeStorage, directory);
  const found = look.next(positionOf(2))!;
  flip(found);
  expect(openSpoolReader(nodeStorage, directory, { bodies: 'trusted' }).next(positionOf(2))).toMatchObject({
    epoch: 1,
  });
  expect(() => openSpoolReader(nodeStorage, directory).next(positionOf(2))).toThrow(
    'a durable epoch cannot be read: epoch=1',
  );
  const file = slotPath(directory, 1);
  const bytes = fs.readFileSync(file);
  bytes[found.position + 16]! ^= 0xff;
  fs.writeFileSync(file, bytes);
  expect(() => openSpoolReader(nodeStorage, directory, { bodies: 'trusted' }).next(positionOf(2))).toThrow('epoch=1');
  look.close();
});
