/**
 * Real ingress threads on a free port, with the echo workers at the other end of their lanes; and clients that owe the
 * project nothing.
 */

import { join } from 'node:path';
import protobuf from 'protobufjs';
import { WebSocket } from 'ws';
import { CONTROL_VERSION, CONTROL_WORDS } from '../../native-free-core/layout/control-layout.ts';
import type { DecisionPlan, EntityPlan } from '../../native-free-core/plan/plan.ts';
import { REGION_CONTROL, createRegion } from '../../native-free-core/layout/region.ts';
import { createLane } from '../../native-free-core/ring/lane.ts';
import { keyDigests } from '../../src/access/keys.ts';
import type { TransportKind } from '../../src/http/transport.ts';
import type { IngressLimits } from '../../src/ingress/ingress-bounds.ts';
import { startIngress, type Ingress } from '../../src/ingress/start-ingress.ts';
import { TEST_KEYS, testTransport } from '../doors.ts';
import { EchoWorkers, type Lanes } from './echo-worker.ts';
import { patient } from '../patience.ts';

export interface RigOptions {
  readonly workers?: number;
  readonly ingresses?: number;
  readonly laneBytes?: number;
  readonly keys?: readonly string[];
  readonly limits?: Partial<IngressLimits>;
  readonly transport?: TransportKind;
  readonly allowOrigins?: readonly string[];
  readonly allowHosts?: readonly string[];
}

export interface Rig {
  readonly ingress: Ingress;
  readonly echo: EchoWorkers;
  readonly logged: string[];
  stop(): Promise<void>;
}

const decision = (name: string, actions: string[]) => ({ name, actions }) as unknown as DecisionPlan;
const entity = (name: string) => ({ name }) as unknown as EntityPlan;
export const PLAN = {
  pipeline: 'treasure-hunt',
  version: '7',
  decisions: [decision('assistance', ['hint', 'continue']), decision('trust', ['allow', 'challenge'])],
  entities: [entity('player'), entity('team')],
};

export function createLanes(workers: number, ingresses: number, laneBytes: number): Lanes {
  const grid = () =>
    Array.from({ length: workers }, () => Array.from({ length: ingresses }, () => createLane(laneBytes)));
  const control = createRegion(REGION_CONTROL, CONTROL_VERSION, CONTROL_WORDS * 4);
  return { ingresses, control, frameLanes: grid(), durableLanes: grid(), storedLanes: grid() };
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const { workers = 1, ingresses = 1, laneBytes = 4 << 20 } = options;
  const memory = createLanes(workers, ingresses, laneBytes);
  const echo = new EchoWorkers(memory);
  const logged: string[] = [];
  const ingress = await startIngress({
    plan: PLAN,
    memory,
    listen: '127.0.0.1:0',
    access: {
      keyDigests: keyDigests(options.keys ?? TEST_KEYS),
      allowHosts: options.allowHosts ?? [],
      allowOrigins: options.allowOrigins ?? [],
    },
    transport: options.transport ?? testTransport(),
    // A test machine may stand still for longer than a server should.
    limits: { queueAgeMsMax: 60_000, ...options.limits },
    log: (_level, message) => logged.push(message),
    onFailure: (error) => logged.push(`FAILED ${String(error)}`),
  });
  echo.start();
  return {
    ingress,
    echo,
    logged,
    async stop() {
      await ingress.stop();
      echo.stop();
    },
  };
}

const wire = protobuf.loadSync(join(import.meta.dirname, '../../proto/hunt/v1/wire.proto'));
const Frame = wire.lookupType('hunt.v1.Frame');
const Answer = wire.lookupType('hunt.v1.Answer');
const Hello = wire.lookupType('hunt.v1.Hello');
const PLAIN = { longs: Number, enums: String, defaults: true, arrays: true } as const;

export interface AnswerBody {
  readonly seq: number;
  readonly status: string;
  readonly events: number;
  readonly retryAfterMs: number;
}

export function frameProto(seq: number, events: number, bytes = 8): Uint8Array {
  return Frame.encode(Frame.fromObject({ seq, events: Array(events).fill(new Uint8Array(bytes).fill(seq)) })).finish();
}

export function frameJson(seq: number, events: number): string {
  return JSON.stringify({ seq: String(seq), events: Array(events).fill({ text: 'a "quoted, [text' }) });
}

export function readAnswer(bytes: Buffer, binary: boolean): AnswerBody {
  const answer = binary ? Answer.toObject(Answer.decode(bytes), PLAIN) : (JSON.parse(bytes.toString('utf8')) as object);
  return { retryAfterMs: 0, ...answer, seq: Number((answer as { seq: unknown }).seq) } as AnswerBody;
}

export interface Stream {
  readonly socket: WebSocket;
  readonly answers: AnswerBody[];
  /** The first message. */
  readonly hello: Promise<Record<string, unknown>>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(seq: number, events?: number): void;
  until(answers: number): Promise<AnswerBody[]>;
}

/** Resolves once the server has taken the connection; frames may be sent before the hello has come. */
export async function openStream(
  rig: Rig,
  query = '',
  protocol = 'hunt.v1.proto',
  headers: Record<string, string> = {},
  answersPings = true,
): Promise<Stream> {
  const socket = new WebSocket(`${rig.ingress.url.replace('http', 'ws')}/v1/stream${query}`, [protocol], {
    headers,
    autoPong: answersPings,
  });
  const binary = protocol === 'hunt.v1.proto';
  const answers: AnswerBody[] = [];
  const closed = new Promise<{ code: number; reason: string }>((done) =>
    socket.once('close', (code, reason) => done({ code, reason: reason.toString() })),
  );
  const hello = new Promise<Record<string, unknown>>((done) => {
    socket.once('message', (first: Buffer) => {
      socket.on('message', (bytes: Buffer) => answers.push(readAnswer(bytes, binary)));
      done(
        binary ? Hello.toObject(Hello.decode(first), PLAIN) : (JSON.parse(first.toString()) as Record<string, unknown>),
      );
    });
  });
  await new Promise<void>((done, failed) => {
    socket.once('open', done);
    socket.once('error', failed);
    socket.once('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => failed(new Error(`${response.statusCode} ${body}`)));
    });
  });
  socket.on('error', () => undefined);
  return {
    socket,
    answers,
    hello,
    closed,
    send: (seq, events = 1) => socket.send(binary ? frameProto(seq, events) : frameJson(seq, events)),
    until: async (count) => {
      await until(
        () => answers.length >= count,
        () => `${count} answers, got ${answers.length}`,
      );
      return answers;
    },
  };
}

export async function until(condition: () => boolean, what: () => string, msMax = 10_000): Promise<void> {
  const end = performance.now() + patient(msMax);
  while (!condition()) {
    if (performance.now() > end) throw new Error(`did not come in ${msMax} ms: ${what()}`);
    await new Promise((done) => setTimeout(done, 2));
  }
}
