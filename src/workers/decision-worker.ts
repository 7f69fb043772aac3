/**
 * A decision worker's thread: attaches to the shared memory and runs the core's loop until the process stops.
 * Piscina calls the default export once, with the worker's task; it returns when STOPPING is set and its lanes are empty.
 */

import { createDecider } from '../../native-free-core/decide/decider.ts';
import { runDecider } from '../../native-free-core/decide/run.ts';
import { openTables } from './open-tables.ts';
import type { WorkerTask } from './pool.ts';
import { attach, rehearse, stageOf } from './rehearsal.ts';

export default function decisionWorker(task: WorkerTask): void {
  const { worker, plan, memory } = task;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const encoder = new TextEncoder();
  const decider = createDecider({
    ...stageOf(task.rehearsal, 0),
    plan,
    tables: openTables(task.rehearsal),
    now: Date.now,
    epochIntervalMs: task.epochIntervalMs,
    // TextDecoder refuses shared memory: the bytes are copied first. JSON is not the hot path.
    textOf: (bytes, from, to) => decoder.decode(bytes.slice(from, to)),
    utf8: (text) => encoder.encode(text),
  });
  rehearse(decider);
  attach(decider, stageOf(memory, worker), openTables(memory), task.dictionaryLogged);
  runDecider(decider);
}
