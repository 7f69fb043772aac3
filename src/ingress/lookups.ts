/**
 * Duplicates whose decisions have to be read back from ClickHouse: the answer's place is held, the main thread asked, and
 * what it finds sent in its turn. Where it does not come in time, the client is asked to send the frame again. Ingress
 * thread.
 */

import { STATUS_DUPLICATE, STATUS_RETRY } from '../../native-free-core/codec/answer.ts';
import { encodeRetry } from './refusals.ts';
import { RETRY_AFTER_CLOSED_MS } from './ingress-bounds.ts';
import type { FromIngress, LookupRequest } from './thread-messages.ts';
import type { HeldAnswer, Peer, Peers } from './peers.ts';

/** Look-ups that may be on their way at once; bounds what the main thread is asked for. */
const LOOKUPS_MAX = 4096;

interface Lookup {
  readonly peer: Peer;
  readonly held: HeldAnswer;
  readonly request: LookupRequest;
  readonly until: number;
}

export class Lookups {
  readonly #peers: Peers;
  readonly #post: (message: FromIngress) => void;
  readonly #msMax: number;
  readonly #pending = new Map<number, Lookup>();
  #nextId = 1;

  constructor(peers: Peers, post: (message: FromIngress) => void, msMax: number) {
    this.#peers = peers;
    this.#post = post;
    this.#msMax = msMax;
  }

  ask(peer: Peer, request: LookupRequest): void {
    const lookup: Lookup = { peer, held: peer.holdAnswer(), request, until: performance.now() + this.#msMax };
    if (this.#pending.size >= LOOKUPS_MAX) return this.#giveUp(lookup);
    const id = this.#nextId++;
    this.#pending.set(id, lookup);
    this.#post({ kind: 'lookup', id, lookup: request });
  }

  /** `bytes` null: it failed. */
  answer(id: number, bytes: Uint8Array | null): void {
    const lookup = this.#pending.get(id);
    if (lookup === undefined) return;
    this.#pending.delete(id);
    if (bytes === null) this.#giveUp(lookup);
    else if (this.#peers.has(lookup.peer)) lookup.peer.release(lookup.held, bytes, STATUS_DUPLICATE);
  }

  /** Called about once a second. They all wait equally long, so the oldest stand first. */
  expire(now: number): void {
    for (const [id, lookup] of this.#pending) {
      if (lookup.until > now) return;
      this.#pending.delete(id);
      this.#giveUp(lookup);
    }
  }

  #giveUp({ peer, held, request }: Lookup): void {
    if (!this.#peers.has(peer)) return;
    peer.release(held, encodeRetry(peer.answerEncoding, request.seq, RETRY_AFTER_CLOSED_MS), STATUS_RETRY);
  }
}
