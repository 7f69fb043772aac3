import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { SPOOL_FULL } from '../../native-free-core/layout/control-layout.ts';
import { openSpoolReader } from '../../src/spool/reader.ts';
import { recoverSpool } from '../../src/spool/recover-spool.ts';
import { segmentSlotOf } from '../../src/spool/segment-pool.ts';
import { nodeStorage } from '../../src/spool/storage.ts';
import { expectEpochs, openLog } from './open-log.ts';
import type { LogShape, OpenLog } from './open-log.ts';
import { seededRandom } from './lossy-storage.ts';
import { durableEpoch } from './simulated-workers.ts';
import { positionOf } from '../../src/contract/event-log.ts';

const SHAPE: LogShape = { workers: 2, segmentBytes: 64 * 1024, laneBytes: 16 * 1024, bytesMin: 96, bytesMax: 1500 };

let directory = '';
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'spool-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

function sealAndCommit(log: OpenLog, epochs: number): void {
  for (let count = 0; count < epochs; count++) {
    while (!log.workers.seal()) expect(log.writer.commitWaiting()).toBeGreaterThan(0);
  }
  while (log.writer.waiting()) log.writer.commitWaiting();
}

describe('round trip on real files', () => {
  test('epochs of two workers, over many segments, come back in order and whole', () => {
    const log = openLog(nodeStorage, directory, SHAPE);
    sealAndCommit(log, 500);
    expect(durableEpoch(log.control)).toBe(500);
    expectEpochs(nodeStorage, directory, SHAPE, 1, 500);
    expectEpochs(nodeStorage, directory, SHAPE, 317, 402);
    log.writer.close();
    const recovered = recoverSpool(nodeStorage, directory, SHAPE.segmentBytes);
    expect(recovered).toMatchObject({ firstEpoch: 1, lastEpoch: 500, cutBytes: 0, run: 1 });
    expect(recovered.segments.length).toBeGreaterThan(5);
    const rows = Array.from({ length: 500 }, (_, index) => ((index + 1) % 10) * 2).reduce(
      (sum, value) => sum + value,
      0,
    );
    expect(recovered.totals).toMatchObject({
      rows,
      frames: 1000,
      received: rows + 3000,
      duplicates: 2000,
      deadLettered: 1000,
    });
  });

  test('an epoch is taken only once all its blocks are there, and some epochs lack a worker', () => {
    const seed = 11;
    const shape = { ...SHAPE, workers: 3, random: seededRandom(seed) };
    const log = openLog(nodeStorage, directory, shape);
    sealAndCommit(log, 200);
    expectEpochs(nodeStorage, directory, shape, 1, 200);
    log.writer.close();
  });

  test('a reader that follows the tail sees each epoch as soon as it is durable, across starts', () => {
    const reader = openSpoolReader(nodeStorage, directory);
    let next = 1;
    for (let start = 1; start <= 4; start++) {
      const log = openLog(nodeStorage, directory, SHAPE);
      expect(log.recovered).toMatchObject({ lastEpoch: next - 1, run: start - 1 });
      for (let round = 0; round < 60; round++) {
        sealAndCommit(log, 1 + (round % 3));
        const durable = durableEpoch(log.control);
        for (const found of reader.through(positionOf(durable))) expect(found.epoch).toBe(next++);
        expect(next).toBe(durable + 1);
        expect(reader.next(positionOf(durable))).toBeNull();
      }
      log.writer.close();
    }
    expectEpochs(nodeStorage, directory, SHAPE, 1, next - 1);
  });

  test('kept buffers stay readable', () => {
    const log = openLog(nodeStorage, directory, SHAPE);
    sealAndCommit(log, 100);
    log.writer.close();
    const reader = openSpoolReader(nodeStorage, directory, { keepBuffers: true });
    const all = [...reader.through(positionOf(100))];
    const again = openSpoolReader(nodeStorage, directory);
    for (const kept of all)
      expect(again.next(positionOf(100))?.blocks.map((block) => Buffer.from(block))).toEqual(
        kept.blocks.map((block) => Buffer.from(block)),
      );
  });

  test('trimmed segments are used again, and what they held never comes back', () => {
    const log = openLog(nodeStorage, directory, SHAPE);
    for (let round = 0; round < 40; round++) {
      sealAndCommit(log, 50);
      log.writer.trim(positionOf(Math.max(1, durableEpoch(log.control) - 60)));
      while (log.writer.work());
    }
    expectEpochs(nodeStorage, directory, SHAPE, 2000 - 60, 2000);
    expect(fs.readdirSync(directory).length).toBeLessThan(12);
    log.writer.close();
    const again = openLog(nodeStorage, directory, SHAPE);
    expect(again.recovered.lastEpoch).toBe(2000);
    expect(again.recovered.firstEpoch).toBeGreaterThan(1800);
    expect(again.recovered.firstEpoch).toBeLessThanOrEqual(1940);
    sealAndCommit(again, 50);
    expectEpochs(nodeStorage, directory, SHAPE, 1940, 2050);
    again.writer.close();
  });

  test('the limit in bytes closes ingress and a trim opens it', () => {
    const log = openLog(nodeStorage, directory, { ...SHAPE, spoolBytesMax: 2 * SHAPE.segmentBytes });
    sealAndCommit(log, 50);
    expect(Atomics.load(log.control, SPOOL_FULL)).toBe(0);
    sealAndCommit(log, 100);
    expect(Atomics.load(log.control, SPOOL_FULL)).toBe(1);
    log.writer.trim(positionOf(durableEpoch(log.control)));
    while (log.writer.work());
    expect(Atomics.load(log.control, SPOOL_FULL)).toBe(0);
    log.writer.close();
  });

  test('spare files are bounded, and files of another size are not used', async () => {
    const log = openLog(nodeStorage, directory, { ...SHAPE, sparesMax: 2 });
    sealAndCommit(log, 600);
    log.writer.trim(positionOf(601));
    while (log.writer.work());
    log.writer.close();
    await expect
      .poll(() => fs.readdirSync(directory).filter((name) => segmentSlotOf(name) >= 0).length)
      .toBeLessThanOrEqual(3);
    const larger = { ...SHAPE, segmentBytes: 2 * SHAPE.segmentBytes };
    const again = openLog(nodeStorage, directory, larger);
    sealAndCommit(again, 300);
    expectEpochs(nodeStorage, directory, larger, 601, 900);
    again.writer.close();
  });
});
