/** A log of many small segments is damaged: each damage is named with its epochs, and what can go on is taken out of it. */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { inspectSpool } from '../../src/spool/inspect.ts';
import type { SpoolInspection } from '../../src/spool/inspect.ts';
import { recoverSpool } from '../../src/spool/recover-spool.ts';
import { promiseAnew, salvageSpool, wholeRuns } from '../../src/spool/salvage.ts';
import { slotPath } from '../../src/spool/segment-pool.ts';
import { nodeStorage } from '../../src/spool/storage.ts';
import { expectEpochs, expectationIn, markIn, openLog } from './open-log.ts';
import type { LogShape } from './open-log.ts';
import { positionOf, written } from '../../src/contract/event-log.ts';

const SHAPE: LogShape = { workers: 2, segmentBytes: 32 * 1024, laneBytes: 8192, bytesMin: 96, bytesMax: 160 };
const EPOCHS = 400;

let directory = '';
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'spool-'));
  const log = openLog(nodeStorage, directory, SHAPE);
  for (let epoch = 1; epoch <= EPOCHS; epoch++) {
    log.workers.seal();
    log.writer.commitWaiting();
  }
  log.writer.close();
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

const inspect = (): SpoolInspection =>
  inspectSpool(nodeStorage, directory, SHAPE.segmentBytes, expectationIn(directory));
/** First epochs of the segments, by slot from 1 on. */
const firstEpochs = (): number[] => inspect().segments.map(({ header }) => header.info.firstEpoch);
const file = (slot: number): string => slotPath(directory, slot);

function change(slot: number, by: (bytes: Buffer) => void): void {
  const bytes = fs.readFileSync(file(slot));
  by(bytes);
  fs.writeFileSync(file(slot), bytes);
}

interface Case {
  readonly name: string;
  readonly damage: () => void;
  /** The first missing epoch lies in the second segment, or begins it; all of it is missing, or a part. */
  readonly says: RegExp;
}

const CASES: readonly Case[] = [
  { name: 'missing', damage: () => fs.rmSync(file(2)), says: /1 segment\(s\) are missing/ },
  { name: 'emptied', damage: () => fs.truncateSync(file(2), 0), says: /missing \(without a header: .*000002/ },
  {
    name: 'cut short',
    damage: () => fs.truncateSync(file(2), 9000),
    says: /000002.* is 9000 bytes long and not 32768/,
  },
  { name: 'full of zeros', damage: () => change(2, (bytes) => bytes.fill(0)), says: /1 segment\(s\) are missing/ },
  {
    name: 'with a hole',
    damage: () => change(2, (bytes) => bytes.fill(0, 9000, 12_000)),
    says: /000002.* breaks off at byte/,
  },
  {
    name: 'with a flipped bit in a block',
    damage: () => change(2, (bytes) => (bytes[9001]! ^= 4)),
    says: /000002.* breaks off/,
  },
  {
    name: 'with a flipped bit in its header',
    damage: () => change(2, (bytes) => (bytes[30]! ^= 4)),
    says: /missing \(without a header: .*000002/,
  },
  {
    name: 'replaced by the third',
    damage: () => fs.copyFileSync(file(3), file(2)),
    says: /same segment twice.*|are missing/,
  },
  {
    name: 'replaced by the first',
    damage: () => fs.copyFileSync(file(1), file(2)),
    says: /same segment twice.*|are missing/,
  },
];

describe('the second segment of many', () => {
  test.each(CASES)('$name', ({ damage, says }) => {
    const [, second, third] = firstEpochs() as [number, number, number];
    expect(third).toBeLessThan(EPOCHS - 100);
    damage();
    const stopped = (): unknown => recoverSpool(nodeStorage, directory, SHAPE.segmentBytes, expectationIn(directory));
    expect(stopped).toThrow(says);
    const { damages } = inspect();
    const missing = damages.filter(({ firstEpoch, lastEpoch }) => firstEpoch <= lastEpoch);
    expect(missing).toHaveLength(1);
    expect(missing[0]!.firstEpoch).toBeGreaterThanOrEqual(second);
    expect(missing[0]!.lastEpoch).toBe(third - 1);
    // What a simulated worker's epoch has received follows from its number.
    const received = (epoch: number): number => 2 * ((epoch % 10) + 3);
    let events = 0;
    for (let epoch = missing[0]!.firstEpoch; epoch < third; epoch++) events += received(epoch);
    expect(missing[0]!.events).toBe(events);
  });

  test.each(CASES)(
    '$name: what is whole before it is taken out, all else is kept aside, and the log goes on',
    ({ damage }) => {
      damage();
      const inspection = inspect();
      const run = wholeRuns(inspection).find(({ firstEpoch }) => firstEpoch === positionOf(1))!;
      const totals = run.segments.at(-1)!.scan.totals;
      const { lastEpoch } = run;
      const aside = path.join(directory, 'aside');
      const { folderId } = inspection;
      const salvage = { run, lastEpoch, totals, folderId, receivedAt: 0, segmentBytes: SHAPE.segmentBytes };
      const before = fs.readdirSync(directory).length;
      salvageSpool(nodeStorage, directory, aside, inspection, salvage);
      promiseAnew(nodeStorage, markIn(directory), salvage);
      expect(fs.readdirSync(aside).length).toBeGreaterThan(0);
      expect(fs.readdirSync(directory).length + fs.readdirSync(aside).length).toBeGreaterThanOrEqual(before);
      const log = openLog(nodeStorage, directory, SHAPE);
      expect(log.recovered).toMatchObject({ lastEpoch, totals });
      for (let epoch = 0; epoch < 50; epoch++) {
        log.workers.seal();
        log.writer.commitWaiting();
      }
      log.writer.close();
      expectEpochs(nodeStorage, directory, SHAPE, 1, written(lastEpoch) + 50);
      expect(inspect().damages).toEqual([]);
    },
  );
});

test('nothing is left: the log begins anew behind any epoch', () => {
  for (const name of fs.readdirSync(directory))
    if (name !== path.basename(markIn(directory))) fs.rmSync(path.join(directory, name));
  const inspection = inspect();
  expect(inspection.durableEpoch).toBe(EPOCHS);
  const { mark, folderId } = inspection;
  const totals = typeof mark === 'string' ? expect.fail(mark) : mark.mark.totals;
  const salvage = {
    run: null,
    lastEpoch: positionOf(390),
    totals,
    folderId,
    receivedAt: 0,
    segmentBytes: SHAPE.segmentBytes,
  };
  salvageSpool(nodeStorage, directory, path.join(directory, 'aside'), inspection, salvage);
  promiseAnew(nodeStorage, markIn(directory), salvage);
  const log = openLog(nodeStorage, directory, SHAPE);
  expect(log.recovered).toMatchObject({ firstEpoch: 391, lastEpoch: 390, totals });
  log.workers.seal();
  expect(log.writer.commitWaiting()).toBe(1);
  log.writer.close();
  expectEpochs(nodeStorage, directory, SHAPE, 391, 391);
});
