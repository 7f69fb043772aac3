/**
 * Refusals: the RETRY for a frame of which nothing was kept, and the account of them, because the ledger counts refused
 * events as received. Ingress thread.
 */

import { encodingOf } from '../../native-free-core/encodings/index.ts';
import type { Seq } from '../../native-free-core/layout/seq.ts';
import type { Peer } from './peers.ts';

/** A RETRY in JSON, with a seq of 20 digits, stays below this. */
const RETRY_BYTES_MAX = 160;
/** Producers whose refusals are counted by name; those of the rest only in total. */
const REFUSED_PRODUCERS_MAX = 10_000;

export class Refusals {
  frames = 0;
  events = 0;
  readonly byProducer = new Map<string, number>();

  /** The answer to a refused frame. */
  refuse(peer: Peer, frame: Uint8Array, seq: Seq, retryAfterMs: number): Uint8Array {
    const events = encodingOf(peer.encoding).frames.countEvents(frame);
    this.frames++;
    this.events += events;
    const before = this.byProducer.get(peer.producer);
    if (before !== undefined || this.byProducer.size < REFUSED_PRODUCERS_MAX) {
      this.byProducer.set(peer.producer, (before ?? 0) + events);
    }
    return encodeRetry(peer.answerEncoding, seq, retryAfterMs);
  }
}

export function encodeRetry(encoding: number, seq: Seq, retryAfterMs: number): Uint8Array {
  const answer = new Uint8Array(RETRY_BYTES_MAX);
  return answer.subarray(0, encodingOf(encoding).answers.writeRetry(answer, 0, seq, retryAfterMs));
}
