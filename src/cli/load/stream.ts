/**
 * One connection of the load generator: a producer that numbers its frames, keeps to its credits, remembers what was answered,
 * sends again what was refused or lost, and comes back when the server does.
 */

import type { Histogram } from 'hdr-histogram-js';
import { setTimeout as pause } from 'node:timers/promises';
import { openRawWebSocket, type RawWebSocket } from '../../client/raw-websocket.ts';
import { OperatingError } from '../../errors.ts';
import type { FrameMaker } from './game-frames.ts';

export interface StreamOptions {
  readonly url: URL;
  readonly key: string | undefined;
  readonly producer: string;
  /** 4 characters; first of every event id of this stream. */
  readonly prefix: string;
  readonly ack: 'durable' | 'stored';
  readonly maker: FrameMaker;
  readonly eventsPerFrame: number;
  /** Bytes of frames in flight, for this stream. */
  readonly bytesInFlightMax: number;
  readonly reconnectMs: number;
  readonly latency: Histogram;
  readonly warn: (message: string) => void;
}

const STATUS_OK = 1;
const STATUS_DUPLICATE = 2;
const STATUS_RETRY = 4;
/** Of a protobuf answer: tag, 8 bytes of seq, tag of status, status. */
const STATUS_AT = 10;
const RECONNECT_PAUSE_MS = 100;
const HELLO_IN_FLIGHT_DEFAULT = 64;

export class LoadStream {
  sent = 0;
  answeredFrames = 0;
  rejectedFrames = 0;
  retried = 0;
  reconnects = 0;
  nextSeq = 1;
  /** The highest seq below which every frame is answered. */
  answeredBelow = 1;
  readonly #options: StreamOptions;
  /** Intended sending time by seq, ms on the performance clock; gone once answered. */
  readonly #inFlight = new Map<number, number>();
  readonly #sentAt: number[] = [];
  #bytesInFlight = 0;
  #framesMax = HELLO_IN_FLIGHT_DEFAULT;
  #connection: RawWebSocket | null = null;
  #hello: ((bytes: Buffer) => void) | null = null;
  #closing = false;
  failure: Error | null = null;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  get producer(): string {
    return this.#options.producer;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** When the frame with this seq was first sent, ms on the performance clock. */
  sentAt(seq: number): number {
    return this.#sentAt[seq] ?? 0;
  }

  async connect(): Promise<void> {
    const { url, producer, ack, key } = this.#options;
    const path = `/v1/stream?producer=${encodeURIComponent(producer)}&ack=${ack}`;
    const hello = new Promise<Buffer>((resolve) => (this.#hello = resolve));
    const lost = new Promise<never>((_, reject) => (this.#lost = reject));
    lost.catch(() => undefined);
    this.#connection = await openRawWebSocket(
      url,
      path,
      'hunt.v1.proto',
      key === undefined ? {} : { authorization: `Bearer ${key}` },
      {
        message: (bytes, start, end) => this.#receive(bytes, start, end),
        closed: (reason) => this.#closed(reason),
      },
    );
    this.#framesMax = framesInFlightOf(await Promise.race([hello, lost])) || HELLO_IN_FLIGHT_DEFAULT;
  }

  #lost: (error: Error) => void = () => undefined;

  /** Whether a new frame may go out now. */
  get ready(): boolean {
    if (this.#connection === null || this.#hello !== null) return false;
    return this.#inFlight.size < this.#framesMax && this.#bytesInFlight < this.#options.bytesInFlightMax;
  }

  /** Sends up to `count` new frames in one write, as credits allow; `intended(i)`: when the i-th should have gone. Returns how many. */
  send(count: number, intended: (index: number) => number): number {
    const { maker } = this.#options;
    let frames = 0;
    let bytes = 0;
    const room = this.#options.bytesInFlightMax - this.#bytesInFlight;
    while (frames < count && this.#inFlight.size + frames < this.#framesMax && bytes < room)
      bytes += maker.bytes(this.nextSeq + frames++);
    if (frames === 0) return 0;
    const out = Buffer.allocUnsafe(bytes);
    const now = performance.now();
    const timeMs = Date.now();
    let at = 0;
    for (let i = 0; i < frames; i++) {
      const seq = this.nextSeq++;
      at = maker.write(out, at, seq, this.#options.prefix, timeMs);
      this.#inFlight.set(seq, intended(i));
      this.#sentAt[seq] = now;
    }
    this.#bytesInFlight += bytes;
    this.sent += frames;
    this.#connection!.socket.write(out);
    return frames;
  }

  close(): void {
    this.#closing = true;
    this.#connection?.close();
  }

  #receive(bytes: Buffer, start: number, end: number): void {
    if (this.#hello !== null) {
      this.#hello(Buffer.from(bytes.subarray(start, end)));
      this.#hello = null;
      return;
    }
    const seq = bytes.readUInt32LE(start + 1) + bytes.readUInt32LE(start + 5) * 4294967296;
    const status = bytes[start + STATUS_AT]!;
    const intended = this.#inFlight.get(seq);
    if (intended === undefined) return;
    if (status === STATUS_RETRY) {
      this.retried++;
      setTimeout(() => this.#sendAgain([seq]), 20);
      return;
    }
    this.#inFlight.delete(seq);
    this.#bytesInFlight -= this.#options.maker.bytes(seq);
    if (status === STATUS_OK || status === STATUS_DUPLICATE) {
      this.answeredFrames++;
      this.#options.latency.recordValue(Math.max(1, Math.round((performance.now() - intended) * 1000)));
    } else this.rejectedFrames++;
  }

  #sendAgain(seqs: readonly number[]): void {
    if (this.#connection === null || this.#hello !== null) return;
    const { maker, prefix } = this.#options;
    for (const seq of seqs) {
      if (!this.#inFlight.has(seq)) continue;
      const out = Buffer.allocUnsafe(maker.bytes(seq));
      maker.write(out, 0, seq, prefix, Date.now());
      this.#connection.socket.write(out);
    }
  }

  #closed(reason: string): void {
    this.#connection = null;
    this.#lost(new Error(reason));
    if (this.#closing || this.failure !== null) return;
    this.#options.warn(`${this.producer}: ${reason}; connecting again`);
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const until = performance.now() + this.#options.reconnectMs;
    while (!this.#closing) {
      try {
        await this.connect();
        this.reconnects++;
        this.#sendAgain([...this.#inFlight.keys()]);
        return;
      } catch (error) {
        if (performance.now() > until) {
          this.failure = new OperatingError(
            'server_gone',
            `the server did not come back: waited_ms=${this.#options.reconnectMs} last=${String(error)}`,
          );
          return;
        }
        await pause(RECONNECT_PAUSE_MS);
      }
    }
  }
}

/** Hello.frames_in_flight = 4, without a decoder for the rest. */
function framesInFlightOf(hello: Buffer): number {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = hello[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < hello.length) {
    const tag = varint();
    if ((tag & 7) === 2) {
      const length = varint();
      at += length;
    } else if ((tag & 7) === 1) at += 8;
    else {
      const value = varint();
      if (tag >> 3 === 4) return value;
    }
  }
  return 0;
}
