/**
 * The main thread's hold on the ingress threads: starts them on one port, hands on what they ask, hears their figures and
 * their death. Called by engine/start.ts.
 */

import { seqNumber } from '../../native-free-core/layout/seq.ts';
import { Worker } from 'node:worker_threads';
import { answeredDecisions, type Plan } from '../../native-free-core/plan/plan.ts';
import { OPEN_ACCESS, type AccessSettings } from '../access/door.ts';
import { OperatingError } from '../errors.ts';
import { chooseTransport } from '../http/choose-transport.ts';
import type { TransportKind } from '../http/transport.ts';
import type { SharedMemory } from '../memory/regions.ts';
import { compiledUrl } from '../system/compiled-url.ts';
import type { Log } from '../system/log.ts';
import type { IngressFigures, RefusalReason } from '../contract/figures.ts';
import type { Readiness } from '../contract/readiness.ts';
import { CREDIT_START } from './frame-queue.ts';
import { INGRESS_LIMITS, type IngressLimits } from './ingress-bounds.ts';
import { addressOf, probeAddress, type Address } from './listen-address.ts';
import type {
  FromIngress,
  IngressThreadOptions,
  LookupRequest,
  PipelineFacts,
  ProxiedRequest,
  ProxiedResponse,
  RefusedAttempt,
  ToIngress,
} from './thread-messages.ts';

export interface IngressStart {
  readonly plan: Pick<Plan, 'pipeline' | 'version' | 'decisions' | 'entities'>;
  readonly memory: Pick<SharedMemory, 'ingresses' | 'control' | 'frameLanes' | 'durableLanes' | 'storedLanes'>;
  /** `host:port`; port 0 takes any free one. */
  readonly listen: string;
  /** Default: open to all on its own address. */
  readonly access?: AccessSettings;
  readonly limits?: Partial<IngressLimits>;
  /** Default: the faster one that loads. */
  readonly transport?: TransportKind;
  readonly log: Log;
  /** A thread died although nobody had stopped it. */
  readonly onFailure: (error: unknown) => void;
}

export type RequestHandler = (request: ProxiedRequest) => ProxiedResponse | Promise<ProxiedResponse>;
/** Returns the encoded answer. */
export type LookupHandler = (lookup: LookupRequest) => Promise<Uint8Array>;

export type RefusedHandler = (attempt: RefusedAttempt, message: string) => void;

export interface Ingress {
  readonly url: string;
  readonly port: number;
  onRequest(handler: RequestHandler): void;
  onLookup(handler: LookupHandler): void;
  onRefusedChange(handler: RefusedHandler): void;
  /** What `/readyz` says. */
  setReady(readiness: Readiness): void;
  /** Resolves once every thread speaks of this version. */
  changeTo(plan: IngressStart['plan']): Promise<void>;
  /** As of half a second ago, of all threads. */
  figures(): IngressFigures;
  /** Resolves once everything that became durable in time has been answered and all threads have ended. */
  stop(): Promise<void>;
}

interface Handlers {
  request: RequestHandler;
  lookup: LookupHandler;
  refused: RefusedHandler;
}

interface Thread {
  readonly worker: Worker;
  readonly listening: Promise<void>;
  readonly ended: Promise<void>;
  figures: IngressFigures;
}

const NO_FIGURES: IngressFigures = {
  connections: 0,
  frames: 0,
  bytes: 0,
  answers: 0,
  busySeconds: 0,
  refusedConnections: 0,
  queueAgeMsMax: 0,
  eventsInFlightMax: CREDIT_START,
  refusedFrames: 0,
  refusedBecause: { closed: 0, frames: 0, events: 0, age: 0, stored: 0, rate: 0, lane: 0 },
  refusedEvents: 0,
  refusedByProducer: new Map(),
};

export async function startIngress(start: IngressStart): Promise<Ingress> {
  const address = await probeAddress(addressOf(start.listen));
  const handlers: Handlers = {
    request: () => ({
      status: 503,
      headers: JSON_TYPE,
      body: failureBody('starting', 'the server is starting; try again in a moment'),
    }),
    lookup: () => Promise.reject(new Error('decisions are not looked up yet')),
    refused: () => undefined,
  };
  const state = { stopping: false };
  const threads = Array.from({ length: start.memory.ingresses }, (_, index) =>
    startThread(start, handlers, state, address, index),
  );
  await Promise.all(threads.map((thread) => thread.listening));
  const broadcast = (message: ToIngress): void => threads.forEach(({ worker }) => worker.postMessage(message));
  return {
    url: `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`,
    port: address.port,
    onRequest: (handler) => void (handlers.request = handler),
    onLookup: (handler) => void (handlers.lookup = handler),
    onRefusedChange: (handler) => void (handlers.refused = handler),
    setReady: (readiness) => broadcast({ kind: 'ready', readiness }),
    async changeTo(plan) {
      const known = threads.map(({ worker }) => pipelineKnown(worker));
      broadcast({ kind: 'pipeline', pipeline: factsOf(plan) });
      await Promise.all(known);
    },
    figures: () => sumFigures(threads.map(({ figures }) => figures)),
    async stop() {
      state.stopping = true;
      broadcast({ kind: 'stop' });
      await Promise.all(threads.map(({ ended }) => ended));
    },
  };
}

