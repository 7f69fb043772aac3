/**
 * An ingress thread: uWebSockets.js on the events' port, lanes to and from the workers, a port to the main thread. It admits
 * frames and sends answers; it parses no event and waits for nothing. Started by start.ts.
 */

import uWS from 'uWebSockets.js';
import { isMainThread, parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { openLane } from '../../native-free-core/ring/lane.ts';
import { Admission } from './admission.ts';
import type { IngressContext } from './context.ts';
import { Delivery } from './delivery.ts';
import { createHello } from './hello.ts';
import { serveControl } from './http-control.ts';
import { serveEvents } from './http-events.ts';
import type { FromIngress, IngressThreadOptions, ToIngress } from './messages.ts';
import { Peers, type HeldAnswer, type Peer } from './peers.ts';
import { serveStream } from './websocket.ts';

const COUNTERS_MS = 500;
/** After `stop`, answers that are still outstanding have this long to become durable. */
const STOP_MS = 3000;
const STATUS_DUPLICATE = 2;

function runIngress(options: IngressThreadOptions, port: MessagePort): void {
  const control = new Int32Array(options.control);
  const post = (message: FromIngress): void => port.postMessage(message);
  const app = uWS.App();
  const peers = new Peers();
  const context: IngressContext = {
    app,
    options,
    peers,
    admission: new Admission(control, options.frameLanes.map(openLane)),
    counters: { connections: 0, frames: 0, bytes: 0, refusedFrames: 0, refusedEvents: 0, refusedByProducer: new Map() },
    post,
    hello: createHello(options.hello),
    state: { ready: false, stopping: false },
  };
  const sockets = serveStream(context);
  serveEvents(context);
  const routes = serveControl(context);
  const lookups = new Map<number, { peer: Peer; held: HeldAnswer }>();
  let nextLookup = 1;

  const delivery = new Delivery(control, options.index, options.durableLanes.map(openLane), options.storedLanes.map(openLane), {
    peers,
    hello: (peer, low, high) => void peer.send(context.hello(peer.encoding, low, high), 0),
    lookup(peer, producer, seqLow, seqHigh, epochLow) {
      const id = nextLookup++;
      lookups.set(id, { peer, held: peer.hold() });
      post({ kind: 'lookup', id, lookup: { producer, seqLow, seqHigh, epochLow, encoding: peer.encoding } });
    },
    readAnswer(peer, status, body) {
      peers.remove(peer);
      routes.readAnswer(peer.slot, status, body);
    },
    corked(peer, sends) {
      const socket = sockets.get(peer);
      if (socket === undefined) sends();
      else socket.cork(sends);
    },
    idle: () => context.admission.flushCloses(),
  });

  const timer = setInterval(() => post({ kind: 'counters', counters: context.counters }), COUNTERS_MS);
  app.listen(options.host, options.port, (socket) => {
    if (socket === false) post({ kind: 'listen-failed' });
    else post({ kind: 'listening', port: uWS.us_socket_local_port(socket) });
  });

  const stop = async (): Promise<void> => {
    context.state.stopping = true;
    const until = performance.now() + STOP_MS;
    const waiting = (): boolean => [...sockets.keys()].some((peer) => peer.outstanding > 0 && !peer.stored);
    while (waiting() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const socket of [...sockets.values()]) socket.end(1001, 'the server is stopping');
    clearInterval(timer);
    delivery.stop();
    app.close();
    post({ kind: 'counters', counters: context.counters });
    post({ kind: 'stopped' });
    port.close();
  };

  port.on('message', (message: ToIngress) => {
    if (message.kind === 'ready') context.state.ready = message.ready;
    else if (message.kind === 'response') routes.respond(message.id, message.response);
    else if (message.kind === 'stop') void stop();
    else {
      const lookup = lookups.get(message.id);
      lookups.delete(message.id);
      if (lookup !== undefined && peers.find(lookup.peer.slot, lookup.peer.generation)) {
        lookup.peer.release(lookup.held, message.bytes, STATUS_DUPLICATE);
      }
    }
  });
  void delivery.run();
}

if (!isMainThread && parentPort !== null) runIngress(workerData as IngressThreadOptions, parentPort);
