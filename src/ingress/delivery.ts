/**
 * Delivery: takes what the workers have answered out of the lanes as soon as it may be sent, that is once the epoch that it
 * rests on is durable, or stored. Sleeps on the thread's doorbell beside its sockets. Ingress thread.
 */

import { BELL_STRIDE, DURABLE_LOW, INGRESS_BELL, STORED_LOW } from '../../native-free-core/layout/control-layout.ts';
import { ANSWER_BODY_AT, readAnswerEpochLow, readAnswerStatus } from '../../native-free-core/layout/answer-record.ts';
import { readGeneration, readSlot } from '../../native-free-core/layout/connection-record.ts';
import { readHighestSeq } from '../../native-free-core/layout/hello-record.ts';
import {
  RECORD_ANSWER,
  RECORD_ENTITY_ANSWER,
  RECORD_HELLO,
  RECORD_REPEAT,
} from '../../native-free-core/layout/record-kinds.ts';
import { readRepeat } from '../../native-free-core/layout/repeat-record.ts';
import { createSeq, type Seq } from '../../native-free-core/layout/seq.ts';
import { cancelSleep, prepareSleep, ring } from '../../native-free-core/ring/doorbell.ts';
import { claim, release, type Lane } from '../../native-free-core/ring/lane.ts';
import type { LookupRequest } from './messages.ts';
import type { Peer, Peers } from './peers.ts';
import type { StoredAnswers } from './stored-answers.ts';

export interface DeliveryTargets {
  readonly peers: Peers;
  readonly hello: (peer: Peer, highest: Seq) => void;
  readonly lookup: (peer: Peer, request: LookupRequest) => void;
  /** The oldest frame of the worker whose answer waits for the disk alone has it. */
  readonly durableAnswered: (worker: number) => void;
  readonly entityAnswer: (peer: Peer, status: number, body: Uint8Array) => void;
  /** After each turn, and at least every SLEEP_MS. */
  readonly afterTurn: () => void;
}

/**
 * What one turn may cost before receiving has its own: so many answers, or so many kilobytes of them. About a millisecond.
 */
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
  /** Whose answers they are. */
  #worker = 0;
  #isStored = false;
  readonly #seq = createSeq();
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
    for (let i = 0; i < this.#durable.length; i++) taken += this.#drainLane(this.#durable[i]!, durable, i, false);
    for (let i = 0; i < this.#stored.lanes.length; i++)
      taken += this.#drainLane(this.#stored.lanes[i]!, stored, i, true);
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
  #drainLane(lane: Lane, reached: number, worker: number, isStored: boolean): number {
    this.#lane = lane;
    this.#worker = worker;
    this.#isStored = isStored;
    this.#reached = reached;
    this.#cost = 0;
    while (this.#cost < TURN_COST_MAX) {
      const at = claimReached(lane, reached);
      if (at < 0) break;
      this.#peer = this.#targets.peers.find(readSlot(lane.view, at), readGeneration(lane.view, at));
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
      if (at < 0 || readSlot(view, at) !== peer.slot || readGeneration(view, at) !== peer.generation) return;
      this.#deliver(peer, lane, at);
      this.#next();
      if (this.#cost >= TURN_COST_MAX) return;
    }
  }

  /** Frees the claimed record. */
  #next(): void {
    const { claimedBytes: bytes, claimedKind: kind } = this.#lane;
    this.#cost += 1 + (bytes >> 10);
    if (this.#isStored) this.#stored.left(this.#worker, bytes);
    else if (kind === RECORD_ANSWER || kind === RECORD_REPEAT) this.#targets.durableAnswered(this.#worker);
    release(this.#lane);
  }

  #deliver(peer: Peer, lane: Lane, at: number): void {
    const { view } = lane;
    const status = readAnswerStatus(view, at);
    const body = lane.bytes.subarray(at + ANSWER_BODY_AT, at + lane.claimedBytes);
    switch (lane.claimedKind) {
      case RECORD_ANSWER:
        this.answers++;
        return peer.answer(body, status);
      case RECORD_HELLO:
        readHighestSeq(view, at, this.#seq);
        return this.#targets.hello(peer, this.#seq);
      case RECORD_ENTITY_ANSWER:
        return this.#targets.entityAnswer(peer, status, body);
      case RECORD_REPEAT:
        return this.#lookUp(peer, lane, at);
    }
  }

  #lookUp(peer: Peer, lane: Lane, at: number): void {
    const seq = createSeq();
    const producer = Buffer.from(readRepeat(lane, at, seq)).toString('utf8');
    const epochLow = readAnswerEpochLow(lane.view, at);
    this.#targets.lookup(peer, { producer, seq, epochLow, encoding: peer.answerEncoding });
  }
}

/** Where the next record begins if its epoch has been reached, else negative. */
function claimReached(lane: Lane, reached: number): number {
  const at = claim(lane);
  return at >= 0 && ((readAnswerEpochLow(lane.view, at) - reached) | 0) <= 0 ? at : -1;
}
