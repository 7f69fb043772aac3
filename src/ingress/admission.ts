/**
 * Admission: whether a frame may come in, and if so the copy into its worker's lane. Nothing is parsed and nothing waits; a
 * frame that may not come in leaves no trace but its RETRY. Ingress thread.
 */

import { BELL_STRIDE, SPOOL_FULL, STOPPING, WORKER_BELL } from '../../native-free-core/layout/control-layout.ts';
import { ring } from '../../native-free-core/ring/doorbell.ts';
import type { Seq } from '../../native-free-core/layout/seq.ts';
import { putClose, putEntityRead, putFrame, putOpen } from '../../native-free-core/ring/frame-lane.ts';
import type { Lane } from '../../native-free-core/ring/lane.ts';
import type { RefusalReason } from '../contract/figures.ts';
import { monotonicMs, wallMs } from '../system/clock.ts';
import { EventCredit } from './event-credit.ts';
import { FrameQueue } from './frame-queue.ts';
import { RETRY_AFTER_CLOSED_MS, RETRY_AFTER_MS } from './ingress-bounds.ts';
import type { Peer } from './peers.ts';
import type { StoredAnswers } from './stored-answers.ts';

/** The frame is the worker's now. Any other outcome is the time in ms after which it may be sent again. */
export const ADMITTED = 0;

export interface AdmissionOptions {
  readonly control: Int32Array;
  /** By worker; frames go in here. */
  readonly frameLanes: readonly Lane[];
  readonly storedAnswers: StoredAnswers;
  /** 0: no limit */
  readonly framesPerSecondMax: number;
  readonly queueAgeMsMax: number;
  /** Default: the clock that never goes back. */
  readonly now?: () => number;
}

export class Admission {
  readonly #control: Int32Array;
  readonly #lanes: readonly Lane[];
  readonly #storedAnswers: StoredAnswers;
  readonly #rate: number;
  /** By worker. */
  readonly queues: readonly FrameQueue[];
  /** Frames that were refused, by what they were over. */
  readonly refused: Record<RefusalReason, number> = {
    closed: 0,
    frames: 0,
    events: 0,
    age: 0,
    stored: 0,
    rate: 0,
    lane: 0,
  };
  /** Closes that found no room; the worker keeps such a session a little longer. */
  readonly #closes: Peer[] = [];
  /** Set once the thread stops: no frame comes in any more. */
  stopping = false;

  constructor(options: AdmissionOptions) {
    this.#control = options.control;
    this.#lanes = options.frameLanes;
    this.#storedAnswers = options.storedAnswers;
    this.#rate = options.framesPerSecondMax;
    const now = options.now ?? monotonicMs;
    this.queues = options.frameLanes.map((lane) => new FrameQueue(lane, options.queueAgeMsMax, now));
  }

  get workers(): number {
    return this.#lanes.length;
  }

  open(peer: Peer, hello: boolean, dedup: boolean): boolean {
    const { slot, generation, encoding, answerEncoding, stored } = peer;
    const producerName = Buffer.from(peer.producer, 'utf8');
    const record = { slot, generation, encoding, answerEncoding, stored, hello, dedup, producerName };
    const written = putOpen(this.#lanes[peer.worker]!, record);
    if (written) this.#ring(peer.worker);
    return written;
  }

  /** For a connection whose answers wait for the disk alone: what waits for ClickHouse may be as much as its lane holds. */
  eventCredit(worker: number, encoding: number, answerEncoding: number): EventCredit {
    return new EventCredit(this.queues[worker]!, encoding, answerEncoding);
  }

  /** ADMITTED, or after how many milliseconds to try again. `seq`: 0 where the frame has none of its own. */
  admit(peer: Peer, frame: Uint8Array, seq: Seq): number {
    if (this.#isClosed) return this.#refuse('closed', RETRY_AFTER_CLOSED_MS);
    if (peer.outstanding >= peer.credit) return this.#refuse('frames', RETRY_AFTER_MS);
    if (peer.stored && !this.#storedAnswers.hasRoom(peer.worker)) return this.#refuse('stored', RETRY_AFTER_CLOSED_MS);
    const queue = this.queues[peer.worker]!;
    queue.look();
    if (queue.isTooOld()) return this.#refuse('age', retryAfterAge(peer, queue.ageMs));
    const events = peer.events === null ? 0 : peer.events.count(frame);
    if (peer.events !== null && !peer.events.hasRoom(events)) return this.#refuse('events', RETRY_AFTER_MS);
    if (this.#rate > 0 && !this.#fillTokens(peer, performance.now()))
      return this.#refuse('rate', Math.ceil(((1 - peer.tokens) * 1000) / this.#rate));
    if (!putFrame(this.#lanes[peer.worker]!, peer, seq, wallMs(), frame)) return this.#refuse('lane', RETRY_AFTER_MS);
    if (this.#rate > 0) peer.tokens--;
    if (peer.stored) this.#storedAnswers.admitted(peer.worker);
    peer.admitted++;
    peer.events?.admitted(events);
    queue.admitted(!peer.stored);
    this.#ring(peer.worker);
    return ADMITTED;
  }

  #refuse(reason: RefusalReason, retryAfterMs: number): number {
    this.refused[reason]++;
    return retryAfterMs;
  }

  read(peer: Peer, entity: number, key: Uint8Array, atNow: boolean): boolean {
    const { slot, generation } = peer;
    const written = putEntityRead(this.#lanes[peer.worker]!, { slot, generation, entity, atNow }, key);
    if (written) this.#ring(peer.worker);
    return written;
  }

  close(peer: Peer): void {
    this.#closes.push(peer);
    this.flushCloses();
  }

  flushCloses(): void {
    let written = 0;
    for (; written < this.#closes.length; written++) {
      const peer = this.#closes[written]!;
      if (!putClose(this.#lanes[peer.worker]!, peer)) break;
      this.#ring(peer.worker);
    }
    if (written > 0) this.#closes.splice(0, written);
  }

  get #isClosed(): boolean {
    const control = this.#control;
    return this.stopping || Atomics.load(control, SPOOL_FULL) !== 0 || Atomics.load(control, STOPPING) !== 0;
  }

  /** A bucket of one second's frames. */
  #fillTokens(peer: Peer, now: number): boolean {
    const elapsed = peer.filledAt === 0 ? 1000 : now - peer.filledAt;
    peer.tokens = Math.min(this.#rate, peer.tokens + (elapsed * this.#rate) / 1000);
    peer.filledAt = now;
    return peer.tokens >= 1;
  }

  #ring(worker: number): void {
    ring(this.#control, WORKER_BELL + worker * BELL_STRIDE);
  }
}

/**
 * Behind answers that are outstanding the RETRY comes when the queue has moved; alone it comes at once, and the client is to
 * wait longer the longer nothing has moved.
 */
function retryAfterAge(peer: Peer, ageMs: number): number {
  return peer.outstanding > 0 ? RETRY_AFTER_MS : Math.min(RETRY_AFTER_CLOSED_MS, Math.ceil(ageMs / 2));
}

/** Which worker a producer's frames go to: always the same, so that they stay in order. FNV-1a. */
export function workerOf(producer: string, workers: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < producer.length; i++) hash = Math.imul(hash ^ producer.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % workers;
}
