/**
 * An ingress thread: a server on the events' port, lanes to and from the workers, a port to the main thread. It admits
 * frames and sends answers; it parses no event and waits for nothing. Started by start-ingress.ts.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { isMainThread, parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { CONTROL_VERSION } from '../../native-free-core/layout/control-layout.ts';
import { REGION_CONTROL, checkRegion } from '../../native-free-core/layout/region.ts';
import { seqNumber } from '../../native-free-core/layout/seq.ts';
import { openLane } from '../../native-free-core/ring/lane.ts';
import { Door } from '../access/door.ts';
import { FailedAttempts } from '../access/failed-attempts.ts';
import type { IngressFigures } from '../contract/figures.ts';
import { openTransport } from '../http/choose-transport.ts';
import { dieOf } from '../system/end-process.ts';
import { Admission } from './admission.ts';
import type { IngressContext } from './thread-context.ts';
import { Delivery } from './delivery.ts';
import { createHello } from './hello.ts';
import { Bodies } from './http-body.ts';
import { serveControl } from './http-control.ts';
import { serveEntities } from './http-entities.ts';
import { serveEvents } from './http-events.ts';
import { serveIndex } from './http-index.ts';
import { Lookups } from './lookups.ts';
import type { FromIngress, IngressThreadOptions, ToIngress } from './thread-messages.ts';
import { Peers } from './peers.ts';
import { RefusedChanges } from './refused-changes.ts';
import { Refusals } from './refusals.ts';
import { Router } from './router.ts';
import { StoredAnswers } from './stored-answers.ts';
import { serveStream } from './stream.ts';

const COUNTERS_MS = 500;
/** How often what has waited too long is looked for. */
const EXPIRE_MS = 250;
/** While stopping: how often to look whether all is answered. */
const LOOK_MS = 5;
/** What has been written last reaches clients that still send; closing at once would reset their connections. */
const LINGER_MS = 100;

function runIngress(options: IngressThreadOptions, port: MessagePort): void {
  checkRegion(options.control, REGION_CONTROL, CONTROL_VERSION);
  const control = new Int32Array(options.control);
  const storedLanes = options.storedLanes.map(openLane);
  const storedAnswers = new StoredAnswers(storedLanes);
  const post = (message: FromIngress): void => port.postMessage(message);
  const context = createContext(options, control, storedAnswers, post);
  const { admission, router, peers } = context;
  const bodies = new Bodies();
  let hello = createHello(options.pipeline, options.limits.framesInFlight);
  const lookups = new Lookups(peers, post, options.limits.lookupMsMax);
  const streams = serveStream(context, EXPIRE_MS);
  serveEvents(context, bodies);
  const reads = serveEntities(context);
  serveIndex(context);
  const requests = serveControl(context, bodies);

  const delivery = new Delivery(control, options.index, options.durableLanes.map(openLane), storedAnswers, {
    peers,
    hello: (peer, highest) => peer.greet(hello(peer.answerEncoding, seqNumber(highest), peer.events?.told ?? 0)),
    lookup: (peer, request) => lookups.ask(peer, request),
    durableAnswered: (worker) => admission.queues[worker]!.answered(),
    entityAnswer: (peer, status, body) => reads.answer(peer, status, body),
    afterTurn: () => admission.flushCloses(),
  });

  const postCounters = (): void => {
    const busySeconds = performance.eventLoopUtilization().active / 1000;
    const { refusedConnections } = server;
    const figures = { connections: streams.count, answers: delivery.answers, busySeconds, refusedConnections };
    post({ kind: 'figures', figures: { ...context.received, ...figures, ...admissionFigures(context) } });
  };
  const expire = (): void =>
    [bodies, lookups, reads, requests, streams].forEach((waiting) => waiting.expire(performance.now()));
  const timers = [setInterval(postCounters, COUNTERS_MS), setInterval(expire, EXPIRE_MS)];

  const server = openTransport(options.transport).serve({
    request: (head, exchange) => router.handle(head, exchange),
    webSocket: streams.handlers,
    connectionsMax: options.limits.connectionsMax,
  });
  void server
    .listen(options.host, options.port, options.sharesPort)
    .then((bound) => post({ kind: bound === null ? 'listen-failed' : 'listening' }));

  const stop = async (): Promise<void> => {
    server.stopListening();
    await drain(context);
    streams.endAll();
    await pause(LINGER_MS);
    timers.forEach((timer) => clearInterval(timer));
    delivery.stop();
    server.close();
    postCounters();
    port.close();
  };

  port.on('message', (message: ToIngress) => {
    if (message.kind === 'ready') requests.setReady(message.readiness);
    else if (message.kind === 'pipeline') {
      context.pipeline = message.pipeline;
      hello = createHello(message.pipeline, options.limits.framesInFlight);
      post({ kind: 'pipeline-known' });
    } else if (message.kind === 'response') requests.answer(message.id, message.response);
    else if (message.kind === 'lookup-answer') lookups.answer(message.id, message.bytes);
    else void stop();
  });
  void delivery.run();
}

function createContext(
  options: IngressThreadOptions,
  control: Int32Array,
  storedAnswers: StoredAnswers,
  post: (message: FromIngress) => void,
): IngressContext {
  const attempts = new FailedAttempts((count, last) => post({ kind: 'keys-refused', attempts: count, last }));
  return {
    router: new Router(new Door(options.access, options), attempts, new RefusedChanges(post)),
    options,
    pipeline: options.pipeline,
    peers: new Peers(),
    admission: new Admission({
      control,
      frameLanes: options.frameLanes.map(openLane),
      storedAnswers,
      framesPerSecondMax: options.limits.framesPerSecondMax,
      queueAgeMsMax: options.limits.queueAgeMsMax,
    }),
    refusals: new Refusals(),
    received: { frames: 0, bytes: 0 },
    post,
  };
}

/** Nothing new comes in; what is with the workers is answered as far as it becomes durable in time. */
async function drain({ admission, peers, options }: IngressContext): Promise<void> {
  admission.stopping = true;
  const until = performance.now() + options.limits.stopMsMax;
  while (peers.durableOutstanding && performance.now() < until) await pause(LOOK_MS);
}

type AdmissionFigures = Omit<
  IngressFigures,
  'connections' | 'frames' | 'bytes' | 'answers' | 'busySeconds' | 'refusedConnections'
>;

function admissionFigures({ admission, refusals }: IngressContext): AdmissionFigures {
  const { queues, refused } = admission;
  return {
    queueAgeMsMax: Math.round(Math.max(...queues.map((queue) => queue.takeAgeMax()))),
    eventsInFlightMax: Math.min(...queues.map(({ credit }) => credit)),
    refusedFrames: refusals.frames,
    refusedBecause: { ...refused },
    refusedEvents: refusals.events,
    refusedByProducer: refusals.byProducer,
  };
}

if (!isMainThread && parentPort !== null) {
  // A thread that is torn down with its sockets open takes the process with it, and the cause would stand above a native
  // stack trace.
  process.on('uncaughtException', (error) => dieOf('an ingress thread', error));
  runIngress(workerData as IngressThreadOptions, parentPort);
}
