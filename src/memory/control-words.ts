/**
 * The main thread's view of the control region: epochs as whole numbers, the watermarks, stopping. Used by engine/start.ts.
 */

import {
  DURABLE_BELL,
  DURABLE_LOW,
  INGRESS_BELL,
  BELL_STRIDE,
  CHANGING,
  OVERFLOWS,
  STOPPING,
  STORED_LOW,
  WITHOUT_ROOM,
  WORKER_BELL,
} from '../../native-free-core/layout/control-layout.ts';
import { lastTouchedEpoch, startEpochs } from '../../native-free-core/decide/epoch.ts';
import { cancelSleep, prepareSleep, ring } from '../../native-free-core/ring/doorbell.ts';
import { loadWatermark, storeWatermark } from '../../native-free-core/ring/watermark.ts';
import type { AbsenceFigures } from '../contract/figures.ts';
import { after, isBefore, positionOf, written, type Position } from '../contract/event-log.ts';
import type { SharedMemory } from './regions.ts';

export interface ControlWords {
  readonly words: Int32Array;
  /** Before any thread runs. */
  begin(lastEpoch: Position, receivedAtMin: number): void;
  /** The last epoch that may have changed a table. */
  touchedEpoch(): Position;
  publishStored(epoch: Position): void;
  storedEpoch(): Position;
  /** Resolves once an epoch beyond this one is durable, or after so many ms; sooner where a stop or a change begins. */
  whenDurableMoves(beyond: Position, msMax: number): Promise<void>;
  /** Events whose features are partly absent since the start, by the reason. */
  absences(): AbsenceFigures;
  /** The workers end between two epochs, to make room for others; and it is over. */
  beginChange(): void;
  endChange(): void;
  /** Tells every thread to end once its lanes are empty. */
  stop(): void;
}

export function controlWords(memory: SharedMemory): ControlWords {
  const words = new Int32Array(memory.control);
  const ringAll = (): void => {
    for (let i = 0; i < memory.workers; i++) ring(words, WORKER_BELL + i * BELL_STRIDE);
    for (let i = 0; i < memory.ingresses; i++) ring(words, INGRESS_BELL + i * BELL_STRIDE);
    ring(words, DURABLE_BELL);
  };
  return {
    words,
    begin(lastEpoch, receivedAtMin) {
      startEpochs(words, written(after(lastEpoch)), receivedAtMin);
      storeWatermark(words, DURABLE_LOW, written(lastEpoch));
    },
    touchedEpoch: () => positionOf(lastTouchedEpoch(words)),
    publishStored(epoch) {
      storeWatermark(words, STORED_LOW, written(epoch));
      ringAll();
    },
    storedEpoch: () => positionOf(loadWatermark(words, STORED_LOW)),
    async whenDurableMoves(beyond, msMax) {
      const ticket = prepareSleep(words, DURABLE_BELL);
      const isThere = isBefore(beyond, positionOf(loadWatermark(words, DURABLE_LOW)));
      if (!isThere) {
        const wait = Atomics.waitAsync(words, DURABLE_BELL, ticket, msMax);
        if (wait.async) await wait.value;
      }
      cancelSleep(words, DURABLE_BELL);
    },
    absences: () => ({
      withoutRoom: Atomics.load(words, WITHOUT_ROOM) >>> 0,
      overflows: Atomics.load(words, OVERFLOWS) >>> 0,
    }),
    beginChange() {
      Atomics.store(words, CHANGING, 1);
      ringAll();
    },
    endChange: () => void Atomics.store(words, CHANGING, 0),
    stop() {
      Atomics.store(words, STOPPING, 1);
      ringAll();
    },
  };
}
