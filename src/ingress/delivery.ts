/**
 * Delivery: takes what the workers have answered out of the lanes as soon as it may be sent, that is once the epoch that it
 * rests on is durable, or stored. Sleeps on the thread's doorbell beside its sockets. Ingress thread.
 */

import { BELL_STRIDE, DURABLE_LOW, INGRESS_BELL, STORED_LOW } from '../../native-free-core/layout/control-layout.ts';
import {
  ANSWER_HEADER_BYTES,
  RECORD_ANSWER,
  RECORD_HELLO,
  RECORD_LOOKUP,
  RECORD_READ_ANSWER,
} from '../../native-free-core/layout/records.ts';
import { cancelSleep, prepareSleep, ring } from '../../native-free-core/ring/doorbell.ts';
import { claim, release, type Lane } from '../../native-free-core/ring/lane.ts';
import type { LookupRequest } from './messages.ts';
import type { Peer, Peers } from './peers.ts';
import type { StoredAnswers } from './stored-answers.ts';

export interface DeliveryTargets {
  readonly peers: Peers;
  readonly hello: (peer: Peer, seqLow: number, seqHigh: number) => void;
  readonly lookup: (peer: Peer, request: LookupRequest) => void;
  readonly readAnswer: (peer: Peer, status: number, body: Uint8Array) => void;
  /** After each turn, and at least every SLEEP_MS. */
  readonly afterTurn: () => void;
}

/** What one turn may cost before receiving has its own: so many answers, or so many kilobytes of them. About a millisecond. */
const TURN_COST_MAX = 1024;
/** A lost wake-up costs no more than this. */
const SLEEP_MS = 50;

export class Delivery {
  readonly #control: Int32Array;
  readonly #bell: number;
  readonly #durable: readonly Lane[];
  readonly #stored: StoredAnswers;
  readonly #targets: DeliveryTargets;
  answers = 0;
  #stopping = false;
  /** The lane and the peer of the answers that are being gathered, and how far the lane may be read. */
  #lane: Lane;
  #peer: Peer | undefined;
  #reached = 0;
  #cost = 0;
  /** Whose stored answers they are, -1: durable ones. */
  #storedWorker = -1;
  readonly #sendGathered = (): void => this.#sendToPeer();

  constructor(
    control: Int32Array,
    index: number,
    durable: readonly Lane[],
    stored: StoredAnswers,
    targets: DeliveryTargets,
  ) {
    this.#control = control;
    this.#bell = INGRESS_BELL + index * BELL_STRIDE;
    this.#durable = durable;
    this.#stored = stored;
    this.#targets = targets;
    this.#lane = durable[0]!;
  }

  stop(): void {
    this.#stopping = true;
    ring(this.#control, this.#bell);
  }

  /** Until `stop`. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      const busy = this.#drain();
      this.#targets.afterTurn();
      if (busy) await new Promise((resolve) => setImmediate(resolve));
      else await this.#sleep();
    }
  }

  async #sleep(): Promise<void> {
    const ticket = prepareSleep(this.#control, this.#bell);
    if (!this.#isDue() && !this.#stopping) {
      const wait = Atomics.waitAsync(this.#control, this.#bell, ticket, SLEEP_MS);
      if (wait.async) await wait.value;
    }
    cancelSleep(this.#control, this.#bell);
  }

  /** Sends what may be sent, up to a turn's worth; false where there was nothing. */
  #drain(): boolean {
    const durable = Atomics.load(this.#control, DURABLE_LOW);
    const stored = Atomics.load(this.#control, STORED_LOW);
    let taken = 0;
    for (const lane of this.#durable) taken += this.#drainLane(lane, durable, -1);
    for (let i = 0; i < this.#stored.lanes.length; i++) taken += this.#drainLane(this.#stored.lanes[i]!, stored, i);
    return taken > 0;
  }

  #isDue(): boolean {
    const durable = Atomics.load(this.#control, DURABLE_LOW);
    const stored = Atomics.load(this.#control, STORED_LOW);
    for (const lane of this.#durable) if (claimReached(lane, durable) >= 0) return true;
    for (const lane of this.#stored.lanes) if (claimReached(lane, stored) >= 0) return true;
    return false;
  }

  /** Answers of one peer that follow one another go out in one write. Returns what it cost. */
  #drainLane(lane: Lane, reached: number, storedWorker: number): number {
    this.#lane = lane;
    this.#storedWorker = storedWorker;
    this.#reached = reached;
    this.#cost = 0;
    while (this.#cost < TURN_COST_MAX) {
      const at = claimReached(lane, reached);
      if (at < 0) break;
      this.#peer = this.#targets.peers.find(lane.view.getUint32(at, true), lane.view.getUint32(at + 4, true));
      if (this.#peer === undefined) this.#next();
      else this.#peer.outlet.gather(this.#sendGathered);
    }
    return this.#cost;
  }

  #sendToPeer(): void {
    const lane = this.#lane;
    const peer = this.#peer!;
    const view = lane.view;
    for (;;) {
      const at = claimReached(lane, this.#reached);
      if (at < 0 || view.getUint32(at, true) !== peer.slot || view.getUint32(at + 4, true) !== peer.generation) return;
      this.#deliver(peer, lane, at);
      this.#next();
      if (this.#cost >= TURN_COST_MAX) return;
    }
  }

  /** Frees the claimed record. */
  #next(): void {
    const bytes = this.#lane.claimedBytes;
    this.#cost += 1 + (bytes >> 10);
    if (this.#storedWorker >= 0) this.#stored.left(this.#storedWorker, bytes);
    release(this.#lane);
  }

  #deliver(peer: Peer, lane: Lane, at: number): void {
    const { view } = lane;
    const flags = view.getUint32(at + 12, true);
    const body = lane.bytes.subarray(at + ANSWER_HEADER_BYTES, at + lane.claimedBytes);
    switch (lane.claimedKind) {
      case RECORD_ANSWER:
        this.answers++;
        return peer.answer(body, flags);
      case RECORD_HELLO:
        return this.#targets.hello(peer, view.getUint32(at + 16, true), view.getUint32(at + 20, true));
      case RECORD_READ_ANSWER:
        return this.#targets.readAnswer(peer, flags, body);
      case RECORD_LOOKUP:
        return this.#targets.lookup(peer, {
          producer: Buffer.from(lane.bytes.slice(at + 28, at + 28 + view.getUint32(at + 24, true))).toString('utf8'),
          seqLow: view.getUint32(at + 16, true),
          seqHigh: view.getUint32(at + 20, true),
          epochLow: view.getInt32(at + 8, true),
          encoding: peer.encoding,
        });
    }
  }
}

/** Where the next record begins if its epoch has been reached, else negative. */
function claimReached(lane: Lane, reached: number): number {
  const at = claim(lane);
  return at >= 0 && ((lane.view.getInt32(at + 8, true) - reached) | 0) <= 0 ? at : -1;
}
