/**
 * `POST /v1/events`: a frame by HTTP. Requests of one producer share a session with the worker, as a connection would, and are
 * answered in order. Ingress thread.
 */

import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { readFrameSeq } from '../../native-free-core/codec/frame.ts';
import { STATUS_REJECTED } from '../../native-free-core/codec/answer.ts';
import { FRAME_BYTES_MAX, PRODUCER_NAME_BYTES_MAX } from '../../native-free-core/layout/limits.ts';
import { ENCODING_JSON, ENCODING_NDJSON, ENCODING_PROTO } from '../../native-free-core/layout/records.ts';
import { workerOf } from './admission.ts';
import { hasKey, refuse, RETRY_AFTER_FULL_MS, STATUS_RETRY, type IngressContext } from './context.ts';
import { endWith, statusLine } from './http-answer.ts';
import type { Peer } from './peers.ts';

const ENCODINGS: Readonly<Record<string, number>> = {
  'application/x-protobuf': ENCODING_PROTO,
  'application/json': ENCODING_JSON,
  'application/x-ndjson': ENCODING_NDJSON,
};
/** Sessions kept for producers that may send again; the longest unused go first. */
const SESSIONS_MAX = 4096;
/** A body that has not come by then is given up. */
const BODY_MS = 30_000;

interface Reply {
  response: HttpResponse | null;
}

interface HttpSession {
  readonly peer: Peer;
  /** Requests whose frames are with the worker, oldest first. */
  readonly waiting: Reply[];
}

interface Terms {
  readonly encoding: number;
  readonly producer: string;
  readonly stored: boolean;
  readonly dedup: boolean;
  readonly seq: bigint;
}

export function serveEvents(context: IngressContext): void {
  const sessions = new Map<string, HttpSession>();
  let turn = context.options.index;
  context.app.post('/v1/events', (response, request) => {
    const reply: Reply = { response };
    response.onAborted(() => (reply.response = null));
    const terms = readTerms(context, response, request);
    if (terms === null) return;
    receiveBody(reply, (body) => {
      const worker = terms.producer === '' ? turn++ % context.admission.workers : workerOf(terms.producer, context.admission.workers);
      takeBody(context, sessionOf(context, sessions, terms, worker), reply, terms, body);
    });
  });
}

/** null: the response has been ended with what is wrong. */
function readTerms(context: IngressContext, response: HttpResponse, request: HttpRequest): Terms | null {
  const type = request.getHeader('content-type').split(';')[0]!.trim().toLowerCase();
  const encoding = ENCODINGS[type];
  const producer = request.getHeader('x-hunt-producer');
  const ack = request.getHeader('x-hunt-ack') || 'durable';
  const seqText = request.getHeader('x-hunt-seq');
  const refuseWith = (status: number, code: string, message: string): null => {
    endWith(response, status, code, message);
    return null;
  };
  if (!hasKey(context, request.getHeader('authorization'), request.getHeader('x-hunt-key'), request.getQuery('key') ?? '')) {
    return refuseWith(401, 'unauthorized', 'an API key is required: send Authorization: Bearer KEY, X-Hunt-Key or ?key=');
  }
  if (encoding === undefined) {
    return refuseWith(415, 'unknown_content_type', `content-type=${type || 'none'}; send ${Object.keys(ENCODINGS).join(', ')}`);
  }
  if (ack !== 'durable' && ack !== 'stored') return refuseWith(400, 'unknown_ack', `X-Hunt-Ack: ${ack}; use durable or stored`);
  if (Buffer.byteLength(producer) > PRODUCER_NAME_BYTES_MAX) {
    return refuseWith(400, 'producer_too_long', `producer names have at most ${PRODUCER_NAME_BYTES_MAX} bytes`);
  }
  if (seqText !== '' && !/^\d{1,16}$/.test(seqText)) return refuseWith(400, 'bad_seq', `X-Hunt-Seq: ${seqText}; send a whole number from 1 on`);
  if (Number(request.getHeader('content-length')) > FRAME_BYTES_MAX) {
    return refuseWith(413, 'frame_too_large', `a frame has at most ${FRAME_BYTES_MAX} bytes; send several`);
  }
  return { encoding, producer, stored: ack === 'stored', dedup: request.getHeader('x-hunt-dedup') === '1', seq: BigInt(seqText || 0) };
}

