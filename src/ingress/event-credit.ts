/**
 * The events that one connection has in flight, and what it has been told of how many may be. Ingress thread.
 *
 * A client that keeps to what it was told is not refused for it: a credit falls by half at most from one answer that says so
 * to the next, these stand as far apart as a frame and its answer, and frames are refused only beyond twice the credit.
 */

import {
  CREDIT_BYTES_MAX,
  type AnswerEncoding,
  type FrameEncoding,
} from '../../native-free-core/encodings/encoding.ts';
import { encodingOf } from '../../native-free-core/encodings/index.ts';
import { FRAME_EVENTS_MAX, FRAMES_IN_FLIGHT_MIN } from '../../native-free-core/layout/limits.ts';
import type { FrameQueue } from './frame-queue.ts';

/** Refused is what goes beyond so many times the credit. */
const SLACK = 2;
/** A credit that has changed by less than this part of itself is not told. */
const NEWS_PART = 1 / 8;
/** Where counting costs a pass over the bytes: one frame in so many is counted, the others estimated by their bytes. */
const COUNTED_FRAMES = 16;
const COUNTS_KEPT_MIN = 16;

export class EventCredit {
  /** What the connection has been told last. */
  told: number;
  /** Events of frames that have no answer yet. */
  events = 0;
  readonly #queue: FrameQueue;
  readonly #frames: FrameEncoding;
  readonly #answers: AnswerEncoding;
  /** Events of each of these frames, oldest first, as a ring. */
  #counts = new Uint16Array(COUNTS_KEPT_MIN);
  #first = 0;
  #length = 0;
  #bytesPerEvent = 1;
  #uncounted = 0;
  /** Frames that were in flight when the credit was last told, and are still. */
  #untilNews = 0;

  constructor(queue: FrameQueue, encoding: number, answerEncoding: number) {
    this.#queue = queue;
    this.#frames = encodingOf(encoding).frames;
    this.#answers = encodingOf(answerEncoding).answers;
    this.told = queue.credit;
  }

  /** Events of the frame; at least 1, since every frame costs something. */
  count(frame: Uint8Array): number {
    if (this.#frames.countIsNear) return within(this.#frames.countEvents(frame));
    if (this.#uncounted === 0) {
      this.#uncounted = COUNTED_FRAMES;
      const events = within(this.#frames.countEvents(frame));
      this.#bytesPerEvent = Math.max(1, frame.length / events);
    }
    this.#uncounted--;
    return within(Math.round(frame.length / this.#bytesPerEvent));
  }

  hasRoom(events: number): boolean {
    return this.#length < FRAMES_IN_FLIGHT_MIN || this.events + events <= this.told * SLACK;
  }

  admitted(events: number): void {
    if (this.#length === this.#counts.length) this.#grow();
    this.#counts[(this.#first + this.#length++) & (this.#counts.length - 1)] = events;
    this.events += events;
    this.#queue.eventsAdmitted(events);
    if (this.events + events > this.told) this.#queue.limited();
  }

  /** The oldest frame has its answer. */
  answered(): void {
    const events = this.#counts[this.#first]!;
    this.events -= events;
    this.#queue.eventsAnswered(events);
    this.#first = (this.#first + 1) & (this.#counts.length - 1);
    this.#length--;
    if (this.#untilNews > 0) this.#untilNews--;
  }

  /** The answer, with the credit in it where that has changed. */
  withNews(answer: Uint8Array): Uint8Array {
    if (this.#untilNews > 0) return answer;
    const credit = Math.max(this.#queue.credit, Math.ceil(this.told / SLACK));
    if (Math.abs(credit - this.told) <= this.told * NEWS_PART) return answer;
    this.told = credit;
    this.#untilNews = this.#length;
    const longer = new Uint8Array(answer.length + CREDIT_BYTES_MAX);
    longer.set(answer);
    return longer.subarray(0, this.#answers.addCredit(longer, answer.length, credit));
  }

  /** The connection is gone: its answers go nowhere. */
  leave(): void {
    this.#queue.eventsAnswered(this.events);
    this.#counts.fill(0);
    this.events = 0;
  }

  #grow(): void {
    const counts = new Uint16Array(this.#counts.length * 2);
    for (let i = 0; i < this.#length; i++) counts[i] = this.#counts[(this.#first + i) & (this.#counts.length - 1)]!;
    this.#counts = counts;
    this.#first = 0;
  }
}

function within(events: number): number {
  return Math.min(FRAME_EVENTS_MAX, Math.max(1, events));
}
