import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { recoverSpool } from '../../src/spool/recover-spool.ts';
import { slotPath } from '../../src/spool/segment-pool.ts';
import { nodeStorage } from '../../src/spool/storage.ts';
import { LossyStorage, seededRandom } from './lossy-storage.ts';
import { expectEpochs, markIn, openLog } from './open-log.ts';
import type { LogShape } from './open-log.ts';
import { written, positionOf } from '../../src/contract/event-log.ts';

const SHAPE: LogShape = { workers: 2, segmentBytes: 32 * 1024, laneBytes: 8192, bytesMin: 96, bytesMax: 160 };
const SEGMENT_RECORD_BYTES = 96;

let directory = '';
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'spool-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

/** A log whose six epochs were one group, so that any tear in it may have happened. Returns the whole bytes. */
function smallLog(): Uint8Array {
  const log = openLog(nodeStorage, directory, SHAPE);
  for (let epoch = 1; epoch <= 6; epoch++) log.workers.seal();
  expect(log.writer.commitWaiting()).toBe(6);
  log.writer.close();
  return fs
    .readFileSync(slotPath(directory, 1))
    .subarray(0, recoverSpool(nodeStorage, directory, SHAPE.segmentBytes).position);
}

function writeTorn(whole: Uint8Array, rest: number): void {
  const bytes = new Uint8Array(SHAPE.segmentBytes).fill(rest);
  bytes.set(whole);
  fs.writeFileSync(slotPath(directory, 1), bytes);
}

test('a log torn at any byte is cut after its last whole epoch', () => {
  const whole = smallLog();
  for (const rest of [0, 0xa5]) {
    let previous = 0;
    for (let length = SEGMENT_RECORD_BYTES; length <= whole.length; length++) {
      writeTorn(whole.subarray(0, length), rest);
      const recovered = recoverSpool(nodeStorage, directory, SHAPE.segmentBytes);
      expect(written(recovered.lastEpoch)).toBeGreaterThanOrEqual(previous);
      // The last bytes may be padding, which the tear replaced by the same bytes.
      expect(recovered.position).toBeLessThanOrEqual(length + 7);
      previous = written(recovered.lastEpoch);
      if (length % 16 === 0) expectEpochs(nodeStorage, directory, SHAPE, 1, written(recovered.lastEpoch));
    }
    expect(previous).toBe(6);
  }
});

test('a damaged byte anywhere cuts the log before its epoch', () => {
  const whole = smallLog();
  for (let at = SEGMENT_RECORD_BYTES; at < whole.length; at += 5) {
    const bytes = Uint8Array.from(whole);
    bytes[at] = (bytes[at] ^ 0x40) & 0xff;
    writeTorn(bytes, 0);
    const recovered = recoverSpool(nodeStorage, directory, SHAPE.segmentBytes);
    expect(recovered.position).toBeLessThanOrEqual(at);
    expect(recovered.lastEpoch).toBeLessThan(6);
    expectEpochs(nodeStorage, directory, SHAPE, 1, written(recovered.lastEpoch));
  }
});

test('what lies behind a cut never comes back, though the new epoch ends exactly where it begins', () => {
  const epochBytes = 96 + 8 + 264;
  const old = { ...SHAPE, workers: 1, bytesMin: 264, bytesMax: 264 };
  const before = openLog(nodeStorage, directory, old);
  // The group's sync never returned, so the mark has not heard of it.
  const mark = fs.readFileSync(markIn(directory));
  for (let epoch = 1; epoch <= 6; epoch++) before.workers.seal();
  before.writer.commitWaiting();
  before.writer.close();
  fs.writeFileSync(markIn(directory), mark);
  // Epoch 3 is torn, 4 to 6 are whole behind it.
  const bytes = fs.readFileSync(slotPath(directory, 1));
  bytes[SEGMENT_RECORD_BYTES + 2 * epochBytes + 200] ^= 1;
  fs.writeFileSync(slotPath(directory, 1), bytes);
  // RUN record and a smaller epoch 3 take just the torn one's place.
  const smaller = { ...old, bytesMin: 264 - 96, bytesMax: 264 - 96 };
  const after = openLog(nodeStorage, directory, smaller);
  expect(after.recovered).toMatchObject({ lastEpoch: 2, cutBytes: 4 * epochBytes, run: 1 });
  after.workers.seal();
  after.writer.commitWaiting();
  after.writer.close();
  const recovered = recoverSpool(nodeStorage, directory, SHAPE.segmentBytes);
  expect(recovered).toMatchObject({
    lastEpoch: 3,
    cutBytes: 0,
    run: 2,
    position: SEGMENT_RECORD_BYTES + 3 * epochBytes,
  });
});

