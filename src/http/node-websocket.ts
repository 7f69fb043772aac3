/**
 * WebSocket connections for node.ts, by the package ws: upgrades, and a socket of the shape that uWebSockets.js gives. An
 * upgrade to anything else (HttpClient of Java asks for h2c with every first request) is a plain request.
 */

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { problemBody, type RequestHead } from './request-head.ts';
import { reasonPhrase } from './status.ts';
import type { AcceptedUpgrade, RefusedUpgrade, Socket, WebSocketHandlers } from './transport.ts';

/** RFC 6455 5.5.1: a control frame has 125 bytes, two of them the code. */
const REASON_BYTES_MAX = 123;

const JSON_TYPE = { 'content-type': 'application/json' };

export interface Upgrades {
  closeAll(): void;
}

type HeadOf = (request: IncomingMessage) => RequestHead;

export function serveUpgrades<Data>(server: Server, handlers: WebSocketHandlers<Data>, headOf: HeadOf): Upgrades {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: handlers.messageBytesMax,
    perMessageDeflate: false,
    clientTracking: true,
    // Only what the upgrade has accepted comes here: see `accept`.
    handleProtocols: (_offered, request) => (request as AcceptedRequest).acceptedProtocol,
  });
  const accept = (request: IncomingMessage, raw: Duplex, rest: Buffer, accepted: AcceptedUpgrade<Data>): void => {
    (request as AcceptedRequest).acceptedProtocol = accepted.protocol;
    sockets.handleUpgrade(request, raw, rest, (socket) => open(socket, raw, accepted.data, handlers));
  };
  server.on('upgrade', (request: IncomingMessage, raw: Duplex, rest: Buffer) => {
    raw.on('error', () => raw.destroy());
    if (!isToWebSocket(request, handlers.path)) return asPlainRequest(server, request, raw, rest);
    const head = headOf(request);
    const { problem } = head;
    const upgrade =
      problem === null
        ? handlers.upgrade(head)
        : { status: problem.status, headers: JSON_TYPE, body: problemBody(problem) };
    if ('status' in upgrade) refuse(raw, upgrade);
    else accept(request, raw, rest, upgrade);
  });
  return { closeAll: () => sockets.clients.forEach((socket) => socket.terminate()) };
}

/** `path`: where WebSockets are served; undefined: nowhere. */
export function isToWebSocket(request: IncomingMessage, path: string | undefined): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket' && request.url?.split('?', 1)[0] === path;
}

interface AcceptedRequest extends IncomingMessage {
  acceptedProtocol: string;
}

/** The request is read once more, without what asked for the upgrade. */
function asPlainRequest(server: Server, request: IncomingMessage, raw: Duplex, rest: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  const { rawHeaders } = request;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (!/^(upgrade|connection|http2-settings)$/i.test(rawHeaders[i]!))
      lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  raw.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), rest]));
  server.emit('connection', raw);
}

function refuse(raw: Duplex, { status, headers, body }: RefusedUpgrade): void {
  const lines = [`HTTP/1.1 ${status} ${reasonPhrase(status)}`, 'Connection: close'];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  raw.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function open<Data>(socket: WebSocket, raw: Duplex, data: Data, handlers: WebSocketHandlers<Data>): void {
  const connection = new NodeSocket(socket, raw, data, handlers);
  socket.binaryType = 'nodebuffer';
  socket.on('message', (bytes: Buffer) => {
    if (!connection.isClosed) handlers.message(connection, bytes);
  });
  socket.on('pong', () => {
    if (!connection.isClosed) handlers.pong(connection);
  });
  socket.on('close', () => connection.closed());
  // Said by 'close', too.
  socket.on('error', () => undefined);
  handlers.open(connection);
}

class NodeSocket<Data> implements Socket<Data> {
  readonly #socket: WebSocket;
  readonly #raw: Duplex;
  readonly #data: Data;
  readonly #handlers: WebSocketHandlers<Data>;
  isClosed = false;

  constructor(socket: WebSocket, raw: Duplex, data: Data, handlers: WebSocketHandlers<Data>) {
    this.#socket = socket;
    this.#raw = raw;
    this.#data = data;
    this.#handlers = handlers;
  }

  getUserData(): Data {
    return this.#data;
  }

  send(bytes: Uint8Array, isBinary: boolean): void {
    // Copied: they may be lane memory, and the library keeps what the client is too slow for.
    this.#socket.send(Buffer.from(bytes), { binary: isBinary, compress: false });
  }

  cork(sends: () => void): void {
    this.#raw.cork();
    try {
      sends();
    } finally {
      this.#raw.uncork();
    }
  }

  getBufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  ping(): void {
    this.#socket.ping();
  }

  end(code: number, reason: string): void {
    if (this.isClosed) return;
    this.#socket.close(code, Buffer.from(reason).subarray(0, REASON_BYTES_MAX).toString('utf8'));
    this.closed();
  }

  closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#handlers.close(this);
  }
}
