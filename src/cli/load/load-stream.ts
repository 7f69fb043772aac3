/**
 * One connection of the load generator: a producer that numbers its frames, keeps to its credits, knows which numbers were
 * answered, sends again what was refused or lost, and comes back when the server does. Driven by run-load.ts.
 *
 *   seq   1 … lowest - 1         answered, all of them
 *         lowest … nextSeq - 1   at most SEQ_BITMAP_BITS: answered, in flight, or to be sent again; by seq modulo that
 */

import type { Histogram } from 'hdr-histogram-js';
import { setTimeout as pause } from 'node:timers/promises';
import { STATUS_DUPLICATE, STATUS_OK, STATUS_RETRY } from '../../../native-free-core/codec/answer.ts';
import { FRAMES_IN_FLIGHT_MIN, SEQ_BITMAP_BITS } from '../../../native-free-core/layout/limits.ts';
import type { ServerAddress } from '../../../client/src/address.ts';
import { OperatingError } from '../../errors.ts';
import { readAnswerFigures, type AnswerFigures } from './answer-bytes.ts';
import type { FrameMaker } from './frames/frame-maker.ts';
import { SEQ_MAX, streamIdentity, type StreamIdentity } from './frames/slot.ts';
import { SentTimes } from './sent-times.ts';
import type { OpenTransport, LoadConnection } from './load-transport.ts';

export interface StreamOptions {
  readonly address: ServerAddress;
  readonly open: OpenTransport;
  readonly producer: string;
  /** 4 characters of the run, 2 of the connection, in base 36: event ids of this stream begin with them. */
  readonly prefix: string;
  readonly ack: 'durable' | 'stored';
  readonly maker: FrameMaker;
  readonly eventsPerFrame: number;
  /** Bounds on what is in flight on this stream, beside the server's own. */
  readonly framesInFlightMax: number;
  readonly bytesInFlightMax: number;
  readonly reconnectMs: number;
  readonly latency: Histogram;
  readonly warn: (message: string) => void;
  /** After answers came: there may be credits again. */
  readonly settled: (stream: LoadStream) => void;
}

const ANSWERED = 0;
const IN_FLIGHT = 1;
const TO_SEND_AGAIN = 2;
const WINDOW = SEQ_BITMAP_BITS;
const RECONNECT_PAUSE_MS = 100;
/** One write holds as many frames as fit. */
const WRITE_BYTES = 1 << 18;
const WRITES_KEPT = 64;
const RETRY_PAUSE_MS_MAX = 10_000;
const MICROSECONDS = 1000;