function startThread(
  start: IngressStart,
  handlers: Handlers,
  state: { stopping: boolean },
  address: Address,
  index: number,
): Thread {
  const { plan, memory } = start;
  const workerData: IngressThreadOptions = {
    index,
    ...address,
    transport: start.transport ?? chooseTransport('auto').kind,
    sharesPort: memory.ingresses > 1,
    control: memory.control,
    frameLanes: memory.frameLanes.map((lanes) => lanes[index]!),
    durableLanes: memory.durableLanes.map((lanes) => lanes[index]!),
    storedLanes: memory.storedLanes.map((lanes) => lanes[index]!),
    pipeline: factsOf(plan),
    access: start.access ?? OPEN_ACCESS,
    limits: { ...INGRESS_LIMITS, ...start.limits },
  };
  const worker = new Worker(new URL(compiledUrl(import.meta.url, './ingress-thread.js')), {
    workerData,
    name: `ingress-${index}`,
  });
  const listening = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: FromIngress) => {
      if (message.kind === 'listening') resolve();
      else if (message.kind === 'listen-failed') reject(cannotListen(address));
    });
    worker.once('error', reject);
  });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const thread: Thread = { worker, listening, ended, figures: NO_FIGURES };
  worker.on('message', (message: FromIngress) => {
    if (message.kind === 'figures') {
      tellTooMany(start.log, index, thread.figures.refusedConnections, message.figures.refusedConnections);
      thread.figures = message.figures;
    } else if (message.kind === 'keys-refused') tellRefused(start.log, message);
    else if (message.kind === 'change-refused') handlers.refused(message.attempt, message.message);
    else if (message.kind === 'request') void answerRequest(start, handlers, worker, message.id, message.request);
    else if (message.kind === 'lookup') void answerLookup(start, handlers, worker, message.id, message.lookup);
  });
  worker.once('error', start.onFailure);
  worker.once('exit', (code) => {
    if (!state.stopping) start.onFailure(new Error(`an ingress thread ended: index=${index} exit_code=${code}`));
  });
  return thread;
}

function factsOf(plan: IngressStart['plan']): PipelineFacts {
  return {
    name: plan.pipeline,
    version: plan.version,
    decisions: answeredDecisions(plan).map(({ name, actions }) => ({ name, actions })),
    entities: plan.entities.map(({ name }) => name),
  };
}

function pipelineKnown(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    const listen = (message: FromIngress): void => {
      if (message.kind !== 'pipeline-known') return;
      worker.off('message', listen);
      resolve();
    };
    worker.on('message', listen);
  });
}

async function answerRequest(
  start: IngressStart,
  handlers: Handlers,
  worker: Worker,
  id: number,
  request: ProxiedRequest,
): Promise<void> {
  let response: ProxiedResponse;
  try {
    response = await handlers.request(request);
  } catch (error) {
    start.log('error', 'a control request failed', { path: request.path, error: String(error) });
    response = { status: 500, headers: JSON_TYPE, body: failureBody('internal', String(error)) };
  }
  send(worker, { kind: 'response', id, response });
}

async function answerLookup(
  start: IngressStart,
  handlers: Handlers,
  worker: Worker,
  id: number,
  lookup: LookupRequest,
): Promise<void> {
  let bytes: Uint8Array | null = null;
  try {
    bytes = await handlers.lookup(lookup);
  } catch (error) {
    const seq = seqNumber(lookup.seq);
    start.log('error', 'the decisions of a duplicate could not be looked up; its client is asked to send again', {
      producer: lookup.producer,
      seq,
      error: String(error),
    });
  }
  send(worker, { kind: 'lookup-answer', id, bytes });
}

function tellRefused(log: Log, { attempts, last }: Extract<FromIngress, { kind: 'keys-refused' }>): void {
  log('warn', 'requests without a right key were refused', { attempts, last });
}

/** As often as the figures come, twice a second at most. */
function tellTooMany(log: Log, thread: number, before: number, now: number): void {
  if (now > before)
    log('warn', 'too many connections: more were closed as they came', {
      port: 'events',
      thread,
      refused: now - before,
      inAll: now,
    });
}

const JSON_TYPE = { 'content-type': 'application/json' };

function send(worker: Worker, message: ToIngress): void {
  worker.postMessage(message);
}

function failureBody(code: OperatingError['code'], message: string): string {
  return JSON.stringify({ error: { code, message } });
}

function cannotListen({ host, port }: Address): OperatingError {
  return new OperatingError(
    'listen_failed',
    `cannot listen: host=${host} port=${port}; the port is taken, or the address is not this machine's: choose another`,
  );
}

type Summed = Exclude<
  keyof IngressFigures,
  'refusedByProducer' | 'refusedBecause' | 'queueAgeMsMax' | 'eventsInFlightMax'
>;

function sumFigures(all: readonly IngressFigures[]): IngressFigures {
  const refusedByProducer = new Map<string, number>();
  for (const one of all) {
    for (const [name, events] of one.refusedByProducer)
      refusedByProducer.set(name, (refusedByProducer.get(name) ?? 0) + events);
  }
  const sum = (field: Summed): number => all.reduce((total, one) => total + one[field], 0);
  const refusedBecause = { ...NO_FIGURES.refusedBecause };
  for (const reason of Object.keys(refusedBecause) as RefusalReason[])
    for (const one of all) refusedBecause[reason] += one.refusedBecause[reason];
  return {
    connections: sum('connections'),
    frames: sum('frames'),
    bytes: sum('bytes'),
    answers: sum('answers'),
    busySeconds: sum('busySeconds'),
    refusedConnections: sum('refusedConnections'),
    queueAgeMsMax: Math.max(...all.map(({ queueAgeMsMax }) => queueAgeMsMax)),
    eventsInFlightMax: Math.min(...all.map(({ eventsInFlightMax }) => eventsInFlightMax)),
    refusedFrames: sum('refusedFrames'),
    refusedBecause,
    refusedEvents: sum('refusedEvents'),
    refusedByProducer,
  };
}
