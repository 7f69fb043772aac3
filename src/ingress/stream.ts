/**
 * `/v1/stream`: frames in, answers out, over WebSocket. Ingress thread; each callback copies and returns.
 */

import type { HttpRequest, HttpResponse, WebSocket, us_socket_context_t } from 'uWebSockets.js';
import { lookup } from '../../native-free-core/base/lookup.ts';
import { readFrameSeq } from '../../native-free-core/codec/frame.ts';
import { FRAME_BYTES_MAX } from '../../native-free-core/layout/limits.ts';
import { ENCODING_JSON, ENCODING_PROTO } from '../../native-free-core/layout/records.ts';
import { ADMITTED, workerOf } from './admission.ts';
import type { IngressContext } from './context.ts';
import { readJsonSeq } from './count-events.ts';
import { BUSY, STOPPING, endWith, type HttpProblem } from './http-answer.ts';
import type { Outlet, Peer } from './peers.ts';
import { isProblem, readTerms, type Terms } from './terms.ts';

const ENCODING_OF_PROTOCOL: Readonly<Record<string, number>> = {
  'hunt.v1.proto': ENCODING_PROTO,
  'hunt.v1.json': ENCODING_JSON,
};

/** Close codes of RFC 6455. */
const CLOSE_GOING_AWAY = 1001;
const CLOSE_POLICY = 1008;
const CLOSE_TRY_AGAIN = 1013;

interface StreamData {
  readonly terms: Terms;
  readonly encoding: number;
  stream: Stream | null;
}

type StreamSocket = WebSocket<StreamData>;

/** One connection. */
class Stream implements Outlet {
  readonly #socket: StreamSocket;
  readonly #binary: boolean;
  readonly #unreadBytesMax: number;
  readonly peer: Peer;
  #gathering = false;

  constructor(context: IngressContext, socket: StreamSocket, worker: number) {
    const { encoding, terms } = socket.getUserData();
    const { framesInFlight, unreadBytesMax } = context.options.limits;
    this.#socket = socket;
    this.#binary = encoding === ENCODING_PROTO;
    this.#unreadBytesMax = unreadBytesMax;
    const { producer, stored } = terms;
    this.peer = context.peers.add({ worker, encoding, stored, producer, credit: framesInFlight }, this);
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#binary, false);
  }

  gather(sends: () => void): void {
    if (this.#gathering) return sends();
    this.#gathering = true;
    this.#socket.cork(sends);
    this.#gathering = false;
    this.closeIfUnread();
  }

  /** A client that does not read its answers is cut off: what it has missed is a DUPLICATE away. */
  closeIfUnread(): boolean {
    const bytes = this.#socket.getBufferedAmount();
    if (bytes <= this.#unreadBytesMax) return false;
    this.end(CLOSE_TRY_AGAIN, `answers are not read: bytes=${bytes}; read them, connect again and send again`);
    return true;
  }

  /** Closes the connection behind what is still to be read; its close handler runs at once. */
  end(code: number, reason: string): void {
    this.#socket.end(code, reason);
  }
}

export interface Streams {
  /** Tells every client that the server is going. */
  endAll(): void;
  readonly count: number;
}

export function serveStream(context: IngressContext): Streams {
  const streams = new Set<Stream>();
  const { admission, keys, peers, options } = context;
  let turn = options.index;
  context.app.ws<StreamData>('/v1/stream', {
    maxPayloadLength: FRAME_BYTES_MAX,
    idleTimeout: options.limits.idleSeconds,
    sendPingsAutomatically: true,
    // No limit of uWebSockets.js: it drops messages silently. `closeIfUnread` is ours.
    maxBackpressure: 0,
    upgrade(response, request, socket) {
      const full = streams.size >= options.limits.connectionsMax ? BUSY : null;
      const problem = keys.check(request) ?? (admission.stopping ? STOPPING : full);
      if (problem !== null) endWith(response, problem);
      else upgrade(response, request, socket);
    },
    open(socket) {
      const data = socket.getUserData();
      const { producer, dedup } = data.terms;
      const { workers } = admission;
      const stream = new Stream(context, socket, producer === '' ? turn++ % workers : workerOf(producer, workers));
      if (!admission.open(stream.peer, true, dedup)) {
        peers.remove(stream.peer);
        stream.end(CLOSE_TRY_AGAIN, BUSY.message);
        return;
      }
      stream.peer.awaitHello();
      data.stream = stream;
      streams.add(stream);
    },
    message(socket, message) {
      const { stream } = socket.getUserData();
      if (stream !== null) receive(context, stream, new Uint8Array(message));
    },
    close(socket) {
      const { stream } = socket.getUserData();
      if (stream === null) return;
      streams.delete(stream);
      peers.remove(stream.peer);
      admission.close(stream.peer);
    },
  });
  return {
    endAll() {
      for (const stream of streams) stream.end(CLOSE_GOING_AWAY, 'the server is stopping; connect again in a moment');
    },
    get count() {
      return streams.size;
    },
  };
}

function upgrade(response: HttpResponse, request: HttpRequest, socket: us_socket_context_t): void {
  const offered = request
    .getHeader('sec-websocket-protocol')
    .split(',')
    .map((name) => name.trim());
  const protocol = offered.find((name) => Object.hasOwn(ENCODING_OF_PROTOCOL, name));
  if (protocol === undefined) return endWith(response, unknownProtocol(offered));
  const terms = readTerms(request);
  if (isProblem(terms)) return endWith(response, terms);
  const data: StreamData = { terms, encoding: lookup(ENCODING_OF_PROTOCOL, protocol)!, stream: null };
  const key = request.getHeader('sec-websocket-key');
  response.upgrade(data, key, protocol, request.getHeader('sec-websocket-extensions'), socket);
}

function unknownProtocol(offered: readonly string[]): HttpProblem {
  const message = `no known subprotocol: offered=${offered.join(',') || 'none'}; offer ${Object.keys(ENCODING_OF_PROTOCOL).join(' or ')}`;
  return { status: 400, code: 'unknown_subprotocol', message };
}

const seq = new Uint32Array(2);

function receive(context: IngressContext, stream: Stream, frame: Uint8Array): void {
  const { peer } = stream;
  const isProto = peer.encoding === ENCODING_PROTO;
  // A JSON frame's seq is for the worker to read.
  if (isProto) readFrameSeq(frame, 0, frame.length, seq);
  const outcome = context.admission.admit(peer, frame, isProto ? seq[0]! : 0, isProto ? seq[1]! : 0);
  context.received.frames++;
  context.received.bytes += frame.length;
  if (outcome === ADMITTED) return;
  if (!isProto) readJsonSeq(frame, seq);
  peer.retry(context.refusals.refuse(peer, frame, seq[0]!, seq[1]!, outcome));
  if (stream.closeIfUnread()) return;
  if (peer.waiting > peer.credit) {
    stream.end(CLOSE_POLICY, `too many frames in flight: frames_in_flight=${peer.credit}; wait for answers`);
  }
}
