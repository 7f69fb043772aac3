/**
 * `/v1/stream`: frames in, answers out, over WebSocket. Ingress thread; each callback copies and returns.
 */

import type { HttpRequest, HttpResponse, WebSocket, us_socket_context_t } from 'uWebSockets.js';
import { readFrameSeq } from '../../native-free-core/codec/frame.ts';
import { FRAME_BYTES_MAX, PRODUCER_NAME_BYTES_MAX } from '../../native-free-core/layout/limits.ts';
import { ENCODING_JSON, ENCODING_PROTO } from '../../native-free-core/layout/records.ts';
import { workerOf } from './admission.ts';
import { hasKey, refuse, STATUS_RETRY, type IngressContext } from './context.ts';
import { FRAMES_IN_FLIGHT } from './hello.ts';
import { endWith } from './http-answer.ts';
import type { Peer } from './peers.ts';

/** A client that does not read its answers is cut off beyond this. */
const UNREAD_BYTES_MAX = 4 << 20;
const IDLE_SECONDS = 120;
const PROTOCOLS: Readonly<Record<string, number>> = { 'hunt.v1.proto': ENCODING_PROTO, 'hunt.v1.json': ENCODING_JSON };

export interface StreamData {
  readonly producer: string;
  readonly encoding: number;
  readonly stored: boolean;
  readonly dedup: boolean;
  peer: Peer | null;
}

export type StreamSocket = WebSocket<StreamData>;

/** Sockets by peer, for writing several answers at once. */
export type StreamSockets = Map<Peer, StreamSocket>;

export function serveStream(context: IngressContext): StreamSockets {
  const sockets: StreamSockets = new Map();
  let turn = context.options.index;
  context.app.ws<StreamData>('/v1/stream', {
    maxPayloadLength: FRAME_BYTES_MAX,
    idleTimeout: IDLE_SECONDS,
    sendPingsAutomatically: true,
    maxBackpressure: UNREAD_BYTES_MAX,
    closeOnBackpressureLimit: 1,
    upgrade: (response, request, socket) => upgrade(context, response, request, socket),
    open: (socket) => open(context, sockets, socket, turn++),
    message: (socket, message) => receive(context, socket, message),
    close: (socket) => {
      const peer = socket.getUserData().peer;
      if (peer === null) return;
      context.counters.connections--;
      sockets.delete(peer);
      context.peers.remove(peer);
      context.admission.close(peer);
    },
  });
  return sockets;
}

function upgrade(context: IngressContext, response: HttpResponse, request: HttpRequest, socket: us_socket_context_t): void {
  const offered = request.getHeader('sec-websocket-protocol').split(',').map((name) => name.trim());
  const protocol = offered.find((name) => PROTOCOLS[name] !== undefined);
  const producer = request.getQuery('producer') ?? '';
  const ack = request.getQuery('ack') ?? 'durable';
  const key = hasKey(context, request.getHeader('authorization'), request.getHeader('x-hunt-key'), request.getQuery('key') ?? '');
  if (!key) return endWith(response, 401, 'unauthorized', 'an API key is required: send Authorization: Bearer KEY, X-Hunt-Key or ?key=');
  if (protocol === undefined) {
    return endWith(response, 400, 'unknown_subprotocol', `subprotocol offered: ${offered.join(', ') || 'none'}; offer hunt.v1.proto or hunt.v1.json`);
  }
  if (ack !== 'durable' && ack !== 'stored') return endWith(response, 400, 'unknown_ack', `ack=${ack}; use durable or stored`);
  if (Buffer.byteLength(producer) > PRODUCER_NAME_BYTES_MAX) {
    return endWith(response, 400, 'producer_too_long', `producer names have at most ${PRODUCER_NAME_BYTES_MAX} bytes`);
  }
  if (context.state.stopping) return endWith(response, 503, 'stopping', 'the server is stopping; connect again in a moment');
  const data: StreamData = {
    producer,
    encoding: PROTOCOLS[protocol]!,
    stored: ack === 'stored',
    dedup: request.getQuery('dedup') === '1',
    peer: null,
  };
  response.upgrade(data, request.getHeader('sec-websocket-key'), protocol, request.getHeader('sec-websocket-extensions'), socket);
}

function open(context: IngressContext, sockets: StreamSockets, socket: StreamSocket, turn: number): void {
  const data = socket.getUserData();
  const { admission, peers } = context;
  const worker = data.producer === '' ? turn % admission.workers : workerOf(data.producer, admission.workers);
  const binary = data.encoding === ENCODING_PROTO;
  const peer = peers.add(worker, data.encoding, data.stored, data.producer, (bytes) => socket.send(bytes, binary, false) !== 2);
  if (!admission.openPeer(peer, { hello: true, dedup: data.dedup })) {
    peers.remove(peer);
    socket.end(1013, 'the server is busy; try again in a moment');
    return;
  }
  data.peer = peer;
  sockets.set(peer, socket);
  context.counters.connections++;
}

const seq = new Uint32Array(2);

function receive(context: IngressContext, socket: StreamSocket, message: ArrayBuffer): void {
  const peer = socket.getUserData().peer;
  if (peer === null) return;
  const { admission, counters } = context;
  const bytes = new Uint8Array(message);
  if (peer.encoding === ENCODING_PROTO) readFrameSeq(bytes, 0, bytes.length, seq);
  else seq.fill(0);
  counters.frames++;
  counters.bytes += bytes.length;
  const room = peer.outstanding < FRAMES_IN_FLIGHT && admission.open;
  if (room && admission.frame(peer, bytes, seq[0]!, seq[1]!, Date.now())) return;
  if (peer.encoding !== ENCODING_PROTO) readJsonSeq(bytes);
  peer.retry(refuse(context, peer, bytes, seq[0]!, seq[1]!), STATUS_RETRY);
}

/** Only for a refusal's answer: a JSON frame's `seq` stands within its first bytes, else it is 0. */
function readJsonSeq(bytes: Uint8Array): void {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 128)).toString('latin1');
  const digits = /"seq"\s*:\s*"?(\d{1,20})/.exec(head)?.[1];
  if (digits === undefined) return;
  const value = BigInt(digits);
  seq[0] = Number(BigInt.asUintN(32, value));
  seq[1] = Number(BigInt.asUintN(32, value >> 32n));
}
