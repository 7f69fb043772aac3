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
import { attach, rehearse, stageOf } from './rehearsal.ts';

/** Without a task: gives back what the version held that ran on this thread. */
export default function decisionWorker(task: WorkerTask | null): Handover | null {
  collectGarbage();
  if (task === null) {
    // The other idle threads get one, too.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TIDY_MS);
    return null;
  }
  const { worker, memory, door, dictionaryLogged } = task;
  const decider = rehearsed(task);
  attach(decider, stageOf(memory, worker), openTables(memory), dictionaryLogged);
  // Whoever called this holds the task for as long as the version runs, but not what was rehearsed on, nor former tables.
  Object.assign(task, { memory: null, rehearsal: null });
  collectGarbage();
  const takeover = door === null ? FIRST : awaitTurn(door);
  if (takeover === null) return null;
  takeOver(decider, takeover);
  runDecider(decider);
  return { sessions: decider.connections.sessions, dictionaryLogged: decider.dictionaryLogged };
}

const TIDY_MS = 50;
const FIRST: WorkerInheritance = { sessions: [], dictionaryLogged: null, greets: false };

function rehearsed({ worker, plan, memory, rehearsal, epochIntervalMs, door }: WorkerTask): Decider {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const encoder = new TextEncoder();
  const decider = createDecider({
    ...stageOf(rehearsal, 0),
    plan,
    // What is remembered of names must hold afterwards.
    tables: { ...openTables(rehearsal), dictionary: openDictionary(memory.dictionary) },
    now: wallMs,
    monotonic: monotonicMs,
    epochIntervalMs,
    // TextDecoder refuses shared memory: the bytes are copied first. JSON is not the hot path.
    textOf: (bytes, from, to) => decoder.decode(bytes.slice(from, to)),
    utf8: (text) => encoder.encode(text),
    letGo: collectGarbage,
  });
  rehearse(decider, { rehearsal, next: memory, worker, isLive: door !== null });
  return decider;
}

/** Says that it is ready and sleeps until it is its turn; null: the change was abandoned. */
function awaitTurn({ port, turn }: NonNullable<WorkerTask['door']>): WorkerInheritance | null {
  const words = new Int32Array(turn);
  port.postMessage('ready');
  Atomics.wait(words, 0, 0);
  const received = receiveMessageOnPort(port) as { message: WorkerInheritance | null } | undefined;
  port.close();
  return received?.message ?? null;
}

/** Goes on with the connections of the worker before, where it has left the lanes. */
function takeOver(decider: Decider, { sessions, dictionaryLogged, greets }: WorkerInheritance): void {
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
  if (!greets) return;
  for (const session of decider.connections.sessions.flat())
    if (session?.hello === true) decider.connections.hellos.push(session);
}
