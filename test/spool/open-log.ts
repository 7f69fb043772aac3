/** What the spool's tests share: a writer on any storage with simulated workers, and the check that a log is as sealed. */

import path from 'node:path';

import { expect } from 'vitest';

import { MARK_NAME } from '../../src/spool/durable-mark.ts';
import type { SpoolExpectation } from '../../src/spool/inspect.ts';
import { openSpoolReader } from '../../src/spool/reader.ts';
import { recoverSpool } from '../../src/spool/recover-spool.ts';
import type { RecoveredSpool } from '../../src/spool/recover-spool.ts';
import { SpoolWriter } from '../../src/spool/spool-writer.ts';
import type { Lane } from '../../native-free-core/ring/lane.ts';
import type { Storage } from '../../src/spool/storage.ts';
import type { Random } from './lossy-storage.ts';
import { blockBytes, createControl, participantsOf, sealedBlock, simulateWorkers } from './simulated-workers.ts';
import type { SimulatedWorkers } from './simulated-workers.ts';
import { after, BEFORE_FIRST, LAST, positionOf, written } from '../../src/contract/event-log.ts';

export interface LogShape {
  readonly workers: number;
  readonly segmentBytes: number;
  readonly laneBytes: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly spoolBytesMax?: number;
  readonly sparesMax?: number;
  readonly random?: Random;
  readonly heads?: Lane;
  readonly now?: () => number;
  readonly log?: (level: string, message: string) => void;
}

export interface OpenLog {
  readonly recovered: RecoveredSpool;
  readonly writer: SpoolWriter;
  readonly workers: SimulatedWorkers;
  readonly control: Int32Array;
}

export function markIn(directory: string): string {
  return path.join(directory, MARK_NAME);
}

/** As a start of the engine expects it: all that the mark promises, every byte read. */
export function expectationIn(directory: string): SpoolExpectation {
  return {
    markFile: markIn(directory),
    promised: [],
    storedEpoch: BEFORE_FIRST,
    neededFrom: LAST,
    verifiedFrom: after(BEFORE_FIRST),
  };
}

/** Recovers and opens the log in `directory`, as a start of the engine does. */
export function openLog(storage: Storage, directory: string, shape: LogShape): OpenLog {
  const recovered = recoverSpool(storage, directory, shape.segmentBytes, expectationIn(directory));
  const workers = simulateWorkers({ ...shape, fromEpoch: written(recovered.lastEpoch) + 1 });
  const control = new Int32Array(createControl());
  const writer = new SpoolWriter({
    storage,
    directory,
    markFile: markIn(directory),
    segmentBytes: shape.segmentBytes,
    spoolBytesMax: shape.spoolBytesMax ?? 1024 * shape.segmentBytes,
    sparesMax: shape.sparesMax ?? 4,
    recovered,
    fromEpoch: after(recovered.lastEpoch),
    control,
    lanes: workers.lanes,
    ...(shape.heads === undefined ? {} : { heads: shape.heads }),
    ingressCount: 1,
    now: shape.now ?? (() => performance.now()),
    log: shape.log ?? (() => {}),
  });
  return { recovered, writer, workers, control };
}

/** Reads [from, through] and compares every block with what must have been sealed. Returns the last epoch's totals. */
export function expectEpochs(
  storage: Storage,
  directory: string,
  shape: LogShape,
  from: number,
  through: number,
): void {
  const reader = openSpoolReader(storage, directory);
  reader.seek(positionOf(from));
  let epoch = from;
  for (const found of reader.through(positionOf(through))) {
    const participants = participantsOf(epoch, shape.workers, shape.random !== undefined);
    if (written(found.epoch) !== epoch || found.workers.join() !== participants.join()) {
      expect({ epoch: found.epoch, workers: found.workers }).toEqual({ epoch, workers: participants });
    }
    participants.forEach((worker, index) => {
      const wanted = sealedBlock(epoch, worker, blockBytes(epoch, worker, shape.bytesMin, shape.bytesMax));
      const block = found.blocks[index];
      if (block.byteOffset % 8 !== 0 || Buffer.compare(block, wanted) !== 0) {
        expect(Buffer.from(block).toString('hex'), `epoch=${epoch} worker=${worker}`).toBe(
          Buffer.from(wanted).toString('hex'),
        );
      }
    });
    epoch++;
  }
  expect(epoch).toBe(through + 1);
  reader.close();
}
