/**
 * Delivery: takes what the workers have answered out of the lanes as soon as it may be sent, that is once the epoch that it
 * rests on is durable, or stored. Sleeps on the thread's doorbell beside its sockets. Ingress thread.
 */

import { BELL_STRIDE, DURABLE_LOW, INGRESS_BELL, STORED_LOW } from '../../native-free-core/layout/control-layout.ts';
import { ANSWER_HEADER_BYTES, RECORD_ANSWER, RECORD_HELLO, RECORD_LOOKUP, RECORD_READ_ANSWER } from '../../native-free-core/layout/records.ts';
import { cancelSleep, prepareSleep } from '../../native-free-core/ring/doorbell.ts';
import { claim, release, type Lane } from '../../native-free-core/ring/lane.ts';
import type { Peer, Peers } from './peers.ts';

export interface DeliveryTargets {
  readonly peers: Peers;
  readonly hello: (peer: Peer, seqLow: number, seqHigh: number) => void;
  readonly lookup: (peer: Peer, producer: string, seqLow: number, seqHigh: number, epochLow: number) => void;
  readonly readAnswer: (peer: Peer, status: number, body: Uint8Array) => void;
  /** Runs `sends` with the peer's writes gathered into one. */
  readonly corked: (peer: Peer, sends: () => void) => void;
  /** After each turn. */
  readonly idle: () => void;
}

/** Receiving has its turn after so many answers. */
const TURN_RECORDS = 512;
/** A lost wake-up costs no more than this. */
const SLEEP_MS = 50;

export class Delivery {
  readonly #control: Int32Array;
  readonly #bell: number;
  readonly #durable: readonly Lane[];
  readonly #stored: readonly Lane[];
  readonly #targets: DeliveryTargets;
  #stopping = false;

  constructor(control: Int32Array, index: number, durable: readonly Lane[], stored: readonly Lane[], targets: DeliveryTargets) {
    this.#control = control;
    this.#bell = INGRESS_BELL + index * BELL_STRIDE;
    this.#durable = durable;
    this.#stored = stored;
    this.#targets = targets;
  }

  stop(): void {
    this.#stopping = true;
    Atomics.add(this.#control, this.#bell, 1);
    Atomics.notify(this.#control, this.#bell);
  }

  /** Until `stop`. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      const taken = this.drain();
      this.#targets.idle();
      if (taken > 0) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const ticket = prepareSleep(this.#control, this.#bell);
      if (this.#due()) {
        cancelSleep(this.#control, this.#bell);
        continue;
      }
      const wait = Atomics.waitAsync(this.#control, this.#bell, ticket, SLEEP_MS);
      if (wait.async) await wait.value;
      cancelSleep(this.#control, this.#bell);
    }
  }

  /** Sends what may be sent, up to a turn's worth; returns how many records it took. */
  drain(): number {
    const durable = Atomics.load(this.#control, DURABLE_LOW);
    const stored = Atomics.load(this.#control, STORED_LOW);
    let taken = 0;
    for (const lane of this.#durable) taken += this.#drainLane(lane, durable);
    for (const lane of this.#stored) taken += this.#drainLane(lane, stored);
    return taken;
  }

  #due(): boolean {
    const durable = Atomics.load(this.#control, DURABLE_LOW);
    const stored = Atomics.load(this.#control, STORED_LOW);
    return this.#durable.some((lane) => mayGo(lane, durable)) || this.#stored.some((lane) => mayGo(lane, stored));
  }

  /** Answers of one peer that follow one another go out in one write. */
  #drainLane(lane: Lane, reached: number): number {
    let taken = 0;
    while (taken < TURN_RECORDS && mayGo(lane, reached)) {
      const at = claim(lane);
      const slot = lane.view.getUint32(at, true);
      const peer = this.#targets.peers.find(slot, lane.view.getUint32(at + 4, true));
      if (peer === undefined) {
        release(lane);
        taken++;
        continue;
      }
      this.#targets.corked(peer, () => {
        for (let same = true; same && taken < TURN_RECORDS; taken++) {
          this.#deliver(peer, lane, claim(lane));
          release(lane);
          const next = mayGo(lane, reached) ? claim(lane) : -1;
          same = next >= 0 && lane.view.getUint32(next, true) === slot && lane.view.getUint32(next + 4, true) === peer.generation;
        }
      });
    }
    return taken;
  }

  #deliver(peer: Peer, lane: Lane, at: number): void {
    const body = lane.bytes.subarray(at + ANSWER_HEADER_BYTES, at + lane.claimedBytes);
    const flags = lane.view.getUint32(at + 12, true);
    switch (lane.claimedKind) {
      case RECORD_ANSWER:
        return peer.answer(body, flags);
      case RECORD_HELLO:
        return this.#targets.hello(peer, lane.view.getUint32(at + 16, true), lane.view.getUint32(at + 20, true));
      case RECORD_READ_ANSWER:
        return this.#targets.readAnswer(peer, flags, body);
      case RECORD_LOOKUP: {
        const nameBytes = lane.view.getUint32(at + 24, true);
        const name = Buffer.from(lane.bytes.slice(at + 28, at + 28 + nameBytes)).toString('utf8');
        const [low, high] = [lane.view.getUint32(at + 16, true), lane.view.getUint32(at + 20, true)];
        return this.#targets.lookup(peer, name, low, high, lane.view.getInt32(at + 8, true));
      }
    }
  }
}

function mayGo(lane: Lane, reached: number): boolean {
  const at = claim(lane);
  return at >= 0 && ((lane.view.getInt32(at + 8, true) - reached) | 0) <= 0;
}
