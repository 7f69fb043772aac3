/**
 * The main thread's view of the control region: epochs as whole numbers, the watermarks, stopping. Used by engine/start.ts.
 */

import {
  DURABLE_BELL,
  DURABLE_HIGH,
  DURABLE_LOW,
  EPOCH_ACTIVE,
  EPOCH_HIGH,
  EPOCH_LOW,
  INGRESS_BELL,
  BELL_STRIDE,
  CHANGING,
  STOPPING,
  STORED_HIGH,
  STORED_LOW,
  WORKER_BELL,
} from '../../native-free-core/layout/control-layout.ts';
import { startEpochs } from '../../native-free-core/decide/epoch.ts';
import { ring } from '../../native-free-core/ring/doorbell.ts';
import type { SharedMemory } from './regions.ts';

const HIGH = 4294967296;
/** How often whoever waits for an epoch looks again, ms: nothing on the main thread waits for less. */
const LOOK_MS = 5;

export interface ControlWords {
  readonly words: Int32Array;
  /** Before any thread runs. */
  begin(lastEpoch: number, receivedAtMin: number): void;
  durableEpoch(): number;
  /** The last epoch that may have changed a table. */
  touchedEpoch(): number;
  publishStored(epoch: number): void;
  storedEpoch(): number;
  whenDurable(epoch: number): Promise<void>;
  /** The workers end between two epochs, to make room for others; and it is over. */
  beginChange(): void;
  endChange(): void;
  /** Tells every thread to end once its lanes are empty. */
  stop(): void;
}

export function controlWords(memory: SharedMemory): ControlWords {
  const words = new Int32Array(memory.control);
  const load = (low: number, high: number): number => {
    for (;;) {
      // The high word changes once in 2^32 epochs; read twice, it cannot be torn.
      const before = Atomics.load(words, high);
      const value = Atomics.load(words, low) >>> 0;
      if (Atomics.load(words, high) === before) return (before >>> 0) * HIGH + value;
    }
  };
  const store = (low: number, high: number, epoch: number): void => {
    Atomics.store(words, high, Math.floor(epoch / HIGH));
    Atomics.store(words, low, (epoch % HIGH) | 0);
  };
  const durableEpoch = (): number => load(DURABLE_LOW, DURABLE_HIGH);
  const ringAll = (): void => {
    for (let i = 0; i < memory.workers; i++) ring(words, WORKER_BELL + i * BELL_STRIDE);
    for (let i = 0; i < memory.ingresses; i++) ring(words, INGRESS_BELL + i * BELL_STRIDE);
    ring(words, DURABLE_BELL);
  };
  return {
    words,
    begin(lastEpoch, receivedAtMin) {
      startEpochs(words, lastEpoch + 1, receivedAtMin);
      store(DURABLE_LOW, DURABLE_HIGH, lastEpoch);
    },
    durableEpoch,
    touchedEpoch() {
      const running = load(EPOCH_LOW, EPOCH_HIGH);
      return Atomics.load(words, EPOCH_ACTIVE) === 0 ? running - 1 : running;
    },
    publishStored(epoch) {
      store(STORED_LOW, STORED_HIGH, epoch);
      ringAll();
    },
    storedEpoch: () => load(STORED_LOW, STORED_HIGH),
    async whenDurable(epoch) {
      while (durableEpoch() < epoch) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    },
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
