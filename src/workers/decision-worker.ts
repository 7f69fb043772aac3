/**
 * A decision worker's thread: attaches to the shared memory and runs the core's loop until the process stops, or until the
 * workers of another pipeline version take over. Piscina calls the default export, with the worker's task; it returns when
 * STOPPING is set and its lanes are empty, or when CHANGING is set.
 */

import { receiveMessageOnPort } from 'node:worker_threads';
import { createDecider, type Decider } from '../../native-free-core/decide/decider.ts';
import { adoptSessions } from '../../native-free-core/decide/sessions.ts';
import { runDecider } from '../../native-free-core/decide/run.ts';
import { openLane, type Lane } from '../../native-free-core/ring/lane.ts';
import { openDictionary } from '../../native-free-core/state/dictionary.ts';
import { monotonicMs, wallMs } from '../system/clock.ts';
import { collectGarbage } from '../system/collect-garbage.ts';
import { openTables } from './open-tables.ts';
import type { Handover, WorkerInheritance, WorkerTask } from './pool.ts';
import { attach, warmUp, viewsOf } from './warm-up/warm-up.ts';

/** Without a task: gives back what the version held that ran on this thread. */
export default function decisionWorker(task: WorkerTask | null): Handover | null {
  collectGarbage();
  if (task === null) {
    // The other idle threads get one, too.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TRIM_MS);
    return null;
  }
  const { worker, memory, startsOn, dictionaryLogged, warmed } = task;
  const decider = warmDecider(task);
  attach(decider, viewsOf(memory, worker), openTables(memory), dictionaryLogged);
  // Whoever called this holds the task for as long as the version runs, but not what it warmed up on, nor former tables.
  Object.assign(task, { memory: null, warmUpMemory: null });
  collectGarbage();
  const words = new Int32Array(warmed);
  Atomics.add(words, 0, 1);
  Atomics.notify(words, 0);
  const takeover = startsOn === null ? FIRST : awaitStart(startsOn);
  if (takeover === null) return null;
  takeOver(decider, takeover);
  runDecider(decider);
  return { sessions: decider.connections.sessions, dictionaryLogged: decider.dictionaryLogged };
}

const TRIM_MS = 50;
const FIRST: WorkerInheritance = { sessions: [], dictionaryLogged: null, sendsHello: false };

function warmDecider({ worker, plan, memory, warmUpMemory, epochIntervalMs, startsOn }: WorkerTask): Decider {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const encoder = new TextEncoder();
  const decider = createDecider({
    ...viewsOf(warmUpMemory, 0),
    plan,
    // What is remembered of names must hold afterwards.
    tables: { ...openTables(warmUpMemory), dictionary: openDictionary(memory.dictionary) },
    now: wallMs,
    monotonic: monotonicMs,
    epochIntervalMs,
    // TextDecoder refuses shared memory: the bytes are copied first. JSON is not the hot path.
    textOf: (bytes, from, to) => decoder.decode(bytes.slice(from, to)),
    utf8: (text) => encoder.encode(text),
    releaseMemory: collectGarbage,
  });
  warmUp(decider, { warmUpMemory, next: memory, worker, isLive: startsOn !== null });
  return decider;
}

/** Says that it is ready and sleeps until it may start; null: the change was abandoned. */
function awaitStart({ port, startSignal }: NonNullable<WorkerTask['startsOn']>): WorkerInheritance | null {
  const words = new Int32Array(startSignal);
  port.postMessage('ready');
  Atomics.wait(words, 0, 0);
  const received = receiveMessageOnPort(port) as { message: WorkerInheritance | null } | undefined;
  port.close();
  return received?.message ?? null;
}

/** Goes on with the connections of the worker before, where it has left the lanes. */
function takeOver(decider: Decider, { sessions, dictionaryLogged, sendsHello }: WorkerInheritance): void {
  const { frameLanes, durableLanes, storedLanes, blockLane } = decider.input;
  const reopened = (lanes: readonly Lane[]): Lane[] => lanes.map(({ buffer }) => openLane(buffer));
  Object.assign(decider.input, {
    frameLanes: reopened(frameLanes),
    durableLanes: reopened(durableLanes),
    storedLanes: reopened(storedLanes),
    blockLane: openLane(blockLane.buffer),
  });
  if (dictionaryLogged !== null) decider.dictionaryLogged = dictionaryLogged;
  adoptSessions(decider.connections.sessions, sessions);
  if (!sendsHello) return;
  for (const session of decider.connections.sessions.flat())
    if (session?.hello === true) decider.connections.hellos.push(session);
}
