/**
 * The TypeScript client: sends frames of events over `/v1/stream` and resolves with what was decided. It numbers its frames
 * and keeps each until it is answered, so that a lost connection, a restarted server or a RETRY neither loses nor doubles an
 * event (docs/semantics.md §2). Also used by `hunt send` and `hunt play`.
 *
 *   const client = await HuntClient.connect({ url: 'http://127.0.0.1:8700', producer: 'checkout-7' });
 *   const answer = await client.send([{ eventId: 'e1', playerId: '7', eventTime: new Date().toISOString(), dig: { depth: 1.5 } }]);
 *   console.log(answer.decisions[0]?.assistance);
 *   await client.close();
 */

import { SEQ_BITMAP_BITS } from '../../native-free-core/layout/limits.ts';
import { OperatingError } from '../../native-free-core/base/operating-error.ts';
import { serverAddress, type ServerAddress } from './address.ts';
import { readAnswer, readHelloAgain, type ClientAnswer, type ClientHello } from './answer.ts';
import { Flight, type SentFrame } from './flight.ts';
import { encodeFrame, utf8Length, type ClientEvent, type Encoding } from './frame.ts';
import type { SocketKind } from './socket.ts';
import { openConnection, type StreamConnection } from './stream-connection.ts';

export interface ClientOptions {
  /** `http://host:8700`; `ws://` means the same. */
  readonly url: string;
  /** API key, where the server asks for one. */
  readonly key?: string | undefined;
  /**
   * Whose frames these are. Name it where frames may be sent again by another process: the server remembers by this name
   * what it has taken. At most one connection at a time may use it. Default: a new name, good for this client's life.
   */
  readonly producer?: string;
  /** `durable` (default): answered once fsynced. `stored`: answered once ClickHouse has it. */
  readonly ack?: 'durable' | 'stored';
  /**
   * What events are: `json` (default) objects in protobuf's JSON mapping, `proto` serialised messages, which cost the server
   * less.
   */
  readonly encoding?: Encoding;
  /** Frames sent and not yet answered; never more than the server allows, in frames and in events. */
  readonly framesInFlightMax?: number;
  /** How long a lost connection is tried again before everything unanswered fails. Default 60 s; 0: not at all. */
  readonly reconnectMs?: number;
  /** How long the same frame is sent again while the server says RETRY. Default 10 minutes. */
  readonly retryMs?: number;
  /** Told when the connection is lost, and when it is back. */
  readonly onReconnect?: (message: string) => void;
}

