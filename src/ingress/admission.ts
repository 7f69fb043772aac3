/**
 * Admission: the records that ingress writes into the workers' lanes. Nothing is parsed and nothing waits; where there is no
 * room the caller answers RETRY. Ingress thread.
 */

import { BELL_STRIDE, SPOOL_FULL, STOPPING, WORKER_BELL } from '../../native-free-core/layout/control-layout.ts';
import {
  ACK_DURABLE,
  ACK_STORED,
  FRAME_HEADER_BYTES,
  OPEN_DEDUP,
  OPEN_HEADER_BYTES,
  OPEN_HELLO,
  READ_HEADER_BYTES,
  RECORD_CLOSE,
  RECORD_FRAME,
  RECORD_OPEN,
  RECORD_READ,
} from '../../native-free-core/layout/records.ts';
import { ring } from '../../native-free-core/ring/doorbell.ts';
import { commit, reserve, type Lane } from '../../native-free-core/ring/lane.ts';
import type { Peer } from './peers.ts';

export interface OpenFlags {
  readonly hello: boolean;
  readonly dedup: boolean;
}

export class Admission {
  readonly #control: Int32Array;
  readonly #lanes: readonly Lane[];
  /** Closes that found no room; a worker keeps such a session a little longer. */
  readonly #closes: Peer[] = [];

  constructor(control: Int32Array, lanes: readonly Lane[]) {
    this.#control = control;
    this.#lanes = lanes;
  }

  get workers(): number {
    return this.#lanes.length;
  }

  /** False while nothing may come in. */
  get open(): boolean {
    return Atomics.load(this.#control, SPOOL_FULL) === 0 && Atomics.load(this.#control, STOPPING) === 0;
  }

  openPeer(peer: Peer, flags: OpenFlags): boolean {
    const name = Buffer.from(peer.producer, 'utf8');
    const lane = this.#lanes[peer.worker]!;
    const at = reserve(lane, RECORD_OPEN, OPEN_HEADER_BYTES + name.length);
    if (at < 0) return false;
    lane.view.setUint32(at, peer.slot, true);
    lane.view.setUint32(at + 4, peer.generation, true);
    lane.bytes[at + 8] = peer.encoding;
    lane.bytes[at + 9] = peer.stored ? ACK_STORED : ACK_DURABLE;
    lane.bytes[at + 10] = (flags.hello ? OPEN_HELLO : 0) | (flags.dedup ? OPEN_DEDUP : 0);
    lane.bytes[at + 11] = 0;
    lane.view.setUint32(at + 12, name.length, true);
    lane.bytes.set(name, at + OPEN_HEADER_BYTES);
    this.#publish(lane, peer.worker);
    return true;
  }

  /** Copies a frame into the peer's lane; false where there is no room. `seq` 0: the frame has none of its own. */
  frame(peer: Peer, bytes: Uint8Array, seqLow: number, seqHigh: number, admittedAt: number): boolean {
    const lane = this.#lanes[peer.worker]!;
    const at = reserve(lane, RECORD_FRAME, FRAME_HEADER_BYTES + bytes.length);
    if (at < 0) return false;
    lane.view.setUint32(at, peer.slot, true);
    lane.view.setUint32(at + 4, peer.generation, true);
    lane.view.setUint32(at + 8, seqLow, true);
    lane.view.setUint32(at + 12, seqHigh, true);
    lane.view.setFloat64(at + 16, admittedAt, true);
    lane.bytes.set(bytes, at + FRAME_HEADER_BYTES);
    peer.admitted++;
    this.#publish(lane, peer.worker);
    return true;
  }

  read(peer: Peer, entity: number, key: Uint8Array): boolean {
    const lane = this.#lanes[peer.worker]!;
    const at = reserve(lane, RECORD_READ, READ_HEADER_BYTES + key.length);
    if (at < 0) return false;
    lane.view.setUint32(at, peer.slot, true);
    lane.view.setUint32(at + 4, peer.generation, true);
    lane.view.setUint32(at + 8, entity, true);
    lane.view.setUint32(at + 12, 0, true);
    lane.bytes.set(key, at + READ_HEADER_BYTES);
    peer.admitted++;
    this.#publish(lane, peer.worker);
    return true;
  }

  close(peer: Peer): void {
    this.#closes.push(peer);
    this.flushCloses();
  }

  flushCloses(): void {
    while (this.#closes.length > 0) {
      const peer = this.#closes[0]!;
      const lane = this.#lanes[peer.worker]!;
      const at = reserve(lane, RECORD_CLOSE, 8);
      if (at < 0) return;
      lane.view.setUint32(at, peer.slot, true);
      lane.view.setUint32(at + 4, peer.generation, true);
      this.#publish(lane, peer.worker);
      this.#closes.shift();
    }
  }

  #publish(lane: Lane, worker: number): void {
    commit(lane);
    ring(this.#control, WORKER_BELL + worker * BELL_STRIDE);
  }
}

/** Which worker a producer's frames go to: always the same, so that they stay in order. FNV-1a. */
export function workerOf(producer: string, workers: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < producer.length; i++) hash = Math.imul(hash ^ producer.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % workers;
}
