/**
 * A server that speaks the wire and nothing more, to lead clients through what a real one does seldom: RETRY, connections
 * that end in the middle, restarts. It reads and writes with protobufjs over the public contract. Used by the tests of
 * client/.
 */

import { join } from 'node:path';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';
import { WebSocketServer, type WebSocket } from 'ws';

const wire = protobuf.loadSync(join(import.meta.dirname, '..', '..', 'proto', 'hunt', 'v1', 'wire.proto'));
const Frame = wire.lookupType('hunt.v1.Frame');
const Answer = wire.lookupType('hunt.v1.Answer');
const Hello = wire.lookupType('hunt.v1.Hello');

export const DECISIONS = [
  { name: 'assistance', actions: ['hint', 'continue'] },
  { name: 'trust', actions: ['allow', 'challenge'] },
];

/** What happens to a frame: answered; asked for again; taken without an answer, or not taken, and the connection ends. */
export type Fate = 'ok' | 'retry' | 'take-and-end' | 'end' | 'hold';

export interface SeenFrame {
  readonly seq: number;
  readonly events: readonly string[];
  readonly connection: number;
}

export interface WireServer {
  readonly url: string;
  /** Every frame that came, in order. */
  readonly seen: SeenFrame[];
  /** Frames in protobuf as they came, by seq. */
  readonly raw: Map<number, Buffer[]>;
  /** Events by the seq under which they were taken. */
  readonly taken: Map<number, readonly string[]>;
  readonly connections: () => number;
  /** The most frames that were unanswered at once on one connection. */
  readonly inFlightMost: () => number;
  /** The same of their events, where more than two frames were. */
  readonly eventsInFlightMost: () => number;
  /** Answers what was held. */
  release(): void;
  close(): Promise<void>;
}

export interface WireServerOptions {
  readonly fate?: (frame: SeenFrame, times: number) => Fate;
  readonly framesInFlight?: number;
  /** Told in the hello; absent: the hello has no such field, as older servers' have not. */
  readonly eventsInFlight?: number;
  /** What the answer to a frame says of it. */
  readonly creditAt?: (seq: number) => number;
  readonly retryAfterMs?: number;
  readonly port?: number;
  /** Upgrades are refused with this status. */
  readonly refuseWith?: number;
  readonly taken?: Map<number, readonly string[]>;
  /** Bodies that GET answers, by path. */
  readonly routes?: Readonly<Record<string, object>>;
}

