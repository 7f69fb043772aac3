/**
 * The main thread's hold on the ingress threads: starts them on one port, hands on what they ask, hears their figures and
 * their death. Called by engine.ts.
 */

import { Worker } from 'node:worker_threads';
import type { Plan } from '../../native-free-core/layout/plan.ts';
import { OperatingError } from '../errors.ts';
import type { SharedMemory } from '../memory/regions.ts';
import { compiledUrl } from '../ops/compiled-url.ts';
import type { Log } from '../ops/log.ts';
import type { FromIngress, IngressCounters, IngressThreadOptions, LookupRequest, ProxiedRequest, ProxiedResponse, ToIngress } from './messages.ts';

export interface IngressStart {
  readonly plan: Plan;
  readonly memory: SharedMemory;
  /** `host:port`; port 0 takes any free one. */
  readonly listen: string;
  readonly keys: readonly string[];
  readonly log: Log;
  readonly onFailure: (error: unknown) => void;
}

export interface Ingress {
  readonly url: string;
  onRequest(handler: (request: ProxiedRequest) => ProxiedResponse | Promise<ProxiedResponse>): void;
  /** Returns the encoded answer. */
  onLookup(handler: (lookup: LookupRequest) => Promise<Uint8Array>): void;
  setReady(ready: boolean): void;
  counters(): IngressCounters;
  stop(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  readonly listening: Promise<number>;
  readonly stopped: Promise<void>;
  counters: IngressCounters | null;
}

export async function startIngress(start: IngressStart): Promise<Ingress> {
  const { host, port } = addressOf(start.listen);
  let request: (request: ProxiedRequest) => ProxiedResponse | Promise<ProxiedResponse> = () => ({ status: 503, headers: {}, body: '' });
  let lookup: (lookup: LookupRequest) => Promise<Uint8Array> = () => Promise.reject(new Error('look-ups are not served yet'));
  let stopping = false;

  const receive = (worker: Worker, message: FromIngress): void => {
    const send = (answer: ToIngress): void => worker.postMessage(answer);
    if (message.kind === 'request') {
      Promise.resolve(message.request)
        .then(request)
        .catch((error: unknown) => {
          start.log('error', 'a control request failed', { path: message.request.path, error: String(error) });
          return { status: 500, headers: {}, body: JSON.stringify({ error: { code: 'internal', message: String(error) } }) };
        })
        .then((response) => send({ kind: 'response', id: message.id, response }))
        .catch(start.onFailure);
    } else if (message.kind === 'lookup') {
      lookup(message.lookup)
        .then((bytes) => send({ kind: 'lookup-answer', id: message.id, bytes }))
        .catch((error: unknown) => start.log('error', 'the decisions of a duplicate could not be looked up', { error: String(error) }));
    }
  };

  const startThread = (index: number, threadPort: number): Thread => {
    const workerData: IngressThreadOptions = {
      index,
      host,
      port: threadPort,
      control: start.memory.control,
      frameLanes: start.memory.frameLanes.map((lanes) => lanes[index]!),
      durableLanes: start.memory.durableLanes.map((lanes) => lanes[index]!),
      storedLanes: start.memory.storedLanes.map((lanes) => lanes[index]!),
      hello: {
        pipeline: start.plan.pipeline,
        pipelineVersion: start.plan.version,
        decisions: start.plan.decisions.map(({ name, actions }) => ({ name, actions })),
      },
      entities: start.plan.entities.map(({ name }) => name),
      keys: start.keys,
    };
    const worker = new Worker(new URL(compiledUrl(import.meta.url, './ingress-thread.js')), { workerData, name: `ingress-${index}` });
    worker.on('error', start.onFailure);
    worker.on('exit', (code) => {
      if (!stopping) start.onFailure(new Error(`an ingress thread ended: exit_code=${code}`));
    });
    const listening = new Promise<number>((resolve, reject) => {
      worker.on('message', (message: FromIngress) => {
        if (message.kind === 'listening') resolve(message.port);
        else if (message.kind === 'listen-failed') {
          reject(new OperatingError('listen_failed', `cannot listen: listen=${start.listen}; the port is taken, or the address is not this machine's: choose another --listen`));
        }
      });
      worker.on('error', reject);
    });
    const stopped = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const thread: Thread = { worker, listening, stopped, counters: null };
    worker.on('message', (message: FromIngress) => {
      if (message.kind === 'counters') thread.counters = message.counters;
      else receive(worker, message);
    });
    return thread;
  };

  const threads = [startThread(0, port)];
  const bound = await threads[0]!.listening;
  for (let index = 1; index < start.memory.ingresses; index++) threads.push(startThread(index, bound));
  await Promise.all(threads.map((thread) => thread.listening));
  const broadcast = (message: ToIngress): void => threads.forEach(({ worker }) => worker.postMessage(message));

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    onRequest: (handler) => (request = handler),
    onLookup: (handler) => (lookup = handler),
    setReady: (ready) => broadcast({ kind: 'ready', ready }),
    counters: () => sumCounters(threads.flatMap(({ counters }) => (counters === null ? [] : [counters]))),
    async stop() {
      stopping = true;
      broadcast({ kind: 'stop' });
      await Promise.all(threads.map(({ stopped }) => stopped));
    },
  };
}

function addressOf(listen: string): { host: string; port: number } {
  const match = /^(?:\[(.+)\]|([^:]*)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw new OperatingError('bad_listen', `not an address: listen=${listen}; write host:port, for example 127.0.0.1:8700`);
  }
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}

function sumCounters(all: readonly IngressCounters[]): IngressCounters {
  const sum = { connections: 0, frames: 0, bytes: 0, refusedFrames: 0, refusedEvents: 0, refusedByProducer: new Map<string, number>() };
  for (const one of all) {
    sum.connections += one.connections;
    sum.frames += one.frames;
    sum.bytes += one.bytes;
    sum.refusedFrames += one.refusedFrames;
    sum.refusedEvents += one.refusedEvents;
    for (const [name, events] of one.refusedByProducer) sum.refusedByProducer.set(name, (sum.refusedByProducer.get(name) ?? 0) + events);
  }
  return sum;
}
