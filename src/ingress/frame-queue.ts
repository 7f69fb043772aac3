/**
 * What waits for one worker, as its ingress thread sees it: how old the oldest frame without an answer is, how long frames
 * wait for the worker, and from that how many events each connection may have in flight. Ingress thread.
 *
 * Two times, because only one of them is mended by fewer events:
 *
 *   wait   from a frame's admission until the worker takes it. Longer than a block takes, it is a queue that serves nobody:
 *          the credit falls. The credit grows while frames wait less and connections would send more.
 *   age    until the answer may go, the disk's time included. A slow disk makes it long although the worker waits for
 *          frames; fewer events would only make it idle. Beyond `ageMsMax` nothing more is admitted to a queue: a frame
 *          or two that wait for the disk are none.
 *
 *   admitted ─────▶ lane ─────▶ worker ─────▶ disk ─────▶ answered       samples by the millisecond, in a ring:
 *            │◀──── wait ───▶│                           │               when; frames admitted by then; the lane's head by then
 *            │◀──────────────────── age ───────────────▶│
 */
// hot path: no allocation

import { laneTail, type Lane } from '../../native-free-core/ring/lane.ts';

/** Credits begin here: four connections then have some 24,000 events in flight, 40 ms of a worker's time. */
export const CREDIT_START = 6144;
/** With this little a thousand connections are bounded by frames and by age. */
export const CREDIT_MIN = 64;
/** The credit does not fall while no more are in flight: a worker that works in short blocks costs more for each event. */
const EVENTS_LOW = 20_000;
/** Eight of the largest frames. */
export const CREDIT_MAX = 65_536;
/** What is measured in this time changes the credits; it begins once frames of before the last change are answered. */
const PERIOD_MS = 100;
/** Average wait for the worker: below the first credits grow, above the second they fall, to where it would be AIM. */
const WAIT_MS_LOW = 8;
const WAIT_MS_AIM = 12;
const WAIT_MS_HIGH = 20;
/** After so long without a frame nothing is known of the load. */
const IDLE_MS = 1000;
/** While fewer wait for the disk, one more costs nobody anything, and RETRY would only make its client wait longer. */
const QUEUED_FRAMES_MIN = 16;
const GROWTH_MAX = 1.25;
const FALL_MAX = 0.5;
/** Age and wait are looked at so often; samples stand as far apart. */
const LOOK_MS = 1;
/** A power of two: twice the age up to which frames are admitted, in looks. A full ring's last sample grows instead. */
const SAMPLES = 512;
const MASK = SAMPLES - 1;

export class FrameQueue {
  /** Events that a connection may have in flight. */
  credit = CREDIT_START;
  /** Of the oldest frame that has no answer yet, ms, as of the last look; and the longest since `takeAgeMax`. */
  ageMs = 0;
  readonly #lane: Lane;
  readonly #now: () => number;
  readonly #admitAgeMsMax: number;
  #ageMsMax = 0;
  #waitedMs = 0;
  /** Frames whose answers wait for the disk alone; others say nothing of its time. */
  #admitted = 0;
  #answered = 0;
  /** Samples by number modulo SAMPLES: [answeredTo, end) are not all answered, [takenTo, end) not all taken. */
  readonly #at = new Float64Array(SAMPLES);
  readonly #admittedBy = new Float64Array(SAMPLES);
  readonly #headBy = new Int32Array(SAMPLES);
  #answeredTo = 0;
  #takenTo = 0;
  #end = 0;
  #nowMs = -Infinity;
  #lookedAt = -Infinity;
  #admittedAt = -Infinity;
  /** Of the running period. */
  #periodBegins = -Infinity;
  #waitSum = 0;
  #eventsSum = 0;
  #looks = 0;
  #isLimited = false;
  /** Events in flight of connections that have a credit. */
  #events = 0;

  /** `ageMsMax`: beyond it no frame is admitted. `now`: a clock that never goes back, ms. */
  constructor(lane: Lane, ageMsMax: number, now: () => number) {
    this.#lane = lane;
    this.#now = now;
    this.#admitAgeMsMax = ageMsMax;
  }

