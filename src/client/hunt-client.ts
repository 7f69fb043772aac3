/**
 * The TypeScript client: sends events over a WebSocket and resolves with what was decided. Frames are numbered, so whatever was
 * not answered when a connection breaks is sent again on the next one and counts once.
 *
 *   const client = await HuntClient.connect({ url: 'http://127.0.0.1:8700', producer: 'checkout-7' });
 *   const answer = await client.send([{ eventId: 'e1', playerId: '7', eventTime: new Date().toISOString(), dig: { depth: 1.5 } }]);
 *   console.log(answer.decisions[0]?.assistance);
 *   await client.close();
 */

import { WebSocket } from 'ws';
import { OperatingError } from '../errors.ts';

/** An event as the protobuf JSON mapping of the pipeline's message. */
export type JsonEvent = Readonly<Record<string, unknown>>;

export interface ClientOptions {
  /** http:// or ws:// */
  readonly url: string;
  /** Name under which frames are numbered; at most 200 bytes. Two clients at a time must not share one. */
  readonly producer: string;
  readonly key?: string | undefined;
  /** `durable` (default): answered once on disk. `stored`: once ClickHouse has it. */
  readonly ack?: 'durable' | 'stored';
  /** How long to try to connect again before pending frames fail, ms. Default 60,000. */
  readonly reconnectMs?: number;
  /** Told about lost connections. */
  readonly onReconnect?: (reason: string) => void;
}

export interface ClientHello {
  readonly pipeline: string;
  readonly pipelineVersion: string;
  readonly decisions: readonly { readonly name: string; readonly actions: readonly string[] }[];
  readonly framesInFlight: number;
  readonly frameBytesMax: number;
  readonly frameEventsMax: number;
  /** Decimal. */
  readonly highestSeq: string;
}

export interface ClientAnswer {
  readonly seq: number;
  readonly status: 'OK' | 'DUPLICATE' | 'REJECTED';
  readonly events: number;
  /** By event: action by decision name, null where it was not asked; null for an event that was rejected. */
  readonly decisions: readonly (Readonly<Record<string, string | null>> | null)[];
  readonly rejections: readonly { readonly index: number; readonly code: string; readonly text: string }[];
}

interface Pending {
  readonly seq: number;
  readonly text: string;
  readonly resolve: (answer: ClientAnswer) => void;
  readonly reject: (error: unknown) => void;
}

type WireAnswer = Omit<ClientAnswer, 'seq' | 'status'> & { readonly seq: string; readonly status: ClientAnswer['status'] | 'RETRY'; readonly retryAfterMs?: number };

const RECONNECT_PAUSE_MS = 200;
const RECONNECT_MS = 60_000;
const RETRY_AFTER_MS = 100;
const HELLO_MS = 10_000;

export class HuntClient {
  readonly #options: ClientOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #waiting: (() => void)[] = [];
  #socket: WebSocket | null = null;
  #hello: ClientHello | null = null;
  #nextSeq = 1;
  #closing = false;
  #failure: Error | null = null;

  private constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Resolves once the server has said hello. Throws OperatingError where it cannot be reached. */
  static async connect(options: ClientOptions): Promise<HuntClient> {
    const client = new HuntClient(options);
    await client.#open();
    client.#nextSeq = Number(client.hello.highestSeq) + 1;
    return client;
  }

  get hello(): ClientHello {
    return this.#hello!;
  }

  /** Sends one frame; resolves with its answer. Waits while as many frames as the server allows are unanswered. */
  send(events: readonly JsonEvent[]): Promise<ClientAnswer> {
    return this.sendFrame(this.#nextSeq++, events);
  }

  /** As `send`, under a sequence number of the caller's own: numbers may come again, and then count once. */
  async sendFrame(seq: number, events: readonly JsonEvent[]): Promise<ClientAnswer> {
    while (this.#pending.size >= this.hello.framesInFlight && this.#failure === null) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#failure !== null) throw this.#failure;
    return new Promise((resolve, reject) => {
      const pending: Pending = { seq, text: JSON.stringify({ seq: String(seq), events }), resolve, reject };
      this.#pending.set(seq, pending);
      this.#socket?.send(pending.text);
    });
  }

  /** Waits for the answers that are outstanding, then closes the connection. */
  async close(): Promise<void> {
    while (this.#pending.size > 0 && this.#failure === null) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#closing = true;
    this.#socket?.close(1000);
  }

  async #open(): Promise<void> {
    const { url, producer, ack = 'durable', key } = this.#options;
    const address = new URL('/v1/stream', url.replace(/^http/, 'ws'));
    address.searchParams.set('producer', producer);
    address.searchParams.set('ack', ack);
    const socket = new WebSocket(address, ['hunt.v1.json'], { ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }), handshakeTimeout: HELLO_MS });
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: string): void =>
        reject(new OperatingError('connect_failed', `cannot open a stream: url=${url} reason=${reason}; is hunt serve running there?`, { retryable: true }));
      socket.once('error', (error) => fail(error.message));
      socket.once('close', (_, reason) => fail(String(reason) || 'closed'));
      socket.once('message', (data) => {
        this.#hello = JSON.parse(String(data)) as ClientHello;
        resolve();
      });
    });
    socket.removeAllListeners('error').removeAllListeners('close');
    socket.on('error', () => undefined);
    socket.on('message', (data) => this.#receive(JSON.parse(String(data)) as WireAnswer));
    socket.on('close', (code, reason) => this.#lost(`code ${code} ${String(reason)}`));
    this.#socket = socket;
    for (const pending of this.#pending.values()) socket.send(pending.text);
  }

  #receive(answer: WireAnswer): void {
    const seq = Number(answer.seq);
    const pending = this.#pending.get(seq);
    if (pending === undefined) return;
    if (answer.status === 'RETRY') {
      setTimeout(() => this.#socket?.send(pending.text), answer.retryAfterMs ?? RETRY_AFTER_MS);
      return;
    }
    this.#pending.delete(seq);
    const { status, events, decisions, rejections } = answer;
    pending.resolve({ seq, status, events, decisions, rejections });
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #lost(reason: string): void {
    this.#socket = null;
    if (this.#closing) return;
    this.#options.onReconnect?.(reason);
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const until = Date.now() + (this.#options.reconnectMs ?? RECONNECT_MS);
    for (;;) {
      try {
        return await this.#open();
      } catch (error) {
        if (this.#closing) return;
        if (Date.now() > until) return this.#fail(error as Error);
      }
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_PAUSE_MS));
    }
  }

  #fail(error: Error): void {
    this.#failure = error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
