/**
 * Who is connected to an ingress thread: a slot and a generation for each WebSocket, each HTTP session and each look-up that
 * waits. Workers name a peer by both, so an answer to someone who has left finds nobody. Ingress thread.
 *
 * A peer's answers keep the order of its frames. The worker answers in that order; what ingress itself has to say (RETRY)
 * goes behind the answers that are outstanding, and an answer that is still being looked up holds back those behind it.
 */

import { STATUS_RETRY } from '../../native-free-core/codec/answer.ts';
import type { ConnectionAddress } from '../../native-free-core/layout/connection-record.ts';
import type { EventCredit } from './event-credit.ts';

/** Where a peer's answers go. */
export interface Outlet {
  /** `bytes` are only valid during the call; they may be lane memory. */
  send(bytes: Uint8Array, status: number): void;
  /** Runs `sends`, whose writes should go out together. The peer may be gone afterwards. */
  gather(sends: () => void): void;
}

/** An answer that is not there yet. */
export interface HeldAnswer {
  bytes: Uint8Array | null;
  status: number;
}

/** A RETRY that goes out once the answers to the first `after` admitted frames have gone. */
interface DueRetry {
  readonly after: number;
  readonly bytes: Uint8Array;
}

export interface PeerTerms {
  readonly worker: number;
  /** ENCODING_* */
  readonly encoding: number;
  /** The same of its answers. */
  readonly answerEncoding: number;
  /** Answers wait for ClickHouse, not only for the disk. */
  readonly stored: boolean;
  /** '': none */
  readonly producer: string;
  /** Frames that may be outstanding. */
  readonly credit: number;
  /** Events that may be; null: as many as there are in the frames. */
  readonly events: EventCredit | null;
}

export class Peer implements ConnectionAddress {
  readonly slot: number;
  readonly generation: number;
  readonly worker: number;
  readonly encoding: number;
  readonly answerEncoding: number;
  readonly stored: boolean;
  readonly producer: string;
  readonly credit: number;
  readonly events: EventCredit | null;
  readonly outlet: Outlet;
  /** The place of the hello, which comes before every answer; null where none is due. */
  greeting: HeldAnswer | null = null;
  /** Frames handed to the worker, and how many of them have been answered or are held. */
  admitted = 0;
  answered = 0;
  /** Token bucket of the rate limit, and when it was last filled, ms. */
  tokens = 0;
  filledAt = 0;
  readonly #held: HeldAnswer[] = [];
  readonly #retries: DueRetry[] = [];

  constructor(slot: number, generation: number, terms: PeerTerms, outlet: Outlet) {
    this.slot = slot;
    this.generation = generation;
    this.worker = terms.worker;
    this.encoding = terms.encoding;
    this.answerEncoding = terms.answerEncoding;
    this.stored = terms.stored;
    this.producer = terms.producer;
    this.credit = terms.credit;
    this.events = terms.events;
    this.outlet = outlet;
  }

  get outstanding(): number {
    return this.admitted - this.answered;
  }

  /** Answers that wait here for their turn. */
  get waiting(): number {
    return this.#held.length + this.#retries.length;
  }

  /** The worker's answer to the oldest outstanding frame. */
  answer(bytes: Uint8Array, status: number): void {
    this.events?.answered();
    const out = this.events === null ? bytes : this.events.withNews(bytes);
    if (this.#held.length === 0) this.outlet.send(out, status);
    else this.#held.push({ bytes: out.slice(), status });
    this.answered++;
    if (this.#retries.length !== 0) this.#sendDueRetries();
  }

  /** The oldest outstanding frame's answer comes later: those behind it wait. */
  holdAnswer(): HeldAnswer {
    const held = this.#hold();
    this.events?.answered();
    this.answered++;
    this.#sendDueRetries();
    return held;
  }

  awaitHello(): void {
    this.greeting = this.#hold();
  }

  /** A hello: the first, or another because the decisions have other names from here on. */
  greet(bytes: Uint8Array): void {
    if (this.greeting !== null) {
      this.release(this.greeting, bytes, 0);
      this.greeting = null;
    } else if (this.#held.length === 0) this.outlet.send(bytes, 0);
    else this.#held.push({ bytes, status: 0 });
  }

  /** What was held has come: sends it, and what waited behind it, when its turn is. */
  release(held: HeldAnswer, bytes: Uint8Array, status: number): void {
    held.bytes = bytes;
    held.status = status;
    if (this.#held[0] === held) this.outlet.gather(() => this.#sendHeld());
  }

  /** An answer of ingress itself, behind those that are outstanding. */
  retry(bytes: Uint8Array): void {
    if (this.outstanding !== 0) this.#retries.push({ after: this.admitted, bytes });
    else this.#sendRetry(bytes);
  }

  #hold(): HeldAnswer {
    const held: HeldAnswer = { bytes: null, status: 0 };
    this.#held.push(held);
    return held;
  }

  #sendHeld(): void {
    const held = this.#held;
    let sent = 0;
    for (; sent < held.length && held[sent]!.bytes !== null; sent++)
      this.outlet.send(held[sent]!.bytes!, held[sent]!.status);
    held.splice(0, sent);
  }

  #sendDueRetries(): void {
    while (this.#retries.length > 0 && this.#retries[0]!.after <= this.answered) {
      this.#sendRetry(this.#retries.shift()!.bytes);
    }
  }

  #sendRetry(bytes: Uint8Array): void {
    if (this.#held.length === 0) this.outlet.send(bytes, STATUS_RETRY);
    else this.#held.push({ bytes, status: STATUS_RETRY });
  }
}

export class Peers {
  readonly #peers: (Peer | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];

  add(terms: PeerTerms, outlet: Outlet): Peer {
    const slot = this.#free.pop() ?? this.#peers.length;
    const generation = ((this.#generations[slot] ?? 0) + 1) >>> 0;
    this.#generations[slot] = generation;
    const peer = new Peer(slot, generation, terms, outlet);
    this.#peers[slot] = peer;
    return peer;
  }

  find(slot: number, generation: number): Peer | undefined {
    const peer = this.#peers[slot];
    return peer !== undefined && peer.generation === generation ? peer : undefined;
  }

  has(peer: Peer): boolean {
    return this.#peers[peer.slot] === peer;
  }

  remove(peer: Peer): void {
    if (!this.has(peer)) return;
    peer.events?.leave();
    this.#peers[peer.slot] = undefined;
    this.#free.push(peer.slot);
  }

  /** Whether a frame that only has to become durable is still unanswered. */
  get durableOutstanding(): boolean {
    return this.#peers.some((peer) => peer !== undefined && !peer.stored && peer.outstanding > 0);
  }
}
