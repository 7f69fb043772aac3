/**
 * What the two servers of the house, the ingress threads' and the embedded ClickHouse's, need from an HTTP and WebSocket
 * library. Two implementations: uws.ts (uWebSockets.js) and node.ts (node:http and ws), chosen by choose-transport.ts.
 *
 *   transport.serve(handlers) -> HttpServer        listen, stopListening, close
 *   handlers.request(head, exchange)               every request that is no upgrade; the head is a copy and may be kept
 *   exchange.receive(take)                         the body, chunk by chunk
 *   exchange.end(status, headers, body)            the answer, whole; or begin, write, finish
 *   handlers.webSocket.upgrade(head)               accepts or refuses; then open, message, pong, close
 *
 * Every callback runs on the thread that called `serve`. What comes too late, after an abort or an answer, is dropped in
 * silence.
 */

import type { RequestHead } from './request-head.ts';

export type TransportKind = 'uws' | 'node';

export type AnswerHeaders = Readonly<Record<string, string>>;

export interface Transport {
  readonly kind: TransportKind;
  serve<Data>(handlers: Handlers<Data>): HttpServer;
}

export interface Handlers<Data> {
  request(head: RequestHead, exchange: Exchange): void;
  readonly webSocket?: WebSocketHandlers<Data>;
  /** Connections at once, idle ones too; one more is closed as it comes. Default: as many as come. */
  readonly connectionsMax?: number;
}

export interface HttpServer {
  /**
   * Resolves with the port, null where it cannot be had. `shared`: other threads of this process listen on the same port.
   */
  listen(host: string, port: number, shared: boolean): Promise<number | null>;
  /** Takes no more connections; those that are there go on. */
  stopListening(): void;
  /** Ends every connection at once. */
  close(): void;
  /** Connections that were closed because there were too many, so far. */
  readonly refusedConnections: number;
}

/** One request and its answer. */
export interface Exchange {
  /** The client has gone before its answer was complete. */
  readonly isAborted: boolean;
  readonly isAnswered: boolean;
  /** Called once, at once where it has already happened. A later handler takes the place of an earlier one. */
  whenAborted(handler: () => void): void;
  /**
   * Hands over the body; to be called in the request's handler. A chunk is valid during its call only; the last one may be
   * empty.
   */
  receive(take: (chunk: Uint8Array, isLast: boolean) => void): void;
  /**
   * Reads nothing more from the connection until the answer, so that a request that follows without waiting for it waits
   * itself. Costs this: a client that hangs up meanwhile is not noticed. For requests that change something, once their body
   * is whole.
   */
  hold(): void;
  /** Headers of the answer, whoever gives it. */
  always(headers: AnswerHeaders): void;
  /** The whole answer. `closes`: the connection ends behind it, for what follows on it cannot be told from a request. */
  end(status: number, headers: AnswerHeaders, body: Uint8Array | string, closes?: boolean): void;
  begin(status: number, headers: AnswerHeaders): void;
  /** False where the client is slower than we are: wait for `whenWritable`. The chunk, copied, is taken in any case. */
  write(chunk: Uint8Array): boolean;
  whenWritable(handler: () => void): void;
  finish(): void;
  /** Ends a begun answer so that no client can take it for complete. */
  breakOff(): void;
}

export interface WebSocketHandlers<Data> {
  readonly path: string;
  /** A larger message ends the connection. */
  readonly messageBytesMax: number;
  upgrade(head: RequestHead): Upgrade<Data>;
  open(socket: Socket<Data>): void;
  /** `bytes` are valid during the call only. */
  message(socket: Socket<Data>, bytes: Uint8Array): void;
  pong(socket: Socket<Data>): void;
  /** However it ended; for `Socket.end` during that call. */
  close(socket: Socket<Data>): void;
}

export type Upgrade<Data> = AcceptedUpgrade<Data> | RefusedUpgrade;

export interface AcceptedUpgrade<Data> {
  readonly data: Data;
  readonly protocol: string;
}

export interface RefusedUpgrade {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: string;
}

/**
 * A WebSocket connection. It has the shape of the one of uWebSockets.js, which stands here itself: a frame costs no wrapper.
 */
export interface Socket<Data> {
  getUserData(): Data;
  /** Copies the bytes. */
  send(bytes: Uint8Array, isBinary: boolean, compress: false): unknown;
  /** What `sends` sends goes out together. */
  cork(sends: () => void): unknown;
  /** Bytes that the client has not read. */
  getBufferedAmount(): number;
  ping(): unknown;
  /** Closes behind what is still to be read. Calls the close handler. */
  end(code: number, reason: string): void;
}
