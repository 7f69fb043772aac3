/**
 * The frames that were sent on a connection and have no answer yet, and whether another may go: by the server's credit in
 * frames and in events, by bytes, and carefully after a RETRY. Used by hunt-client.ts.
 */

import { FRAMES_IN_FLIGHT_MAX, FRAMES_IN_FLIGHT_MIN } from '../../native-free-core/layout/limits.ts';
import type { ClientHello } from './answer.ts';

export interface SentFrame {
  readonly events: number;
  readonly size: number;
}

/** Half of what the server's lane holds, so that a client alone is never told RETRY. One frame always goes. */
const BYTES_MAX = 4 << 20;

export class Flight<Frame extends SentFrame> {
  /** In the order of sending, which is that of their answers. */
  #frames: Frame[] = [];
  #bytes = 0;
  #events = 0;
  #framesMax = 0;
  #eventsMax = 0;
  /** Frames that were ever sent. */
  #sent = 0;
  /**
   * After a RETRY half as many frames go as were refused together, and with each that is taken twice as many. Those sent
   * before `triedFrom` were refused together with the first of them.
   */
  #framesTried = Infinity;
  #triedFrom = 0;

  /** What the server has said of its limits. */
  allow({ framesInFlight, eventsInFlight }: ClientHello, framesMax: number): void {
    this.#framesMax = Math.min(FRAMES_IN_FLIGHT_MAX, framesInFlight, framesMax);
    this.allowEvents(eventsInFlight);
  }

  /** 0: as many as there are. */
  allowEvents(eventsInFlight: number): void {
    this.#eventsMax = eventsInFlight === 0 ? Infinity : eventsInFlight;
  }

  get length(): number {
    return this.#frames.length;
  }

  get oldest(): Frame | undefined {
    return this.#frames[0];
  }

  /** Whether a frame of one event may go. */
  get hasRoom(): boolean {
    return this.fits({ events: 1, size: 1 });
  }

  fits({ events, size }: SentFrame): boolean {
    const { length } = this.#frames;
    return (
      length < this.#framesMax &&
      length < this.#framesTried &&
      (length === 0 || this.#bytes + size <= BYTES_MAX) &&
      (length < FRAMES_IN_FLIGHT_MIN || this.#events + events <= this.#eventsMax)
    );
  }

  push(frame: Frame): void {
    this.#frames.push(frame);
    this.#sent++;
    this.#bytes += frame.size;
    this.#events += frame.events;
  }

  /** The oldest has its answer. */
  shift(isTaken: boolean): void {
    const { length } = this.#frames;
    const frame = this.#frames.shift()!;
    this.#bytes -= frame.size;
    this.#events -= frame.events;
    if (isTaken) this.#framesTried *= 2;
    else if (this.#sent - length >= this.#triedFrom) {
      this.#framesTried = Math.max(1, Math.floor(Math.min(this.#framesTried, length) / 2));
      this.#triedFrom = this.#sent;
    }
  }

  /** Their connection is gone. */
  takeAll(): Frame[] {
    const frames = this.#frames;
    this.#frames = [];
    this.#bytes = 0;
    this.#events = 0;
    this.#framesTried = Infinity;
    return frames;
  }
}