export async function startWireServer(options: WireServerOptions = {}): Promise<WireServer> {
  const seen: SeenFrame[] = [];
  const raw = new Map<number, Buffer[]>();
  const taken = options.taken ?? new Map<number, readonly string[]>();
  const times = new Map<number, number>();
  const held: (() => void)[] = [];
  let connections = 0;
  let inFlightMost = 0;
  let eventsInFlightMost = 0;
  const http = createServer((request, response) => {
    const body = options.routes?.[request.url ?? ''];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { error: { code: 'not_found', message: 'nothing is served here' } }));
  });
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: false,
    handleProtocols: (offered) => [...offered][0] ?? false,
    verifyClient: (_, done) =>
      options.refuseWith === undefined
        ? done(true)
        : done(false, options.refuseWith, '{"error":{"code":"unauthorized","message":"an API key is required"}}'),
  });
  const serve = (socket: WebSocket): void => {
    const connection = ++connections;
    const binary = socket.protocol === 'hunt.v1.proto';
    let inFlight = 0;
    let eventsInFlight = 0;
    let ended = false;
    const answer = (sent: SeenFrame, body: Omit<AnswerBody, 'seq'>): void => {
      const { seq } = sent;
      inFlight--;
      eventsInFlight -= sent.events.length;
      const whole = { ...body, seq, eventsInFlight: options.creditAt?.(seq) };
      if (!ended) socket.send(binary ? answerProto(whole) : answerJson(whole));
    };
    const end = (): void => {
      ended = true;
      socket.terminate();
    };
    const highestSeq = String(Math.max(0, ...taken.keys()));
    const hello = {
      pipeline: 'test',
      pipelineVersion: '1',
      decisions: DECISIONS,
      framesInFlight: options.framesInFlight ?? 64,
      frameBytesMax: 1 << 20,
      frameEventsMax: 8192,
      highestSeq,
      ...(options.eventsInFlight === undefined ? {} : { eventsInFlight: options.eventsInFlight }),
    };
    socket.send(binary ? Hello.encode(Hello.fromObject(hello)).finish() : JSON.stringify(hello));
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      if (ended) return;
      const frame = { ...(binary ? readProto(data) : readJson(data)), connection };
      const { seq, events } = frame;
      inFlightMost = Math.max(inFlightMost, ++inFlight);
      eventsInFlight += events.length;
      if (inFlight > 2) eventsInFlightMost = Math.max(eventsInFlightMost, eventsInFlight);
      seen.push(frame);
      raw.set(seq, [...(raw.get(seq) ?? []), Buffer.from(data)]);
      const time = (times.get(seq) ?? 0) + 1;
      times.set(seq, time);
      const fate = options.fate?.(frame, time) ?? 'ok';
      if (fate === 'retry') return answer(frame, { status: 'RETRY', retryAfterMs: options.retryAfterMs ?? 5 });
      if (fate === 'end') return end();
      const again = taken.has(seq);
      if (!again) taken.set(seq, events);
      if (fate === 'take-and-end') return end();
      const reply = (): void => answer(frame, { status: again ? 'DUPLICATE' : 'OK', events: taken.get(seq)!.length });
      if (fate === 'hold') held.push(reply);
      else reply();
    });
  };
  server.on('connection', serve);
  await new Promise<void>((done) => http.listen(options.port ?? 0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    seen,
    raw,
    taken,
    connections: () => connections,
    inFlightMost: () => inFlightMost,
    eventsInFlightMost: () => eventsInFlightMost,
    release: () => held.splice(0).forEach((reply) => reply()),
    async close() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      http.closeAllConnections();
      await new Promise<void>((done) => http.close(() => done()));
    },
  };
}

function readProto(data: Buffer): { seq: number; events: string[] } {
  const frame = Frame.toObject(Frame.decode(data), { longs: Number, defaults: true, arrays: true }) as {
    seq: number;
    events: Buffer[];
  };
  return { seq: frame.seq, events: frame.events.map((event) => Buffer.from(event).toString('utf8')) };
}

function readJson(data: Buffer): { seq: number; events: string[] } {
  const frame = JSON.parse(data.toString('utf8')) as { seq: string; events: unknown[] };
  return { seq: Number(frame.seq), events: frame.events.map((event) => JSON.stringify(event)) };
}

/** The first event of each frame is refused, the second gets a hint, the others go on. */
function codesOf(events: number): number[] {
  return Array.from({ length: events }, (_, i) => (i === 0 ? [0, 0] : i === 1 ? [1, 2] : [2, 1])).flat();
}

const REFUSED = { index: 0, code: 'no_key', text: 'the event has no key' };

interface AnswerBody {
  readonly seq: number;
  readonly status: string;
  readonly events?: number;
  readonly retryAfterMs?: number;
  readonly eventsInFlight?: number | undefined;
}

function answerProto({ seq, status, events = 0, retryAfterMs = 0, eventsInFlight = 0 }: AnswerBody): Uint8Array {
  const rejections = events > 0 ? [REFUSED] : [];
  return Answer.encode(
    Answer.fromObject({ seq, status, events, retryAfterMs, eventsInFlight, decisions: codesOf(events), rejections }),
  ).finish();
}

function answerJson({ seq, status, events = 0, retryAfterMs, eventsInFlight }: AnswerBody): string {
  if (status === 'RETRY') return JSON.stringify({ seq: String(seq), status, events: 0, retryAfterMs, eventsInFlight });
  const codes = codesOf(events);
  const decisions = Array.from({ length: events }, (_, i) =>
    i === 0
      ? null
      : Object.fromEntries(DECISIONS.map(({ name, actions }, d) => [name, actions[codes[i * 2 + d]! - 1] ?? null])),
  );
  const rejections = events > 0 ? [REFUSED] : [];
  return JSON.stringify({ seq: String(seq), status, events, decisions, rejections, eventsInFlight });
}
