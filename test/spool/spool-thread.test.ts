import { createLane } from '../../native-free-core/ring/lane.ts';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { BELL_STRIDE, INGRESS_BELL, SPOOL_BELL } from '../../native-free-core/layout/control-layout.ts';
import { ring } from '../../native-free-core/ring/doorbell.ts';
import { recoverSpool } from '../../src/spool/recover-spool.ts';
import { startSpool } from '../../src/spool/spool.ts';
import type { Spool } from '../../src/spool/spool.ts';
import { nodeStorage } from '../../src/spool/storage.ts';
import { expectEpochs, markIn } from './open-log.ts';
import { createControl, durableEpoch, simulateWorkers } from './simulated-workers.ts';
import type { SimulatedWorkers } from './simulated-workers.ts';
import { after, positionOf, written } from '../../src/contract/event-log.ts';

const EPOCHS = 1000;
const SHAPE = { workers: 2, segmentBytes: 1 << 20, laneBytes: 64 * 1024, bytesMin: 100, bytesMax: 6000 };

interface Started {
  readonly spool: Spool;
  readonly workers: SimulatedWorkers;
  readonly controlBuffer: SharedArrayBuffer;
  readonly control: Int32Array;
  readonly failures: Error[];
}

function start(directory: string): Started {
  const recovered = recoverSpool(nodeStorage, directory, SHAPE.segmentBytes);
  const fromEpoch = after(recovered.lastEpoch);
  const workers = simulateWorkers({ ...SHAPE, fromEpoch: written(fromEpoch) });
  const controlBuffer = createControl();
  const failures: Error[] = [];
  const spool = startSpool({
    controlBuffer,
    headLane: createLane(4096),
    laneBuffers: workers.buffers,
    ingressCount: 2,
    directory,
    markFile: markIn(directory),
    segmentBytes: SHAPE.segmentBytes,
    recovered,
    fromEpoch,
    log: () => {},
    onFailure: (error) => failures.push(error),
  });
  return { spool, workers, controlBuffer, control: new Int32Array(controlBuffer), failures };
}

async function sealThrough({ workers, control }: Started, through: number): Promise<void> {
  while (workers.epoch <= through) {
    if (workers.seal()) ring(control, SPOOL_BELL);
    else await new Promise(setImmediate);
  }
  await expect.poll(() => durableEpoch(control), { timeout: 10_000 }).toBe(through);
}

test('the compiled thread makes 1,000 epochs of two lanes durable, tells everybody, trims, stops and starts again', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'spool-'));
  const first = start(directory);
  await first.spool.ready;
  await sealThrough(first, EPOCHS);
  expect(Atomics.load(first.control, INGRESS_BELL)).toBeGreaterThan(0);
  expect(Atomics.load(first.control, INGRESS_BELL + BELL_STRIDE)).toBe(Atomics.load(first.control, INGRESS_BELL));
  expectEpochs(nodeStorage, directory, SHAPE, 1, EPOCHS);
  first.spool.trim(positionOf(EPOCHS - 10));
  const durable = await first.spool.stop();
  expect(durable).toBe(EPOCHS);
  expect(first.spool.figures()).toMatchObject({ durableEpoch: EPOCHS, epochs: EPOCHS, full: false });
  const second = start(directory);
  await second.spool.ready;
  await sealThrough(second, EPOCHS + 100);
  expectEpochs(nodeStorage, directory, SHAPE, EPOCHS - 10, EPOCHS + 100);
  await second.spool.stop();
  expect([...first.failures, ...second.failures]).toEqual([]);
  fs.rmSync(directory, { recursive: true });
});

test('a broken invariant ends the thread and is reported', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'spool-'));
  const started = start(directory);
  await started.spool.ready;
  started.workers.epoch = 0;
  started.workers.seal();
  ring(started.control, SPOOL_BELL);
  await expect
    .poll(() => started.failures.map((error) => error.message).join(), { timeout: 5000 })
    .toContain('spool_epoch_order');
  await expect(started.spool.stop()).rejects.toThrow('spool_epoch_order');
  fs.rmSync(directory, { recursive: true });
});