interface Frame extends SentFrame {
  readonly seq: number;
  readonly bytes: Uint8Array | string;
  readonly sentFirstAt: number;
  readonly resolve: (answer: ClientAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Frames that a client holds, sent or not. Whoever has more of them at hand awaits room(). */
export const FRAMES_HELD_MAX = 65_536;
const RECONNECT_MS = 60_000;
const RETRY_MS = 600_000;
const RECONNECT_PAUSE_MS_MIN = 50;
const RECONNECT_PAUSE_MS_MAX = 2000;
/** Longest pause that a RETRY can ask for. */
const RETRY_PAUSE_MS_MAX = 10_000;

const NO_ANSWER = { answer: null, eventsInFlight: 0 };

/** Without a way to open sockets: index.ts and browser.ts have one each. */
export class StreamClient {
  /** Frames that the server asked for again, and connections that were lost and opened anew. */
  retries = 0;
  reconnects = 0;
  readonly producer: string;
  readonly #options: ClientOptions;
  readonly #sockets: SocketKind;
  readonly #address: ServerAddress;
  readonly #encoding: Encoding;
  /** Everything unanswered by seq, oldest first. */
  readonly #held = new Map<number, Frame>();
  /** Of these: sent on this connection; and not, by seq. */
  readonly #inFlight = new Flight<Frame>();
  #waiting: Frame[] = [];
  readonly #roomWaiters: (() => void)[] = [];
  #connection: StreamConnection | null = null;
  #hello!: ClientHello;
  #nextSeq = 1;
  #lastSentSeq = 0;
  #holdUntil = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closing = false;
  #failure: Error | null = null;

  protected constructor(options: ClientOptions, sockets: SocketKind) {
    this.#options = options;
    this.#sockets = sockets;
    this.#encoding = options.encoding ?? 'json';
    this.#address = serverAddress(options.url, options.key);
    this.producer = options.producer ?? `client:${randomName()}`;
  }

  /** Connects and waits for the hello. Throws an OperatingError where no server answers or it refuses. */
  protected async start(): Promise<void> {
    await this.#connect();
    this.#nextSeq = this.#hello.highestSeq + 1;
  }

  /** Of the latest connection: names of decisions and actions, limits. */
  get hello(): ClientHello {
    return this.#hello;
  }

  /** Sequence number of the next frame: one above the highest that the server had, then counting up. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** Frames that are not answered yet. */
  get unanswered(): number {
    return this.#held.size;
  }

  /**
   * Sends one frame; resolves with its answer, after reconnects and retries where need be. Frames beyond the credits wait.
   */
  send(events: readonly ClientEvent[]): Promise<ClientAnswer> {
    return this.sendFrame(this.#nextSeq, events);
  }

  /** As `send`, under a number of the caller's own, which must grow from call to call: a frame sent before counts once. */
  sendFrame(seq: number, events: readonly ClientEvent[]): Promise<ClientAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) throw this.#failure;
      if (this.#closing) throw new OperatingError('client_closed', 'the client is closed: connect another');
      if (this.#held.size >= FRAMES_HELD_MAX) {
        throw new OperatingError(
          'client_full',
          `too many frames are unanswered: frames=${this.#held.size}; await room() before sending`,
          { retryable: true },
        );
      }
      if (!Number.isSafeInteger(seq) || seq < 1 || this.#lastSentSeq >= seq) {
        throw new OperatingError('seq_order', `sequence numbers must grow: seq=${seq} after=${this.#lastSentSeq}`);
      }
      const bytes = encodeFrame(this.#encoding, seq, events);
      const { frameBytesMax } = this.#hello;
      const size = typeof bytes === 'string' ? utf8Length(bytes) : bytes.length;
      if (size > frameBytesMax) {
        throw new OperatingError(
          'frame_too_large',
          `a frame is too large: bytes=${size} max=${frameBytesMax}; put fewer events into it`,
        );
      }
      const sentFirstAt = performance.now();
      const frame: Frame = { seq, bytes, size, events: events.length, sentFirstAt, resolve, reject };
      this.#lastSentSeq = seq;
      this.#nextSeq = seq + 1;
      this.#held.set(seq, frame);
      this.#waiting.push(frame);
      this.#pump();
    });
  }

  /** Resolves once a frame can be sent without queueing behind others. Throws what made the client fail. */
  async room(): Promise<void> {
    while (this.#failure === null && !this.#hasRoom())
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    if (this.#failure !== null) throw this.#failure;
  }

  /** Waits until everything sent is answered, then leaves. */
  async close(): Promise<void> {
    this.#closing = true;
    while (this.#failure === null && this.#held.size > 0)
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    await this.#leave();
  }

  /** Leaves at once; what is unanswered rejects with `client_aborted` and may or may not have been taken. */
  async abort(): Promise<void> {
    this.#closing = true;
    this.#fail(
      new OperatingError(
        'client_aborted',
        `the client was ended with frames unanswered: frames=${this.#held.size}; send them again under the same producer`,
      ),
    );
    await this.#leave();
  }

  async #leave(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const connection = this.#connection;
    this.#connection = null;
    await connection?.close();
  }

  async #connect(): Promise<void> {
    const { producer, ack } = { ack: 'durable' as const, ...this.#options, producer: this.producer };
    const connection = await openConnection(
      this.#sockets,
      { address: this.#address, encoding: this.#encoding, producer, ack },
      {
        message: (bytes) => this.#receive(bytes),
        isWaiting: () => this.#inFlight.length > 0,
        closed: (reason) => this.#lost(reason),
      },
    );
    this.#greeted(connection.hello);
    this.#connection = connection;
    if (this.#closing && this.#failure !== null) await this.#leave();
  }

  #greeted(hello: ClientHello): void {
    this.#hello = hello;
    this.#inFlight.allow(hello, this.#options.framesInFlightMax ?? Infinity);
  }

  #hasRoom(): boolean {
    return (
      this.#connection !== null &&
      this.#waiting.length === 0 &&
      this.#inFlight.hasRoom &&
      this.#withinMemory(this.#nextSeq)
    );
  }

  /** The server remembers so many numbers below the highest: none may fall out before it is answered. */
  #withinMemory(seq: number): boolean {
    for (const oldest of this.#held.keys()) return seq - oldest < SEQ_BITMAP_BITS;
    return true;
  }

  /** Sends what may be sent now. */
  #pump(): void {
    const connection = this.#connection;
    if (connection === null) return;
    const pauseMs = this.#holdUntil - performance.now();
    if (pauseMs > 0) return this.#pumpAfter(pauseMs);
    while (
      this.#waiting.length > 0 &&
      this.#inFlight.fits(this.#waiting[0]!) &&
      this.#withinMemory(this.#waiting[0]!.seq)
    ) {
      const frame = this.#waiting.shift()!;
      this.#inFlight.push(frame);
      connection.send(frame.bytes);
    }
    if (this.#hasRoom() || this.#held.size === 0) this.#wake();
  }

  #pumpAfter(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#pump();
    }, ms);
  }

  #wake(): void {
    for (const waiter of this.#roomWaiters.splice(0)) waiter();
  }

  /** Answers come in the order in which the frames went. */
  #receive(bytes: Uint8Array): void {
    const hello = readHelloAgain(this.#encoding, bytes);
    if (hello !== null) {
      this.#greeted(hello);
      return;
    }
    const { answer, eventsInFlight } = readAnswer(this.#encoding, bytes, this.#hello) ?? NO_ANSWER;
    const frame = this.#inFlight.oldest;
    if (answer === null || frame === undefined || (answer.seq !== frame.seq && answer.seq !== 0)) {
      const got = answer === null ? 'something else' : `seq=${answer.seq}`;
      this.#fail(
        new OperatingError(
          'answer_unexpected',
          `the server answered out of order: expected seq=${frame?.seq ?? 'none'} got ${got}`,
        ),
      );
      return void this.#leave();
    }
    this.#inFlight.shift(answer.status !== 'RETRY');
    if (eventsInFlight !== 0) this.#inFlight.allowEvents(eventsInFlight);
    if (answer.status === 'RETRY') return this.#retry(frame, answer.retryAfterMs);
    this.#held.delete(frame.seq);
    frame.resolve({ ...answer, seq: frame.seq });
    this.#pump();
  }

  /** Nothing of the frame was kept. It goes out again before all that is newer. */
  #retry(frame: Frame, retryAfterMs: number): void {
    this.retries++;
    const waitedMs = performance.now() - frame.sentFirstAt;
    const retryMs = this.#options.retryMs ?? RETRY_MS;
    if (waitedMs > retryMs) {
      this.#held.delete(frame.seq);
      const message = `the server is over its limits: seq=${frame.seq} waited_ms=${Math.round(waitedMs)}; nothing of the frame was kept, send it again later`;
      frame.reject(new OperatingError('server_busy', message, { retryable: true }));
    } else {
      const after = this.#waiting.findIndex(({ seq }) => seq > frame.seq);
      this.#waiting.splice(after < 0 ? this.#waiting.length : after, 0, frame);
    }
    this.#holdUntil = performance.now() + Math.min(Math.max(1, retryAfterMs), RETRY_PAUSE_MS_MAX);
    this.#pump();
  }

  #lost(reason: string): void {
    this.#connection = null;
    if (this.#failure !== null || (this.#closing && this.#held.size === 0)) return;
    // Whether the server took them is not known: they go out again, and what was taken is answered DUPLICATE.
    this.#waiting = [...this.#inFlight.takeAll(), ...this.#waiting].sort((a, b) => a.seq - b.seq);
    this.#holdUntil = 0;
    this.#options.onReconnect?.(
      `the connection was lost: ${reason}; connecting again, frames to send again: ${this.#waiting.length}`,
    );
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const begun = performance.now();
    const giveUpAt = begun + (this.#options.reconnectMs ?? RECONNECT_MS);
    let pauseMs = RECONNECT_PAUSE_MS_MIN;
    let error = new OperatingError('connection_lost', 'the connection was lost, and no other is wanted');
    for (;;) {
      if (performance.now() >= giveUpAt) return this.#fail(error);
      try {
        await this.#connect();
        break;
      } catch (cause) {
        if (this.#failure !== null) return;
        if (!(cause instanceof OperatingError) || !cause.retryable) return this.#fail(cause as Error);
        error = cause;
      }
      // Spread, so that a thousand clients do not come back in the same millisecond.
      await pause(pauseMs * (0.5 + Math.random()));
      pauseMs = Math.min(pauseMs * 2, RECONNECT_PAUSE_MS_MAX);
    }
    this.reconnects++;
    this.#options.onReconnect?.(`connected again after ${Math.round(performance.now() - begun)} ms`);
    this.#pump();
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    const held = [...this.#held.values()];
    this.#held.clear();
    this.#inFlight.takeAll();
    this.#waiting = [];
    for (const frame of held) frame.reject(error);
    this.#wake();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** crypto.randomUUID is missing in pages that came over plain HTTP. */
function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
