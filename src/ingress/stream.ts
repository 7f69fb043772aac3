/**
 * `/v1/stream`: frames in, answers out, over WebSocket. Ingress thread; each callback copies and returns.
 */

import { answerCodeOf, CODE_OF_SUBPROTOCOL, encodingOf } from '../../native-free-core/encodings/index.ts';
import { FRAME_BYTES_MAX } from '../../native-free-core/layout/limits.ts';
import { createSeq } from '../../native-free-core/layout/seq.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Socket, Upgrade, WebSocketHandlers } from '../http/transport.ts';
import { ADMITTED, workerOf } from './admission.ts';
import type { IngressContext } from './thread-context.ts';
import { SERVER_BUSY, SERVER_STOPPING, endWith, refusal, type HttpProblem } from './http-answer.ts';
import type { Outlet, Peer } from './peers.ts';
import { Pings, type Pinged } from './pings.ts';
import { isProblem, readTerms, type Terms } from './terms.ts';

const SUBPROTOCOLS = [...CODE_OF_SUBPROTOCOL.keys()].join(' or ');

/** Close codes of RFC 6455. */
const CLOSE_GOING_AWAY = 1001;
const CLOSE_POLICY = 1008;
const CLOSE_TRY_AGAIN = 1013;

interface StreamData {
  readonly terms: Terms;
  readonly encoding: number;
  stream: Stream | null;
}

/** One connection. */
class Stream implements Outlet, Pinged {
  readonly #socket: Socket<StreamData>;
  readonly #binary: boolean;
  readonly #unreadBytesMax: number;
  readonly peer: Peer;
  unheardPings = 0;
  #gathering = false;

  constructor(context: IngressContext, socket: Socket<StreamData>, worker: number) {
    const { encoding, terms } = socket.getUserData();
    const { framesInFlight, unreadBytesMax } = context.options.limits;
    this.#socket = socket;
    const answerEncoding = answerCodeOf(encoding);
    this.#binary = !encodingOf(answerEncoding).answers.isText;
    this.#unreadBytesMax = unreadBytesMax;
    const { producer, stored } = terms;
    const events = stored ? null : context.admission.eventCredit(worker, encoding, answerEncoding);
    const bounds = { credit: framesInFlight, events };
    this.peer = context.peers.add({ worker, encoding, answerEncoding, stored, producer, ...bounds }, this);
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

  /**
   * A client that does not read its answers is cut off. It can send those frames again and gets the original decisions as
   * DUPLICATE.
   */
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

  ping(): void {
    this.#socket.ping();
  }

  endSilent(): void {
    this.end(CLOSE_GOING_AWAY, `no sign of life: unanswered_pings=${this.unheardPings}; connect again and send again`);
  }
}

export interface Streams {
  readonly handlers: WebSocketHandlers<StreamData>;
  /** To be called every `turnMs`. */
  expire(): void;
  /** Tells every client that the server is going. */
  endAll(): void;
  readonly count: number;
}

export function serveStream(context: IngressContext, turnMs: number): Streams {
  const streams = new Set<Stream>();
  const { admission, peers, options, router } = context;
  const { limits } = options;
  const pings = new Pings(limits.pingMs, limits.idleSeconds * 1000, turnMs);
  let turn = options.index;
  router.on('stream', (_head, exchange) => endWith(exchange, NO_UPGRADE));
  const handlers: WebSocketHandlers<StreamData> = {
    path: '/v1/stream',
    messageBytesMax: FRAME_BYTES_MAX,
    upgrade(head) {
      const full = streams.size >= limits.connectionsMax ? SERVER_BUSY : null;
      const admitted = router.admit(head);
      if ('status' in admitted) return refusal(admitted);
      const problem = admission.stopping ? SERVER_STOPPING : full;
      return problem === null ? upgrade(head) : refusal(problem);
    },
    open(socket) {
      const data = socket.getUserData();
      const { producer, dedup } = data.terms;
      const { workers } = admission;
      const stream = new Stream(context, socket, producer === '' ? turn++ % workers : workerOf(producer, workers));
      if (!admission.open(stream.peer, true, dedup)) {
        peers.remove(stream.peer);
        stream.end(CLOSE_TRY_AGAIN, SERVER_BUSY.message);
        return;
      }
      stream.peer.awaitHello();
      data.stream = stream;
      streams.add(stream);
      pings.add(stream);
    },
    message(socket, bytes) {
      const { stream } = socket.getUserData();
      if (stream === null) return;
      stream.unheardPings = 0;
      receive(context, stream, bytes);
    },
    pong(socket) {
      const { stream } = socket.getUserData();
      if (stream !== null) stream.unheardPings = 0;
    },
    close(socket) {
      const { stream } = socket.getUserData();
      if (stream === null) return;
      streams.delete(stream);
      pings.remove(stream);
      peers.remove(stream.peer);
      admission.close(stream.peer);
    },
  };
  return {
    handlers,
    expire: () => pings.turn(),
    endAll() {
      for (const stream of streams) stream.end(CLOSE_GOING_AWAY, 'the server is stopping; connect again in a moment');
    },
    get count() {
      return streams.size;
    },
  };
}

function upgrade(head: RequestHead): Upgrade<StreamData> {
  const offered = head
    .header('sec-websocket-protocol')
    .split(',')
    .map((name) => name.trim());
  const protocol = offered.find((name) => CODE_OF_SUBPROTOCOL.has(name));
  if (protocol === undefined) return refusal(unknownProtocol(offered));
  const terms = readTerms(head);
  if (isProblem(terms)) return refusal(terms);
  return { data: { terms, encoding: CODE_OF_SUBPROTOCOL.get(protocol)!, stream: null }, protocol };
}

const NO_UPGRADE: HttpProblem = {
  status: 426,
  code: 'upgrade_required',
  message: `this is a WebSocket: open it as one, with the subprotocol ${SUBPROTOCOLS}`,
  headers: { upgrade: 'websocket' },
};

function unknownProtocol(offered: readonly string[]): HttpProblem {
  const message = `no known subprotocol: offered=${offered.join(',') || 'none'}; offer ${SUBPROTOCOLS}`;
  return { status: 400, code: 'unknown_subprotocol', message };
}

const NO_SEQ = createSeq();
const seq = createSeq();

function receive(context: IngressContext, stream: Stream, frame: Uint8Array): void {
  const { peer } = stream;
  const { seqIsNear, findSeq } = encodingOf(peer.encoding).frames;
  // A seq that is far is for the worker to read.
  if (seqIsNear) findSeq(frame, seq);
  const outcome = context.admission.admit(peer, frame, seqIsNear ? seq : NO_SEQ);
  context.received.frames++;
  context.received.bytes += frame.length;
  if (outcome === ADMITTED) return;
  if (!seqIsNear) findSeq(frame, seq);
  peer.retry(context.refusals.refuse(peer, frame, seq, outcome));
  if (stream.closeIfUnread()) return;
  if (peer.waiting > peer.credit) {
    stream.end(CLOSE_POLICY, `too many frames in flight: frames_in_flight=${peer.credit}; wait for answers`);
  }
}