function receiveBody(reply: Reply, done: (body: Uint8Array) => void): void {
  const response = reply.response!;
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(() => finish(() => endWith(response, 408, 'body_timeout', `the body did not come within ${BODY_MS} ms`)), BODY_MS);
  const finish = (then: () => void): void => {
    clearTimeout(timer);
    if (reply.response !== null && bytes >= 0) then();
    bytes = -1;
  };
  response.onData((chunk, isLast) => {
    if (bytes < 0 || reply.response === null) return finish(() => undefined);
    bytes += chunk.byteLength;
    if (bytes > FRAME_BYTES_MAX) {
      return finish(() => endWith(response, 413, 'frame_too_large', `a frame has at most ${FRAME_BYTES_MAX} bytes; send several`));
    }
    if (isLast && chunks.length === 0) return finish(() => done(new Uint8Array(chunk)));
    // The chunk's memory is only valid now.
    chunks.push(Buffer.from(new Uint8Array(chunk)));
    if (isLast) finish(() => done(Buffer.concat(chunks)));
  });
}

/** One session per producer and terms; without a producer, one per worker. */
function sessionOf(context: IngressContext, sessions: Map<string, HttpSession>, terms: Terms, worker: number): HttpSession | null {
  const key = `${terms.encoding}|${terms.stored}|${terms.dedup}|${worker}|${terms.producer}`;
  let session = sessions.get(key);
  if (session === undefined) {
    const waiting: Reply[] = [];
    const peer = context.peers.add(worker, terms.encoding, terms.stored, terms.producer, (bytes, status) => {
      answer(waiting.shift(), terms.encoding, bytes, status);
      return true;
    });
    if (!context.admission.openPeer(peer, { hello: false, dedup: terms.dedup })) {
      context.peers.remove(peer);
      return null;
    }
    session = { peer, waiting };
  }
  // Moved to the end: the first of the map is the longest unused.
  sessions.delete(key);
  sessions.set(key, session);
  if (sessions.size > SESSIONS_MAX) dropOldest(context, sessions);
  return session;
}

function dropOldest(context: IngressContext, sessions: Map<string, HttpSession>): void {
  for (const [key, { peer, waiting }] of sessions) {
    if (waiting.length > 0) continue;
    sessions.delete(key);
    context.peers.remove(peer);
    context.admission.close(peer);
    return;
  }
}

function takeBody(context: IngressContext, session: HttpSession | null, reply: Reply, terms: Terms, body: Uint8Array): void {
  const { admission, counters } = context;
  const seq = new Uint32Array([Number(BigInt.asUintN(32, terms.seq)), Number(terms.seq >> 32n)]);
  if (terms.seq === 0n && terms.encoding === ENCODING_PROTO) readFrameSeq(body, 0, body.length, seq);
  counters.frames++;
  counters.bytes += body.length;
  if (session === null) return endWith(reply.response!, 503, 'busy', 'the server is busy; try again in a moment');
  if (admission.open && admission.frame(session.peer, body, seq[0]!, seq[1]!, Date.now())) {
    session.waiting.push(reply);
    return;
  }
  answer(reply, terms.encoding, refuse(context, session.peer, body, seq[0]!, seq[1]!), STATUS_RETRY);
}

function answer(reply: Reply | undefined, encoding: number, bytes: Uint8Array, status: number): void {
  const response = reply?.response;
  if (!response) return;
  reply.response = null;
  response.cork(() => {
    const code = status === STATUS_REJECTED ? 400 : status === STATUS_RETRY ? 429 : 200;
    response.writeStatus(statusLine(code));
    response.writeHeader('content-type', encoding === ENCODING_PROTO ? 'application/x-protobuf' : 'application/json');
    if (status === STATUS_RETRY) response.writeHeader('retry-after', String(Math.ceil(RETRY_AFTER_FULL_MS / 1000)));
    response.end(bytes);
  });
}
