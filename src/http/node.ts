/**
 * The transport over node:http and ws: for systems on which the binaries of uWebSockets.js do not load. It speaks HTTP/1.0
 * and answers pipelined requests in turn, too. Its bounds are those of uws.ts: a head has 10 s to come, a body may be silent
 * for 10 s, a reader for five minutes.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { isToWebSocket, serveUpgrades, type Upgrades } from './node-websocket.ts';
import { HEADER_BYTES_MAX, problemBody, RequestHead, URL_BYTES_MAX } from './request-head.ts';
import { reasonPhrase } from './status.ts';
import type { AnswerHeaders, Exchange, Handlers, HttpServer, Transport } from './transport.ts';

const HEAD_MS_MAX = 10_000;
const BODY_SILENCE_MS_MAX = 10_000;
const READER_STALL_MS_MAX = 300_000;
/** Clients are told eight seconds, so that they close first. */
const KEEP_ALIVE_MS = 10_000;
/** How often silent bodies are looked for. */
const SWEEP_MS = 1_000;

const JSON_TYPE = { 'content-type': 'application/json' };
const EMPTY = new Uint8Array(0);

export function nodeTransport(): Transport {
  return { kind: 'node', serve: (handlers) => new NodeServer(handlers) };
}

class NodeServer<Data> implements HttpServer {
  readonly #server: Server;
  readonly #upgrades: Upgrades | null;
  readonly #receiving = new Set<NodeExchange>();
  /** Of each connection the latest request. */
  readonly #last = new WeakMap<Duplex, NodeExchange>();
  readonly #sweep: NodeJS.Timeout;
  refusedConnections = 0;

  constructor(handlers: Handlers<Data>) {
    const options = {
      headersTimeout: HEAD_MS_MAX,
      // Long inserts may take long; what is silent is swept.
      requestTimeout: 0,
      connectionsCheckingInterval: SWEEP_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Node 24.9 and later ask; on older ones an upgrade to anything else is read once more: see node-websocket.ts.
      shouldUpgradeCallback: (request: IncomingMessage) => isToWebSocket(request, handlers.webSocket?.path),
      maxHeaderSize: URL_BYTES_MAX + HEADER_BYTES_MAX,
    };
    this.#server = createServer(options, (request, response) => {
      const head = headOf(request);
      const exchange = new NodeExchange(request, response, this.#receiving);
      this.#last.set(request.socket, exchange);
      const { problem } = head;
      if (problem === null) handlers.request(head, exchange);
      else exchange.end(problem.status, JSON_TYPE, problemBody(problem), true);
    });
    if (handlers.connectionsMax !== undefined) this.#server.maxConnections = handlers.connectionsMax;
    this.#server.on('drop', () => this.refusedConnections++);
    // Node would drop what is over a limit in silence.
    this.#server.maxHeadersCount = 0;
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const last = this.#last.get(socket);
      if (last === undefined || !last.isEndingFor(socket)) answerBroken(error, socket);
    });
    this.#upgrades = handlers.webSocket === undefined ? null : serveUpgrades(this.#server, handlers.webSocket, headOf);
    this.#sweep = setInterval(() => this.#endSilent(), SWEEP_MS).unref();
  }

  listen(host: string, port: number, shared: boolean): Promise<number | null> {
    const server = this.#server;
    return new Promise((done) => {
      server.once('error', () => done(null));
      // `reusePort`: Node 22.12 and later; choose-transport.ts refuses more threads on others.
      const options = { host, port, exclusive: true, ...(shared ? { reusePort: true } : {}) };
      server.listen(options, () => done((server.address() as AddressInfo).port));
    });
  }

  stopListening(): void {
    this.#server.close();
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#server.close();
    this.#upgrades?.closeAll();
    this.#server.closeAllConnections();
  }

  #endSilent(): void {
    const now = performance.now();
    for (const exchange of this.#receiving) exchange.endWhereSilent(now);
  }
}

function headOf(request: IncomingMessage): RequestHead {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const remoteOf = (): string => request.socket.remoteAddress ?? '';
  const head = new RequestHead(request.method ?? 'GET', path, mark < 0 ? '' : url.slice(mark + 1), remoteOf);
  const { rawHeaders } = request;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) head.add(rawHeaders[i]!.toLowerCase(), rawHeaders[i + 1]!);
  return head;
}

const nothing = (): void => undefined;