export class LoadStream {
  /**
   * Frames: sent for the first time; answered OK or DUPLICATE; refused whole; asked for again; sent again after a lost
   * connection.
   */
  sent = 0;
  answered = 0;
  rejectedFrames = 0;
  retried = 0;
  resent = 0;
  reconnects = 0;
  /** Events of answered frames that were refused alone. */
  rejectedEvents = 0;
  nextSeq = 1;
  lowest = 1;
  inFlight = 0;
  failure: Error | null = null;
  readonly sentTimes = new SentTimes();
  readonly #options: StreamOptions;
  readonly #identity: StreamIdentity;
  readonly #state = new Uint8Array(WINDOW);
  /** When the frame should have gone, on the performance clock; and its event time. */
  readonly #intendedAt = new Float64Array(WINDOW);
  readonly #eventTime = new Float64Array(WINDOW);
  readonly #figures: AnswerFigures = { seq: 0, status: 0, rejections: 0, retryAfterMs: 0, eventsInFlight: 0 };
  readonly #buffers: Buffer[] = [];
  #toSendAgain = 0;
  #bytesInFlight = 0;
  /** Frames in flight: what the credit in events comes to; and after a RETRY as client/src/flight.ts has it. */
  #creditFrames = Infinity;
  #triedFrames = Infinity;
  #triedFrom = 0;
  #sends = 0;
  #pauseUntil = 0;
  #chunkAt = 0;
  #transport: LoadConnection | null = null;
  #closing = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#identity = streamIdentity(options.prefix);
  }

  get producer(): string {
    return this.#options.producer;
  }

  /** Frames sent and not answered, those to be sent again included. */
  get unanswered(): number {
    return this.inFlight + this.#toSendAgain;
  }

  /** Numbers of them. */
  unansweredSeqs(): number[] {
    const seqs: number[] = [];
    for (let seq = this.lowest; seq < this.nextSeq; seq++) if (this.#state[seq % WINDOW] !== ANSWERED) seqs.push(seq);
    return seqs;
  }

  async connect(): Promise<void> {
    const { address, producer, ack, open } = this.#options;
    const transport = await open(
      { address, producer, ack },
      {
        answer: (bytes, start, end) => this.#receive(bytes, start, end),
        settled: () => {
          this.#chunkAt = 0;
          this.#options.settled(this);
        },
        closed: (reason) => this.#lost(reason),
      },
    );
    if (transport.highestSeq >= this.nextSeq) {
      transport.close();
      throw new OperatingError(
        'producer_known',
        `the server knows this producer already: producer=${producer} seq=${transport.highestSeq}; try again`,
      );
    }
    this.#transport = transport;
    this.#creditFrames = Infinity;
    this.#triedFrames = Infinity;
    this.#allowEvents(transport.eventsInFlight);
  }

  #allowEvents(events: number): void {
    if (events === 0) return;
    this.#creditFrames = Math.max(FRAMES_IN_FLIGHT_MIN, Math.floor(events / this.#options.eventsPerFrame));
  }

  #framesMax(transport: LoadConnection): number {
    return Math.min(
      transport.framesInFlightMax,
      this.#options.framesInFlightMax,
      this.#creditFrames,
      this.#triedFrames,
    );
  }

  /**
   * Sends up to `count` frames as credits allow; those that must go again come first. The i-th new one should have gone at
   * `firstIntendedAt + i * intervalMs`; an interval below 0: now. Returns how many new ones went.
   */
  send(count: number, firstIntendedAt: number, intervalMs: number): number {
    const transport = this.#transport;
    if (transport === null) return 0;
    const now = performance.now();
    if (now < this.#pauseUntil) return 0;
    if (this.#toSendAgain > 0) this.#sendAgain(transport);
    const { maker, bytesInFlightMax } = this.#options;
    const framesMax = this.#framesMax(transport);
    const timeMs = Date.now();
    let frames = 0;
    let out: Buffer | null = null;
    let at = 0;
    while (
      frames < count &&
      this.inFlight < framesMax &&
      this.nextSeq - this.lowest < WINDOW &&
      this.nextSeq <= SEQ_MAX
    ) {
      const seq = this.nextSeq;
      const bytes = maker.bytes(seq);
      if (this.#bytesInFlight > 0 && this.#bytesInFlight + bytes > bytesInFlightMax) break;
      // One request at a time is one write at a time.
      if (out !== null && (at + bytes > out.length || transport.framesInFlightMax === 1)) {
        this.#write(transport, out, at);
        out = null;
      }
      if (out === null) {
        out = this.#buffer(bytes);
        at = 0;
      }
      at = maker.write(out, at, seq, this.#identity, timeMs);
      const intendedAt = intervalMs < 0 ? now : firstIntendedAt + frames * intervalMs;
      this.#take(seq, bytes, intendedAt, timeMs);
      this.sentTimes.push(seq, intendedAt);
      this.nextSeq++;
      frames++;
    }
    if (out !== null) this.#write(transport, out, at);
    this.sent += frames;
    return frames;
  }

  close(): void {
    this.#closing = true;
    this.#transport?.close();
    this.#transport = null;
  }

  #take(seq: number, bytes: number, intendedAt: number, timeMs: number): void {
    const i = seq % WINDOW;
    this.#state[i] = IN_FLIGHT;
    this.#intendedAt[i] = intendedAt;
    this.#eventTime[i] = timeMs;
    this.inFlight++;
    this.#sends++;
    this.#bytesInFlight += bytes;
  }

  #buffer(bytesMin: number): Buffer {
    const kept = this.#buffers.pop();
    return kept !== undefined && kept.length >= bytesMin
      ? kept
      : Buffer.allocUnsafeSlow(Math.max(WRITE_BYTES, bytesMin));
  }

  #write(transport: LoadConnection, out: Buffer, bytes: number): void {
    transport.write(out.subarray(0, bytes), () => {
      if (this.#buffers.length < WRITES_KEPT) this.#buffers.push(out);
    });
  }

  /** Frames are made again byte for byte: number, players and event time are what they were. */
  #sendAgain(transport: LoadConnection): void {
    const { maker } = this.#options;
    const framesMax = this.#framesMax(transport);
    for (let seq = this.lowest; seq < this.nextSeq && this.#toSendAgain > 0 && this.inFlight < framesMax; seq++) {
      const i = seq % WINDOW;
      if (this.#state[i] !== TO_SEND_AGAIN) continue;
      const bytes = maker.bytes(seq);
      const out = this.#buffer(bytes);
      maker.write(out, 0, seq, this.#identity, this.#eventTime[i]!);
      this.#toSendAgain--;
      this.#take(seq, bytes, this.#intendedAt[i]!, this.#eventTime[i]!);
      this.#write(transport, out, bytes);
    }
  }

  #receive(bytes: Uint8Array, start: number, end: number): void {
    const figures = this.#figures;
    readAnswerFigures(bytes, start, end, figures);
    const { seq, status } = figures;
    const i = seq % WINDOW;
    // An answer to what nobody sent, or a second one, would be a server's error: it must not count.
    if (seq < this.lowest || seq >= this.nextSeq || this.#state[i] !== IN_FLIGHT) {
      this.failure ??= new OperatingError(
        'answer_unexpected',
        `an answer to no frame in flight: producer=${this.producer} seq=${seq} status=${status}`,
      );
      return;
    }
    if (this.#chunkAt === 0) this.#chunkAt = performance.now();
    this.inFlight--;
    this.#bytesInFlight -= this.#options.maker.bytes(seq);
    this.#allowEvents(figures.eventsInFlight);
    if (status === STATUS_RETRY) {
      this.retried++;
      this.#refused();
      this.#state[i] = TO_SEND_AGAIN;
      this.#toSendAgain++;
      this.#pauseUntil = this.#chunkAt + Math.min(Math.max(1, figures.retryAfterMs), RETRY_PAUSE_MS_MAX);
      return;
    }
    this.#triedFrames *= 2;
    this.#state[i] = ANSWERED;
    if (status === STATUS_OK || status === STATUS_DUPLICATE) {
      this.answered++;
      this.rejectedEvents += figures.rejections;
      const microseconds = Math.round((this.#chunkAt - this.#intendedAt[i]!) * MICROSECONDS);
      this.#options.latency.recordValue(Math.max(1, microseconds));
    } else this.rejectedFrames++;
    while (this.lowest < this.nextSeq && this.#state[this.lowest % WINDOW] === ANSWERED) this.lowest++;
  }

  /** Answers come in the order of sending, so those that are refused together follow one another. */
  #refused(): void {
    const length = this.inFlight + 1;
    if (this.#sends - length < this.#triedFrom) return;
    this.#triedFrames = Math.max(1, Math.floor(Math.min(this.#triedFrames, length) / 2));
    this.#triedFrom = this.#sends;
  }

  /** What was in flight may have been taken or not: it goes again. */
  #lost(reason: string): void {
    this.#transport = null;
    if (this.#closing || this.failure !== null) return;
    for (let seq = this.lowest; seq < this.nextSeq; seq++) {
      const i = seq % WINDOW;
      if (this.#state[i] !== IN_FLIGHT) continue;
      this.#state[i] = TO_SEND_AGAIN;
      this.#toSendAgain++;
      this.resent++;
    }
    this.inFlight = 0;
    this.#bytesInFlight = 0;
    this.#pauseUntil = 0;
    this.#buffers.length = 0;
    this.#options.warn(`${this.producer}: ${reason}; connecting again`);
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const until = performance.now() + this.#options.reconnectMs;
    while (!this.#closing) {
      try {
        await this.#connectAgain();
        this.reconnects++;
        this.#options.settled(this);
        return;
      } catch (error) {
        if (performance.now() > until) {
          const waited = `waited_ms=${this.#options.reconnectMs} last=${(error as Error).message}`;
          this.failure = new OperatingError('server_gone', `the server did not come back: ${waited}`);
          return;
        }
        await pause(RECONNECT_PAUSE_MS);
      }
    }
  }

  async #connectAgain(): Promise<void> {
    await this.connect();
    if (this.#closing) this.close();
  }
}
