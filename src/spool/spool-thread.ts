/**
 * The spool thread: commits what the workers seal, sleeps on its doorbell when there is nothing, and does the chores of the
 * log in quiet moments. Started by `spool.ts` on the main thread, which sends it requests and reads its reports.
 *
 * The thread never turns its event loop while it runs: requests are taken from the port by hand. Whoever sends one rings
 * SPOOL_BELL. A broken disk or a broken invariant is thrown, and ends the process.
 */

import { isMainThread, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';

import { SPOOL_BELL } from '../../native-free-core/layout/control-layout.ts';
import { cancelSleep, prepareSleep, sleep } from '../../native-free-core/ring/doorbell.ts';
import { openLane } from '../../native-free-core/ring/lane.ts';
import type { Position } from '../contract/event-log.ts';
import type { RecoveredSpool } from './recover-spool.ts';
import { SpoolWriter } from './spool-writer.ts';
import type { SpoolFigures } from '../contract/figures.ts';
import { nodeStorage } from './storage.ts';

export interface SpoolThreadOptions {
  readonly controlBuffer: SharedArrayBuffer;
  /** One for each worker, in the workers' order. */
  readonly laneBuffers: readonly SharedArrayBuffer[];
  /** Takes the heads of durable epochs. */
  readonly headLane: SharedArrayBuffer;
  readonly ingressCount: number;
  readonly directory: string;
  readonly markFile: string;
  readonly segmentBytes: number;
  readonly spoolBytesMax: number;
  readonly sparesMax: number;
  readonly recovered: RecoveredSpool;
  readonly fromEpoch: Position;
}

export type SpoolRequest = { readonly type: 'trim'; readonly belowEpoch: Position } | { readonly type: 'stop' };

export type SpoolReport =
  | { readonly type: 'ready' }
  | { readonly type: 'figures'; readonly figures: SpoolFigures }
  | { readonly type: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly message: string }
  | { readonly type: 'stopped'; readonly durableEpoch: number };

/** A thread that was not rung looks around this often, for its figures and for a disk that was full. */
const SLEEP_MS_MAX = 250;
const FIGURES_MS = 1000;

/** Runs until it is told to stop; what is whole by then is committed. */
function runSpool(options: SpoolThreadOptions, port: MessagePort): void {
  const control = new Int32Array(options.controlBuffer);
  const now = (): number => performance.now();
  const report = (message: SpoolReport): void => port.postMessage(message);
  const writer = new SpoolWriter({
    ...options,
    storage: nodeStorage,
    control,
    lanes: options.laneBuffers.map(openLane),
    heads: openLane(options.headLane),
    now,
    log: (level, message) => report({ type: 'log', level, message }),
  });
  report({ type: 'ready' });
  let stopping = false;
  let figuresAt = now();
  const takeRequests = (): boolean => {
    let taken = false;
    for (let message = receiveMessageOnPort(port); message !== undefined; message = receiveMessageOnPort(port)) {
      const request = message.message as SpoolRequest;
      if (request.type === 'trim') writer.trim(request.belowEpoch);
      else stopping = true;
      taken = true;
    }
    return taken;
  };
  for (;;) {
    takeRequests();
    const committed = writer.commitWaiting();
    if (now() - figuresAt >= FIGURES_MS) {
      figuresAt = now();
      report({ type: 'figures', figures: writer.takeFigures() });
    }
    if (committed > 0) continue;
    if (stopping) break;
    if (writer.work()) continue;
    const ticket = prepareSleep(control, SPOOL_BELL);
    if (takeRequests() || writer.waiting()) cancelSleep(control, SPOOL_BELL);
    else sleep(control, SPOOL_BELL, ticket, Math.min(SLEEP_MS_MAX, writer.nextChoreMs()));
  }
  const figures = writer.takeFigures();
  writer.close();
  report({ type: 'figures', figures });
  report({ type: 'stopped', durableEpoch: figures.durableEpoch });
  port.close();
}

if (!isMainThread && parentPort !== null) runSpool(workerData as SpoolThreadOptions, parentPort);
