/**
 * The account of answers that wait for ClickHouse. While it is away they gather in lanes, and a worker that finds its lane
 * full waits, with everybody's frames; so no more of them are admitted than have room there. Ingress thread.
 */
// hot path: no allocation

import { laneUsedBytes, type Lane } from '../../native-free-core/ring/lane.ts';

/** Until answers have been seen: one to 500 events with two decisions. */
const ANSWER_BYTES_GUESS = 1024;
/** How much one answer moves the average. */
const WEIGHT = 1 / 16;

export class StoredAnswers {
  /** By worker. */
  readonly lanes: readonly Lane[];
  readonly #outstanding: Int32Array;
  #averageBytes = ANSWER_BYTES_GUESS;

  constructor(lanes: readonly Lane[]) {
    this.lanes = lanes;
    this.#outstanding = new Int32Array(lanes.length);
  }

  /** Half of the lane is kept for answers that are larger than the average. */
  hasRoom(worker: number): boolean {
    const lane = this.lanes[worker]!;
    const half = lane.capacity / 2;
    return this.#outstanding[worker]! * this.#averageBytes < half && laneUsedBytes(lane) < half;
  }

  admitted(worker: number): void {
    this.#outstanding[worker]!++;
  }

  /** An answer of so many bytes has left the worker's lane. */
  left(worker: number, bytes: number): void {
    this.#outstanding[worker]!--;
    this.#averageBytes += (bytes - this.#averageBytes) * WEIGHT;
  }
}
