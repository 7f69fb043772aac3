/**
 * `POST /v1/events`: a frame by HTTP. Requests of one producer share a session with the worker, as a connection would, and
 * are answered in order. Ingress thread.
 */

import { STATUS_REJECTED, STATUS_RETRY } from '../../native-free-core/codec/answer.ts';
import { answerCodeOf, CODE_OF_MEDIA_TYPE, encodingOf, MEDIA_TYPES } from '../../native-free-core/encodings/index.ts';
import { FRAME_BYTES_MAX } from '../../native-free-core/layout/limits.ts';
import { createSeq, setSeq } from '../../native-free-core/layout/seq.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { Exchange } from '../http/transport.ts';
import { ADMITTED, workerOf } from './admission.ts';
import type { IngressContext } from './thread-context.ts';
import { SERVER_BUSY, endWith, type HttpProblem } from './http-answer.ts';
import type { Bodies } from './http-body.ts';
import { RETRY_AFTER_CLOSED_MS } from './ingress-bounds.ts';
import type { Outlet, Peer } from './peers.ts';
import { isProblem, readTerms, type Terms } from './terms.ts';

/** Sessions kept for producers that may send again; the longest unused go first. */
const SESSIONS_MAX = 4096;
/** Sequence numbers stay below 2^53 (layout: the producer table). */
const SEQ_TEXT = /^[0-9]{1,16}$/;

interface EventsRequest {
  readonly terms: Terms;
  readonly encoding: number;
  /** 0: none in the headers. */
  readonly seq: number;
  /** Content type of the answer: a producer of protobuf is answered under the name that it uses itself. */
  readonly answerType: string;
}

/** A request whose frame is with the worker. */
interface Waiting {
  readonly exchange: Exchange;
  readonly answerType: string;
}

/** What the requests of one producer, or of those without one, share. */
class Session implements Outlet {
  readonly peer: Peer;
  /** Requests whose frames are with the worker, oldest first. */
  readonly waiting: Waiting[] = [];

  constructor(context: IngressContext, { terms, encoding }: EventsRequest, worker: number) {
    // Each request waits for its own answer: connections bound how many there are.
    const { producer, stored } = terms;
    this.peer = context.peers.add(
      { worker, encoding, answerEncoding: answerCodeOf(encoding), stored, producer, credit: Infinity, events: null },
      this,
    );
  }

  send(bytes: Uint8Array, status: number): void {
    const waiting = this.waiting.shift();
    if (waiting !== undefined) endWithAnswer(waiting, bytes, status);
  }

  gather(sends: () => void): void {
    sends();
  }
}

export function serveEvents(context: IngressContext, bodies: Bodies): void {
  const sessions = new Sessions(context);
  const bounds = { bytesMax: FRAME_BYTES_MAX, msMax: context.options.limits.bodyMsMax };
  context.router.on('events', (head, exchange) => {
    const read = readRequest(head);
    if (isProblem(read)) return endWith(exchange, read);
    bodies.collect(head, exchange, bounds, (body) => takeFrame(context, sessions.of(read), exchange, read, body));
  });
}

function readRequest(head: RequestHead): EventsRequest | HttpProblem {
  const type = head.header('content-type').split(';')[0]!.trim().toLowerCase();
  const encoding = CODE_OF_MEDIA_TYPE.get(type);
  if (encoding === undefined) {
    const message = `unknown content type: content-type=${type || 'none'}; send ${MEDIA_TYPES.join(', ')}`;
    return { status: 415, code: 'unknown_content_type', message };
  }
  const seqText = head.header('x-hunt-seq');
  const seq = Number(seqText);
  if (seqText !== '' && !(SEQ_TEXT.test(seqText) && seq > 0 && seq < Number.MAX_SAFE_INTEGER)) {
    return { status: 400, code: 'bad_seq', message: `not a sequence number: X-Hunt-Seq=${seqText}; send 1, 2, 3, …` };
  }
  if (Number(head.header('content-length')) > FRAME_BYTES_MAX) {
    const message = `the body has more than ${FRAME_BYTES_MAX} bytes; send several frames`;
    return { status: 413, code: 'body_too_large', message };
  }
  const terms = readTerms(head);
  return isProblem(terms) ? terms : { terms, encoding, seq, answerType: answerTypeOf(encoding, type) };
}

function answerTypeOf(encoding: number, type: string): string {
  const { mediaTypes } = encodingOf(answerCodeOf(encoding));
  return mediaTypes.includes(type) ? type : mediaTypes[0]!;
}

const own = createSeq();

function takeFrame(
  context: IngressContext,
  session: Session | null,
  exchange: Exchange,
  { encoding, seq, answerType }: EventsRequest,
  frame: Uint8Array,
): void {
  const { seqIsNear, findSeq } = encodingOf(encoding).frames;
  setSeq(own, seq);
  if (seq === 0 && seqIsNear) findSeq(frame, own);
  context.received.frames++;
  context.received.bytes += frame.length;
  if (session === null) return endWith(exchange, SERVER_BUSY);
  const outcome = context.admission.admit(session.peer, frame, own);
  if (outcome === ADMITTED) {
    session.waiting.push({ exchange, answerType });
    return;
  }
  if (seq === 0 && !seqIsNear) findSeq(frame, own);
  const answer = context.refusals.refuse(session.peer, frame, own, outcome);
  endWithAnswer({ exchange, answerType }, answer, STATUS_RETRY);
}

function endWithAnswer({ exchange, answerType }: Waiting, bytes: Uint8Array, status: number): void {
  const type = { 'content-type': answerType };
  if (status === STATUS_RETRY) {
    // Whole seconds; the body says it in milliseconds.
    const headers = { ...type, 'retry-after': String(Math.ceil(RETRY_AFTER_CLOSED_MS / 1000)) };
    exchange.end(429, headers, bytes);
  } else exchange.end(status === STATUS_REJECTED ? 400 : 200, type, bytes);
}

/** One for each producer and its terms; without a producer one for each worker. */
class Sessions {
  readonly #context: IngressContext;
  readonly #sessions = new Map<string, Session>();
  #turn: number;

  constructor(context: IngressContext) {
    this.#context = context;
    this.#turn = context.options.index;
  }

  /** null: the worker's lane has no room for a new one. */
  of(request: EventsRequest): Session | null {
    const { admission, peers } = this.#context;
    const { producer, stored, dedup } = request.terms;
    const worker = producer === '' ? this.#turn++ % admission.workers : workerOf(producer, admission.workers);
    const key = `${request.encoding} ${stored} ${dedup} ${worker} ${producer}`;
    let session = this.#sessions.get(key);
    if (session === undefined) {
      session = new Session(this.#context, request, worker);
      if (!admission.open(session.peer, false, dedup)) {
        peers.remove(session.peer);
        return null;
      }
    }
    // Moved to the end: the first of the map is the longest unused.
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size > SESSIONS_MAX) this.#dropOldest(session);
    return session;
  }

  #dropOldest(keep: Session): void {
    for (const [key, session] of this.#sessions) {
      if (session === keep || session.waiting.length > 0) continue;
      this.#sessions.delete(key);
      this.#context.peers.remove(session.peer);
      this.#context.admission.close(session.peer);
      return;
    }
  }
}
