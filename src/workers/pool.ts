/**
 * The pool of decision workers: Piscina, one long-lived task a worker. Called by engine.ts on the main thread.
 */

import { Piscina } from 'piscina';
import type { Plan } from '../../native-free-core/layout/plan.ts';
import { dictionaryCount, openDictionary } from '../../native-free-core/state/dictionary.ts';
import type { SharedMemory } from '../memory/regions.ts';
import { compiledUrl } from '../ops/compiled-url.ts';

/** What one worker's task is given; structured-cloned, the buffers shared. */
export interface WorkerTask {
  readonly worker: number;
  readonly plan: Plan;
  readonly memory: SharedMemory;
  /** Dictionary entries that the log has. */
  readonly dictionaryLogged: number;
  /** Small and the worker's own; given up before the first event. */
  readonly rehearsal: SharedMemory;
  /** Shortest time between two epochs that a worker ends of its own accord, in ms. */
  readonly epochIntervalMs: number;
}

export interface WorkerPool {
  /** Rejects as soon as one worker fails; resolves when all have stopped. */
  readonly finished: Promise<void>;
  stop(): Promise<void>;
}

/** `rehearsal` reserves what one worker rehearses on. */
export function startWorkers(
  plan: Plan,
  memory: SharedMemory,
  rehearsal: () => SharedMemory,
  epochIntervalMs: number,
): WorkerPool {
  const pool = new Piscina({
    filename: compiledUrl(import.meta.url, './decision-worker.js'),
    minThreads: memory.workers,
    maxThreads: memory.workers,
    // Idle Piscina workers otherwise sleep in Atomics.wait, which stops their asynchronous work.
    atomics: 'disabled',
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  });
  const tasks: Promise<void>[] = [];
  const dictionaryLogged = dictionaryCount(openDictionary(memory.dictionary));
  for (let worker = 0; worker < memory.workers; worker++) {
    const task: WorkerTask = { worker, plan, memory, dictionaryLogged, rehearsal: rehearsal(), epochIntervalMs };
    tasks.push(pool.run(task) as Promise<void>);
  }
  const finished = Promise.all(tasks).then(() => undefined);
  return {
    finished,
    async stop() {
      await finished.catch(() => undefined);
      await pool.destroy();
    },
  };
}