class NodeExchange implements Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #receiving: Set<NodeExchange>;
  isAborted = false;
  isAnswered = false;
  #always: AnswerHeaders = {};
  #isWhole = false;
  #closes = false;
  #heardAt = 0;
  #aborted: () => void = nothing;
  #writable: () => void = nothing;
  #stall: NodeJS.Timeout | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, receiving: Set<NodeExchange>) {
    this.#request = request;
    this.#response = response;
    this.#receiving = receiving;
    response.on('close', () => this.#closed());
    // Said by 'close', too.
    request.on('error', nothing);
    response.on('error', nothing);
  }

  whenAborted(handler: () => void): void {
    this.#aborted = handler;
    if (this.isAborted) handler();
  }

  receive(take: (chunk: Uint8Array, isLast: boolean) => void): void {
    this.#heardAt = performance.now();
    this.#receiving.add(this);
    this.#request.on('data', (chunk: Buffer) => {
      this.#heardAt = performance.now();
      if (!this.isAborted) take(chunk, false);
    });
    this.#request.on('end', () => {
      this.#receiving.delete(this);
      this.#isWhole = true;
      if (!this.isAborted) take(EMPTY, true);
    });
  }

  always(headers: AnswerHeaders): void {
    this.#always = headers;
  }

  /** Node keeps pipelined requests and answers them in turn. */
  hold(): void {}

  end(status: number, headers: AnswerHeaders, body: Uint8Array | string, closes = false): void {
    if (this.isAborted || this.isAnswered) return;
    this.isAnswered = true;
    const response = this.#response;
    const hasNoBody = status === 204 || status === 304;
    // Copied: the bytes may be lane memory, and a client that is slow gets them later.
    const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body);
    this.#writeHead(
      status,
      headers,
      response.shouldKeepAlive && !closes && !this.#closes,
      hasNoBody ? null : bytes.length,
    );
    response.end(hasNoBody ? undefined : bytes);
  }

  begin(status: number, headers: AnswerHeaders): void {
    if (this.isAborted || this.isAnswered) return;
    this.isAnswered = true;
    const response = this.#response;
    // HTTP/1.0 knows no chunks: there the end of the connection is the end of the answer.
    this.#writeHead(
      status,
      headers,
      response.shouldKeepAlive && !this.#closes && this.#request.httpVersion !== '1.0',
      null,
    );
    response.on('drain', () => {
      this.#endStall();
      this.#writable();
    });
  }

  write(chunk: Uint8Array): boolean {
    if (this.isAborted) return true;
    const isTaken = this.#response.write(Buffer.from(chunk));
    if (!isTaken) this.#stall ??= setTimeout(() => this.breakOff(), READER_STALL_MS_MAX);
    return isTaken;
  }

  whenWritable(handler: () => void): void {
    this.#writable = handler;
  }

  finish(): void {
    this.#endStall();
    if (!this.isAborted) this.#response.end();
  }

  breakOff(): void {
    this.#endStall();
    if (!this.isAborted) this.#response.destroy();
  }

  /**
   * What came behind this request on its connection is no request: true where nothing more is to be said of it than what
   * this one is, or was, answered.
   */
  isEndingFor(socket: Duplex): boolean {
    if (this.isAnswered) socket.end();
    this.#closes = true;
    return this.isAnswered || this.#isWhole;
  }

  endWhereSilent(now: number): void {
    if (now - this.#heardAt > BODY_SILENCE_MS_MAX) this.#request.destroy();
  }

  #closed(): void {
    this.#receiving.delete(this);
    this.#endStall();
    if (this.#response.writableFinished || this.isAborted) return;
    this.isAborted = true;
    this.#aborted();
    this.#writable();
  }

  #endStall(): void {
    clearTimeout(this.#stall);
    this.#stall = undefined;
  }

  /** `Connection` is said outright: Node would add a `Keep-Alive` of its own beside the one that the answer may have. */
  #writeHead(status: number, headers: AnswerHeaders, keepsAlive: boolean, bytes: number | null): void {
    const pairs: string[] = [];
    for (const name of Object.keys(this.#always)) pairs.push(name, this.#always[name]!);
    for (const name of Object.keys(headers)) pairs.push(name, headers[name]!);
    pairs.push('Connection', keepsAlive ? 'keep-alive' : 'close');
    if (bytes !== null) pairs.push('Content-Length', String(bytes));
    this.#response.writeHead(status, reasonPhrase(status), pairs);
  }
}

/** What does not read as HTTP is said to be so, and the connection ends. */
function answerBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = STATUS_OF_ERROR.get(error.code ?? '') ?? 400;
  socket.end(`HTTP/1.1 ${status} ${reasonPhrase(status)}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

const STATUS_OF_ERROR: ReadonlyMap<string, number> = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);
