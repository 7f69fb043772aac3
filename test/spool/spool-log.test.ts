/** The log as the engine holds it: found, read, appended to, trimmed below its consumers, stopped, and found again. */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { SPOOL_BELL } from '../../native-free-core/layout/control-layout.ts';
import { createLane } from '../../native-free-core/ring/lane.ts';
import { ring } from '../../native-free-core/ring/doorbell.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { after, before, entriesOf, positionOf, written, type EventLog } from '../../src/contract/event-log.ts';
import { recoverSpool } from '../../src/spool/recover-spool.ts';
import { attachSpoolLog, openSpoolLog } from '../../src/spool/spool-log.ts';
import { nodeStorage } from '../../src/spool/storage.ts';
import { expectationIn, markIn } from './open-log.ts';
import { createControl, simulateWorkers } from './simulated-workers.ts';

const SHAPE = { workers: 2, segmentBytes: 1 << 20, laneBytes: 1 << 18, bytesMin: 1000, bytesMax: 12_000 };
const EPOCHS = 300;

let directory: string;
beforeEach(() => void (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'spool-log-'))));
afterEach(() => fs.rmSync(directory, { recursive: true }));

function find(): EventLog {
  const { segmentBytes } = SHAPE;
  const recovered = recoverSpool(nodeStorage, directory, segmentBytes, expectationIn(directory));
  return openSpoolLog({ directory, markFile: markIn(directory), segmentBytes, recovered, log: () => undefined });
}

/** Workers that seal so many epochs into the lanes that the log takes from. */
async function appendTo(log: EventLog, epochs: number) {
  const workers = simulateWorkers({ ...SHAPE, fromEpoch: written(after(log.last)) });
  const control = createControl();
  const failures: unknown[] = [];
  const source = { control, blockLanes: workers.buffers, ingresses: 1, headLane: createLane(1 << 16) };
  await log.append(source, (error) => failures.push(error));
  const words = new Int32Array(control);
  const last = positionOf(written(log.last) + epochs);
  while (workers.epoch <= written(last)) {
    if (workers.seal()) ring(words, SPOOL_BELL);
    else await new Promise(setImmediate);
  }
  await log.whenDurable(last);
  return { control, failures, last };
}

const epochsOf = (log: Pick<EventLog, 'read'>, from: number, through: number): number[] =>
  Array.from(entriesOf(log, positionOf(from), positionOf(through)), ({ epoch }) => written(epoch));

test('found empty, appended to, read by two threads, stopped, found whole', async () => {
  const log = find();
  expect([log.first, log.last, log.durable(), log.figures()]).toEqual([1, 0, 0, null]);
  expect(log.number).toBeGreaterThan(0);
  const { control, failures, last } = await appendTo(log, EPOCHS);
  expect(log.durable()).toBe(last);
  const other = attachSpoolLog(directory, control);
  expect(other.durable()).toBe(last);
  expect(epochsOf(log, 1, EPOCHS)).toEqual(Array.from({ length: EPOCHS }, (_, i) => i + 1));
  expect(epochsOf({ read: log.readHeads }, 1, EPOCHS)).toHaveLength(EPOCHS);
  expect(epochsOf(other, EPOCHS - 1, EPOCHS)).toEqual([EPOCHS - 1, EPOCHS]);
  await log.stop();
  expect(log.figures()).toMatchObject({ epochs: EPOCHS, durableEpoch: EPOCHS });

  const again = find();
  expect([again.number, again.first, again.last, again.durable()]).toEqual([log.number, 1, last, last]);
  expect(epochsOf(again, EPOCHS, EPOCHS)).toEqual([EPOCHS]);
  expect(failures).toEqual([]);
});

test('what is trimmed is gone by whole segments, and nothing above it', async () => {
  const log = find();
  const { last } = await appendTo(log, EPOCHS);
  const below = before(last);
  log.trim(below);
  // A chore of quiet moments, which the figures tell of.
  const liveBytes = (): number => log.figures()?.liveBytes ?? Infinity;
  await expect.poll(liveBytes, { timeout: 20_000 }).toBeLessThanOrEqual(2 * SHAPE.segmentBytes);
  await log.stop();
  const again = find();
  expect(written(again.first)).toBeGreaterThan(1);
  expect(written(again.first)).toBeLessThanOrEqual(written(below));
  expect(epochsOf(again, written(below), written(last))).toEqual([EPOCHS - 1, EPOCHS]);
  expect(() => epochsOf(again, 1, 1)).toThrow('a durable epoch cannot be read: epoch=1');
});
