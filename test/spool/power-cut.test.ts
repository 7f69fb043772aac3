import { describe, expect, test } from 'vitest';

import { OperatingError } from '../../src/errors.ts';
import { SPOOL_FULL } from '../../native-free-core/layout/control-layout.ts';
import { recoverSpool } from '../../src/spool/recover-spool.ts';
import { LossyStorage, seededRandom } from './lossy-storage.ts';
import { expectationIn, expectEpochs, openLog } from './open-log.ts';
import type { LogShape } from './open-log.ts';
import { durableEpoch } from './simulated-workers.ts';
import { positionOf, written } from '../../src/contract/event-log.ts';

const IMAGES = 200;
const SHAPE: LogShape = {
  workers: 1,
  segmentBytes: 32 * 1024,
  laneBytes: 16 * 1024,
  bytesMin: 96,
  bytesMax: 2500,
  sparesMax: 3,
};
const DIRECTORY = '/data/log';

interface Promised {
  durable: number;
  trimmed: number;
}

/** Runs until the power is cut at a random operation; `promised` then says what had been published. */
function runUntilCut(
  disk: LossyStorage,
  shape: LogShape,
  promised: Promised,
  operations: number,
  random: () => number,
): void {
  disk.crashAfter(operations, random);
  try {
    const log = openLog(disk, DIRECTORY, shape);
    for (;;) {
      const count = 1 + Math.floor(random() * 6);
      for (let sealed = 0; sealed < count && log.workers.seal(); sealed++);
      // The last epoch may lack one worker's block: it must not be taken.
      log.writer.commitWaiting();
      promised.durable = durableEpoch(log.control);
      if (random() < 0.2) {
        const below = Math.max(promised.trimmed, promised.durable - Math.floor(random() * 30));
        promised.trimmed = Math.max(1, below);
        log.writer.trim(positionOf(promised.trimmed));
      }
      if (random() < 0.5) log.writer.work();
    }
  } catch (error) {
    if (!disk.crashed) throw error;
  }
}

describe.each([1, 2])('power cuts with %i workers', (workers) => {
  test(`${IMAGES} images: every published epoch is there, whole, and nothing else`, { timeout: 30_000 }, () => {
    const seed = Number(process.env['TEST_SEED'] ?? 4711 + workers);
    console.log(`seed=${seed}`);
    const random = seededRandom(seed);
    let disk = new LossyStorage();
    let promised: Promised = { durable: 0, trimmed: 1 };
    let unpublished = 0;
    let cut = 0;
    for (let image = 0; image < IMAGES; image++) {
      // A fresh log now and then, so that the cut meets the first start too; otherwise the damage adds up.
      if (image % 25 === 0) {
        disk = new LossyStorage();
        promised = { durable: 0, trimmed: 1 };
      }
      const shape = { ...SHAPE, workers, random };
      runUntilCut(disk, shape, promised, 1 + Math.floor(random() * 150), random);
      disk = disk.image(random);
      const recovered = recoverSpool(disk, DIRECTORY, SHAPE.segmentBytes, expectationIn(DIRECTORY));
      const [firstEpoch, lastEpoch] = [recovered.firstEpoch, recovered.lastEpoch].map(written) as [number, number];
      expect(lastEpoch, `image=${image}`).toBeGreaterThanOrEqual(promised.durable);
      expect(firstEpoch, `image=${image}`).toBeLessThanOrEqual(Math.max(promised.trimmed, 1));
      expectEpochs(disk, DIRECTORY, shape, Math.max(firstEpoch, 1), lastEpoch);
      unpublished += lastEpoch - promised.durable;
      if (recovered.cutBytes > 0) cut++;
      promised.durable = lastEpoch;
    }
    console.log(`images=${IMAGES} with_cut_tail=${cut} whole_but_unpublished_epochs=${unpublished}`);
    expect(cut).toBeGreaterThan(10);
  });
});

describe('a disk that fails', () => {
  const full = (): OperatingError =>
    new OperatingError('spool_disk_full', 'write failed: error=ENOSPC', { retryable: true });

  test('full: nothing is lost, ingress is refused, and it goes on once there is room', () => {
    const disk = new LossyStorage();
    let clock = 0;
    const messages: string[] = [];
    const log = openLog(disk, DIRECTORY, { ...SHAPE, now: () => clock, log: (_, message) => messages.push(message) });
    disk.onOperation(() => {
      throw full();
    });
    for (let epoch = 0; epoch < 4; epoch++) log.workers.seal();
    expect(log.writer.commitWaiting()).toBe(0);
    expect(Atomics.load(log.control, SPOOL_FULL)).toBe(1);
    expect(log.writer.waiting()).toBe(false);
    for (let attempt = 0; attempt < 5; attempt++) {
      clock += log.writer.pauseMs();
      expect(log.writer.waiting()).toBe(true);
      expect(log.writer.commitWaiting()).toBe(0);
    }
    expect(messages.length).toBe(6);
    expect(messages.at(-1)).toContain('ENOSPC');
    disk.onOperation(null);
    clock += log.writer.pauseMs();
    expect(log.writer.commitWaiting()).toBe(4);
    expect(Atomics.load(log.control, SPOOL_FULL)).toBe(0);
    expectEpochs(disk, DIRECTORY, SHAPE, 1, 4);
    expect(recoverSpool(disk, DIRECTORY, SHAPE.segmentBytes).totals.frames).toBe(4);
  });

  test('full where no further segment can be made: what fits is committed, a trim frees the rest', () => {
    const disk = new LossyStorage();
    const log = openLog(disk, DIRECTORY, SHAPE);
    for (let epoch = 0; epoch < 150; epoch++) {
      while (!log.workers.seal()) log.writer.commitWaiting();
    }
    const files = disk.list(DIRECTORY).length;
    disk.create = (): never => {
      throw full();
    };
    let stuck = 0;
    while (stuck < 3) {
      log.workers.seal();
      if (log.writer.commitWaiting() === 0) stuck++;
    }
    const durable = durableEpoch(log.control);
    expect(disk.list(DIRECTORY).length).toBeLessThanOrEqual(files + 1);
    expect(Atomics.load(log.control, SPOOL_FULL)).toBe(1);
    log.writer.trim(positionOf(durable - 5));
    while (log.writer.work());
    expect(log.writer.commitWaiting()).toBeGreaterThan(0);
    expect(Atomics.load(log.control, SPOOL_FULL)).toBe(0);
    expectEpochs(disk, DIRECTORY, SHAPE, durable - 5, durableEpoch(log.control));
  });

  test('a failed fdatasync is never tried again', () => {
    const disk = new LossyStorage();
    const log = openLog(disk, DIRECTORY, SHAPE);
    log.workers.seal();
    let operation = 0;
    disk.onOperation(() => {
      if (++operation === 2) throw new OperatingError('spool_disk', 'fdatasync failed: error=EIO');
    });
    expect(() => log.writer.commitWaiting()).toThrow(/fdatasync failed/);
    expect(durableEpoch(log.control)).toBe(0);
    expect(operation).toBe(2);
  });

  test('ENOSPC from fdatasync is no full disk to wait for', () => {
    const disk = new LossyStorage();
    const log = openLog(disk, DIRECTORY, SHAPE);
    log.workers.seal();
    let operation = 0;
    disk.onOperation(() => {
      if (++operation === 2) throw full();
    });
    expect(() => log.writer.commitWaiting()).toThrow(expect.objectContaining({ code: 'spool_sync' }));
  });
});
