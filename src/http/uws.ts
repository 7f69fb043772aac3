/**
 * The transport over uWebSockets.js: the only file that names it, and it is loaded when asked for, because its binaries do
 * not load on every system. Its own bounds: a head has 10 s to come, a body or a reader may be silent for 10 s.
 *
 * The library answers requests that wait in one piece (pipelined ones) by closing the connection when the second comes while
 * the first is unanswered. A body's end is therefore told only once everything that came with it has been read: what follows
 * in the same piece ends the connection before the first request has had any effect, and what comes later waits where the
 * request was put on hold.
 */

import { createRequire } from 'node:module';
import type * as Library from 'uWebSockets.js';
import type { HttpRequest, HttpResponse, TemplatedApp, WebSocket, us_listen_socket } from 'uWebSockets.js';
import { HEADER_BYTES_MAX, problemBody, RequestHead, URL_BYTES_MAX } from './request-head.ts';
import { reasonPhrase } from './status.ts';
import type { AnswerHeaders, Exchange, Handlers, HttpServer, Transport, WebSocketHandlers } from './transport.ts';

type Uws = typeof Library;

/** The library shares ports (SO_REUSEPORT) unless told not to; two servers on one port would answer in turns. */
const SHARED_PORT = 0;
const EXCLUSIVE_PORT = 1;

/** How long a client may stop reading in the middle of an answer. */
const READER_STALL_MS_MAX = 300_000;
/** Well under the 10 s after which the library closes a connection that takes nothing. */
const STALL_CHECK_MS = 4_000;

const JSON_TYPE = { 'content-type': 'application/json' };

/** Throws where the library's binary does not load. */
export function loadUws(): Transport {
  // Read when it loads: its builds for Node 22 and later take heads of 4 KiB only where they are not told otherwise.
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= String(URL_BYTES_MAX + HEADER_BYTES_MAX);
  const library = createRequire(import.meta.url)('uWebSockets.js') as Uws;
  return { kind: 'uws', serve: (handlers) => serve(library, handlers) };
}

function serve<Data>(library: Uws, handlers: Handlers<Data>): HttpServer {
  const app = library.App();
  const connections = countConnections(app, handlers.connectionsMax ?? Infinity);
  if (handlers.webSocket !== undefined) serveWebSocket(library, app, handlers.webSocket, connections);
  app.any('/*', (response, request) => {
    const head = headOf(request, response);
    const exchange = new UwsExchange(response, head.method === 'HEAD');
    const { problem } = head;
    if (problem === null) handlers.request(head, exchange);
    else exchange.end(problem.status, JSON_TYPE, problemBody(problem), true);
  });
  return new UwsServer(library, app, connections);
}

interface Connections {
  open: number;
  refused: number;
}

/**
 * The library accepts all that wait, and ends the process where there is no descriptor left. It tells of every connection
 * that comes, and of every one that goes but those that have become WebSockets.
 */
function countConnections(app: TemplatedApp, max: number): Connections {
  const connections = { open: 0, refused: 0 };
  app.filter((response, change) => {
    connections.open = Math.max(0, connections.open + Number(change));
    if (Number(change) < 0 || connections.open <= max) return;
    connections.refused++;
    response.close();
  });
  return connections;
}

function headOf(request: HttpRequest, response: HttpResponse): RequestHead {
  const remoteOf = (): string => Buffer.from(response.getRemoteAddressAsText()).toString('latin1');
  const method = request.getMethod().toUpperCase();
  const head = new RequestHead(method, request.getUrl(), request.getQuery() ?? '', remoteOf);
  request.forEach((name, value) => head.add(name, value));
  return head;
}

class UwsServer implements HttpServer {
  readonly #library: Uws;
  readonly #app: TemplatedApp;
  readonly #connections: Connections;
  #listening: us_listen_socket | null = null;

  constructor(library: Uws, app: TemplatedApp, connections: Connections) {
    this.#library = library;
    this.#app = app;
    this.#connections = connections;
  }

  get refusedConnections(): number {
    return this.#connections.refused;
  }