  /** Before each frame, and before figures are taken. */
  look(): void {
    this.#nowMs = this.#now();
    if (this.#nowMs - this.#lookedAt < LOOK_MS) return;
    if (this.#nowMs - this.#admittedAt > IDLE_MS && this.#answered === this.#admitted) this.credit = CREDIT_START;
    this.#lookedAt = this.#nowMs;
    const waitMs = this.#waitMs();
    this.#waitedMs = waitMs;
    this.ageMs = Math.max(waitMs, this.#unansweredMs());
    if (this.ageMs > this.#ageMsMax) this.#ageMsMax = this.ageMs;
    if (this.#nowMs < this.#periodBegins) return;
    this.#waitSum += waitMs;
    this.#eventsSum += this.#events;
    this.#looks++;
    if (this.#nowMs - this.#periodBegins >= PERIOD_MS) this.#adjust();
  }

  /** Whether the queue is too old for one more frame, as of the last look. */
  isTooOld(): boolean {
    if (this.ageMs <= this.#admitAgeMsMax) return false;
    return this.#waitedMs > this.#admitAgeMsMax || this.#admitted - this.#answered >= QUEUED_FRAMES_MIN;
  }

  /** A frame is in the lane. `isDurable`: its answer waits for the disk alone. */
  admitted(isDurable: boolean): void {
    if (isDurable) this.#admitted++;
    this.#admittedAt = this.#nowMs;
    const oldest = Math.min(this.#answeredTo, this.#takenTo);
    const last = (this.#end - 1) & MASK;
    const isLate = this.#end > oldest && this.#nowMs - this.#at[last]! < LOOK_MS;
    const i = isLate || this.#end - oldest === SAMPLES ? last : this.#end++ & MASK;
    if (i !== last) this.#at[i] = this.#nowMs;
    this.#admittedBy[i] = this.#admitted;
    this.#headBy[i] = this.#lane.head;
  }

  /** The answer to the oldest of the durable frames has come. */
  answered(): void {
    this.#answered++;
  }

  /** Of a connection that has a credit. */
  eventsAdmitted(events: number): void {
    this.#events += events;
  }

  eventsAnswered(events: number): void {
    this.#events -= events;
  }

  /** A connection has used up its credit. */
  limited(): void {
    this.#isLimited = true;
  }

  /** The highest age since this was last asked, ms. */
  takeAgeMax(): number {
    this.look();
    const max = this.#ageMsMax;
    this.#ageMsMax = this.ageMs;
    return max;
  }

  #unansweredMs(): number {
    while (this.#answeredTo < this.#end && this.#admittedBy[this.#answeredTo & MASK]! <= this.#answered)
      this.#answeredTo++;
    return this.#answeredTo < this.#end ? this.#nowMs - this.#at[this.#answeredTo & MASK]! : 0;
  }

  #waitMs(): number {
    const tail = laneTail(this.#lane);
    while (this.#takenTo < this.#end && ((this.#headBy[this.#takenTo & MASK]! - tail) | 0) <= 0) this.#takenTo++;
    return this.#takenTo < this.#end ? this.#nowMs - this.#at[this.#takenTo & MASK]! : 0;
  }

  #adjust(): void {
    const waitMs = this.#waitSum / this.#looks;
    const events = this.#eventsSum / this.#looks;
    const grows = waitMs < WAIT_MS_LOW && this.#isLimited && this.ageMs < this.#admitAgeMsMax / 2;
    if (grows || (waitMs > WAIT_MS_HIGH && events > EVENTS_LOW)) {
      const factorMin = grows ? 1 : Math.max(FALL_MAX, EVENTS_LOW / events);
      const factor = Math.min(GROWTH_MAX, Math.max(factorMin, WAIT_MS_AIM / Math.max(1, waitMs)));
      this.credit = Math.min(CREDIT_MAX, Math.max(CREDIT_MIN, Math.round(this.credit * factor)));
    }
    this.#periodBegins = this.#nowMs + this.ageMs;
    this.#waitSum = 0;
    this.#eventsSum = 0;
    this.#looks = 0;
    this.#isLimited = false;
  }
}