test('what a killed process had whole and not synced counts, and then survives a power cut', () => {
  const disk = new LossyStorage();
  const log = openLog(disk, '/log', SHAPE);
  for (let epoch = 1; epoch <= 6; epoch++) log.workers.seal();
  let operation = 0;
  disk.onOperation(() => {
    if (++operation === 2) throw new Error('killed');
  });
  expect(() => log.writer.commitWaiting()).toThrow();
  disk.onOperation(null);
  expect(recoverSpool(disk, '/log', SHAPE.segmentBytes).lastEpoch).toBe(6);
  const image = disk.image(() => 1);
  expect(recoverSpool(image, '/log', SHAPE.segmentBytes).lastEpoch).toBe(6);
});

test('damage to epochs that had been durable is refused, not cut', () => {
  const log = openLog(nodeStorage, directory, SHAPE);
  for (let epoch = 1; epoch <= 6; epoch++) {
    log.workers.seal();
    log.writer.commitWaiting();
  }
  log.writer.close();
  const file = slotPath(directory, 1);
  const whole = fs.readFileSync(file);
  for (const at of [20, SEGMENT_RECORD_BYTES + 120, SEGMENT_RECORD_BYTES + 500]) {
    const bytes = Uint8Array.from(whole);
    bytes[at] = (bytes[at] ^ 1) & 0xff;
    fs.writeFileSync(file, bytes);
    expect(() => recoverSpool(nodeStorage, directory, SHAPE.segmentBytes)).toThrow(
      expect.objectContaining({ code: 'spool_corrupt' }),
    );
  }
});

test('a damaged epoch in an older segment is thrown by the reader', () => {
  const log = openLog(nodeStorage, directory, SHAPE);
  for (let epoch = 1; epoch <= 200; epoch++) {
    log.workers.seal();
    log.writer.commitWaiting();
  }
  log.writer.close();
  const bytes = fs.readFileSync(slotPath(directory, 2));
  bytes[5000] ^= 1;
  fs.writeFileSync(slotPath(directory, 2), bytes);
  expect(recoverSpool(nodeStorage, directory, SHAPE.segmentBytes).lastEpoch).toBe(200);
  expect(() => expectEpochs(nodeStorage, directory, SHAPE, 1, 200)).toThrow(/cannot be read/);
});

test('recycled files full of old epochs of the same size never lend them to a torn tail', () => {
  const seed = Number(process.env['TEST_SEED'] ?? 20261);
  console.log(`seed=${seed}`);
  const random = seededRandom(seed);
  const shape = { ...SHAPE, bytesMin: 104, bytesMax: 104, sparesMax: 8 };
  let disk = new LossyStorage();
  let durable = 0;
  let trimmed = 1;
  for (let round = 0; round < 60; round++) {
    const log = openLog(disk, '/log', shape);
    expect(log.recovered.lastEpoch).toBeGreaterThanOrEqual(durable);
    durable = written(log.recovered.lastEpoch);
    expectEpochs(disk, '/log', shape, Math.max(trimmed, written(log.recovered.firstEpoch)), durable);
    disk.crashAfter(1 + Math.floor(random() * 120), random);
    try {
      for (;;) {
        for (let count = 0; count < 5; count++) log.workers.seal();
        durable += log.writer.commitWaiting();
        trimmed = Math.max(trimmed, durable - 40);
        log.writer.trim(positionOf(trimmed));
        log.writer.work();
      }
    } catch (error) {
      if (!disk.crashed) throw error;
    }
    disk = disk.image(random);
  }
});