  async listen(host: string, port: number, shared: boolean): Promise<number | null> {
    const options = shared ? SHARED_PORT : EXCLUSIVE_PORT;
    let socket = await bind(this.#app, host, port, options);
    if (socket !== false && port === 0) {
      // Bound so, the port could not be taken again for a minute after a crash: the library lets go of old connections
      // (SO_REUSEADDR) only where it is told a port.
      const chosen = this.#library.us_socket_local_port(socket);
      this.#library.us_listen_socket_close(socket);
      socket = await bind(this.#app, host, chosen, options);
    }
    if (socket === false) return null;
    this.#listening = socket;
    return this.#library.us_socket_local_port(socket);
  }

  stopListening(): void {
    if (this.#listening !== null) this.#library.us_listen_socket_close(this.#listening);
    this.#listening = null;
  }

  close(): void {
    this.#app.close();
  }
}

/** The library takes host, port and options together; its type declarations list only two of the three. */
interface ListeningApp {
  listen(host: string, port: number, options: number, opened: (socket: us_listen_socket | false) => void): void;
}

function bind(app: TemplatedApp, host: string, port: number, options: number): Promise<us_listen_socket | false> {
  return new Promise((done) => (app as unknown as ListeningApp).listen(host, port, options, done));
}

const nothing = (): void => undefined;

class UwsExchange implements Exchange {
  readonly #response: HttpResponse;
  readonly #isHead: boolean;
  isAborted = false;
  isAnswered = false;
  #always: AnswerHeaders = {};
  /** Nothing is read from the connection until the answer. */
  #paused = false;
  #aborted: () => void = nothing;
  #writable: () => void = nothing;
  #stall: NodeJS.Timeout | undefined;
  #stalledMs = 0;

  constructor(response: HttpResponse, isHead: boolean) {
    this.#response = response;
    this.#isHead = isHead;
    response.onAborted(() => {
      this.isAborted = true;
      clearInterval(this.#stall);
      this.#aborted();
      this.#writable();
    });
  }

  whenAborted(handler: () => void): void {
    this.#aborted = handler;
    if (this.isAborted) handler();
  }

  receive(take: (chunk: Uint8Array, isLast: boolean) => void): void {
    this.#response.onData((chunk, isLast) => {
      if (this.isAborted) return;
      if (!isLast) return take(new Uint8Array(chunk), false);
      // The chunk's memory is only valid now.
      const last = new Uint8Array(chunk.slice(0));
      setImmediate(() => {
        if (!this.isAborted) take(last, true);
      });
    });
  }

  always(headers: AnswerHeaders): void {
    this.#always = headers;
  }

  hold(): void {
    if (this.isAborted || this.isAnswered || this.#paused) return;
    this.#paused = true;
    this.#response.pause();
  }

  end(status: number, headers: AnswerHeaders, body: Uint8Array | string, closes = false): void {
    if (this.isAborted || this.isAnswered) return;
    this.isAnswered = true;
    this.#resume();
    const response = this.#response;
    response.cork(() => {
      writeHead(response, status, this.#always, headers);
      if (status === 204 || status === 304) response.endWithoutBody(undefined, closes);
      else if (this.#isHead) response.endWithoutBody(Buffer.byteLength(body), closes);
      else response.end(body, closes);
    });
  }

  begin(status: number, headers: AnswerHeaders): void {
    if (this.isAborted || this.isAnswered) return;
    this.isAnswered = true;
    this.#resume();
    const response = this.#response;
    // Registered once: the library keeps only one handler for each answer.
    response.onWritable(() => {
      this.#endStall();
      this.#writable();
      return true;
    });
    response.cork(() => writeHead(response, status, this.#always, headers));
  }

  write(chunk: Uint8Array): boolean {
    if (this.isAborted || this.#isHead) return true;
    let isTaken = true;
    this.#response.cork(() => {
      isTaken = this.#response.write(chunk);
    });
    if (!isTaken) this.#beginStall();
    return isTaken;
  }

  whenWritable(handler: () => void): void {
    this.#writable = handler;
  }

  finish(): void {
    this.#endStall();
    if (this.isAborted) return;
    this.#response.cork(() => void (this.#isHead ? this.#response.endWithoutBody() : this.#response.end()));
  }

  breakOff(): void {
    this.#endStall();
    if (!this.isAborted) this.#response.close();
  }

  /** Reading must go on before anything is written: on a paused connection the wake-up for writing is lost (measured). */
  #resume(): void {
    if (this.#paused) this.#response.resume();
    this.#paused = false;
  }

  /**
   * The library closes a connection on which nothing was sent for 10 s, a client that thinks between two rows included.
   * Pausing and resuming the request side winds that clock up again.
   */
  #beginStall(): void {
    if (this.#stall !== undefined) return;
    this.#stalledMs = 0;
    this.#stall = setInterval(() => {
      this.#stalledMs += STALL_CHECK_MS;
      if (this.#stalledMs >= READER_STALL_MS_MAX) return this.breakOff();
      this.#response.pause();
      this.#response.resume();
    }, STALL_CHECK_MS);
  }

  #endStall(): void {
    clearInterval(this.#stall);
    this.#stall = undefined;
  }
}

function writeHead(response: HttpResponse, status: number, always: AnswerHeaders, headers: AnswerHeaders): void {
  response.writeStatus(`${status} ${reasonPhrase(status)}`);
  for (const name of Object.keys(always)) response.writeHeader(name, always[name]!);
  for (const name of Object.keys(headers)) response.writeHeader(name, headers[name]!);
}

function serveWebSocket<Data>(
  library: Uws,
  app: TemplatedApp,
  handlers: WebSocketHandlers<Data>,
  connections: Connections,
): void {
  app.ws<Data>(handlers.path, {
    maxPayloadLength: handlers.messageBytesMax,
    compression: library.DISABLED,
    // Who is there is for the handlers to find out, by pings: the library counts what we send as a sign of life.
    idleTimeout: 0,
    sendPingsAutomatically: false,
    // No limit of the library's: it drops messages silently.
    maxBackpressure: 0,
    upgrade(response, request, context) {
      const head = headOf(request, response);
      const { problem } = head;
      const upgrade =
        problem === null
          ? handlers.upgrade(head)
          : { status: problem.status, headers: JSON_TYPE, body: problemBody(problem) };
      if ('status' in upgrade)
        return new UwsExchange(response, false).end(upgrade.status, upgrade.headers, upgrade.body, true);
      const { data, protocol } = upgrade;
      const [key, extensions] = ['sec-websocket-key', 'sec-websocket-extensions'].map((name) => head.header(name));
      response.upgrade(data, key!, protocol, extensions!, context);
    },
    open: (socket) => handlers.open(socket),
    message: (socket: WebSocket<Data>, message) => handlers.message(socket, new Uint8Array(message)),
    pong: (socket) => handlers.pong(socket),
    close(socket) {
      connections.open = Math.max(0, connections.open - 1);
      handlers.close(socket);
    },
  });
}
