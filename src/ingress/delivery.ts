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
import { claim, releaseTo, step, type Lane } from '../../native-free-core/ring/lane.ts';
import type { LookupRequest } from './thread-messages.ts';
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
/** Where it begins, its bytes, its kind. */
const RECORD_PARTS = 3;
/** A lost wake-up costs no more than this, and a connection that has closed is told to its worker no later. */
const SLEEP_MS = 250;

export class Delivery {
  readonly #control: Int32Array;
  readonly #bell: number;
  readonly #durable: readonly Lane[];
  readonly #stored: StoredAnswers;
  readonly #targets: DeliveryTargets;
  answers = 0;
  #stopping = false;
  /** What the turn has found in a lane, by peer, in the order of the lane: RECORD_PARTS numbers for each record. */
  readonly #groups = new Map<Peer, number[]>();
  /** The lane, the peer and the records that are being sent. */
  #lane: Lane;
  #peer: Peer | undefined;
  #records: readonly number[] = [];
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

  /** All answers of a peer that this turn takes go out in one write, whosever lie between them. Returns what it cost. */
  #drainLane(lane: Lane, reached: number, worker: number, isStored: boolean): number {
    const cost = this.#group(lane, reached, worker, isStored);
    if (cost === 0) return 0;
    this.#lane = lane;
    for (const [peer, records] of this.#groups) {
      // What has been sent to another one may have ended this one.
      if (!this.#targets.peers.has(peer)) continue;
      this.#peer = peer;
      this.#records = records;
      peer.outlet.gather(this.#sendGathered);
    }
    this.#groups.clear();
    releaseTo(lane, lane.tail);
    return cost;
  }

  /** Steps over what may be sent, up to a turn's worth, and notes whose each record is. Frees nothing. */
  #group(lane: Lane, reached: number, worker: number, isStored: boolean): number {
    let cost = 0;
    while (cost < TURN_COST_MAX) {
      const at = claimReached(lane, reached);
      if (at < 0) break;
      const { claimedBytes: bytes, claimedKind: kind } = lane;
      cost += 1 + (bytes >> 10);
      const peer = this.#targets.peers.find(readSlot(lane.view, at), readGeneration(lane.view, at));
      if (peer !== undefined) {
        const records = this.#groups.get(peer);
        if (records === undefined) this.#groups.set(peer, [at, bytes, kind]);
        else records.push(at, bytes, kind);
      }
      if (isStored) this.#stored.left(worker, bytes);
      else if (kind === RECORD_ANSWER || kind === RECORD_REPEAT) this.#targets.durableAnswered(worker);
      step(lane);
    }
    return cost;
  }

  #sendToPeer(): void {
    const peer = this.#peer!;
    const records = this.#records;
    for (let i = 0; i < records.length; i += RECORD_PARTS)
      this.#deliver(peer, records[i]!, records[i + 1]!, records[i + 2]!);
  }

  #deliver(peer: Peer, at: number, bytes: number, kind: number): void {
    const lane = this.#lane;
    const { view } = lane;
    const status = readAnswerStatus(view, at);
    const body = lane.bytes.subarray(at + ANSWER_BODY_AT, at + bytes);
    switch (kind) {
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
