/**
 * The pool of decision workers: Piscina, one long-lived task a worker; twice as many threads as workers, so that those of
 * the next pipeline version compile and warm up on threads of their own while the running ones go on. Called by
 * engine/start.ts and versions/ on the main thread.
 */

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Sessions } from '../../native-free-core/decide/sessions.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { dictionaryCount, openDictionary } from '../../native-free-core/state/dictionary.ts';
import type { SharedMemory } from '../memory/regions.ts';
import { compiledUrl } from '../system/compiled-url.ts';

/** What one worker's task is given; structured-cloned, the buffers shared. */
export interface WorkerTask {
  readonly worker: number;
  readonly plan: Plan;
  readonly memory: SharedMemory;
  /** Dictionary entries that the log has. */
  readonly dictionaryLogged: number;
  /** Small and the worker's own; given up before the first event. */
  readonly warmUpMemory: SharedMemory;
  /** Shortest time between two epochs that a worker ends of its own accord, in ms. */
  readonly epochIntervalMs: number;
  /** One Int32: how many workers have warmed up. */
  readonly warmed: SharedArrayBuffer;
  /** Where it waits for its start; null: it begins at once. */
  readonly startsOn: { readonly port: MessagePort; readonly startSignal: SharedArrayBuffer } | null;
}

/** What a worker leaves to the one that takes over. */
export interface Handover {
  readonly sessions: Sessions;
  readonly dictionaryLogged: number;
}

/** What a worker begins with; null dictionaryLogged: as its task says. */
export interface WorkerInheritance {
  readonly sessions: Sessions;
  readonly dictionaryLogged: number | null;
  /** Clients are told the decisions' names anew. */
  readonly sendsHello: boolean;
}

export interface WorkerVersion {
  readonly plan: Plan;
  readonly memory: SharedMemory;
}

/** The workers of the next version, waiting for their start. */
export interface WaitingWorkers {
  /** Once they have compiled and warmed up. */
  readonly ready: Promise<void>;
  /**
   * Ends the running workers between two epochs, runs `between` and starts these. `begin` and `end` say so to all threads.
   */
  takeOver(change: {
    readonly begin: () => void;
    readonly end: () => void;
    readonly between: () => Promise<void>;
    readonly sendsHello: boolean;
  }): Promise<void>;
  abandon(): Promise<void>;
}

export interface WorkerPool {
  /** Rejects as soon as one worker fails; resolves when all have stopped. */
  readonly finished: Promise<void>;
  /** Once the first version's workers have compiled and warmed up, and take frames; rejects where one fails before. */
  readonly ready: Promise<void>;
  prepare(version: WorkerVersion): WaitingWorkers;
  /** Threads that have no version to run give memory back. */
  trimIdleThreads(): Promise<void>;
  stop(): Promise<void>;
}

interface Waiting {
  readonly port: MessagePort;
  readonly startSignal: Int32Array;
  readonly ready: Promise<void>;
  readonly done: Promise<Handover | null>;
}

/** `allocateWarmUp` reserves what one worker warms up on. */
export function startWorkers(
  first: WorkerVersion,
  allocateWarmUp: (plan: Plan) => SharedMemory,
  epochIntervalMs: number,
): WorkerPool {
  const { workers } = first.memory;
  const pool = createThreads(workers);
  const warmed = new SharedArrayBuffer(4);
  const taskOf = ({ plan, memory }: WorkerVersion, worker: number, startsOn: WorkerTask['startsOn']): WorkerTask => {
    const dictionaryLogged = dictionaryCount(openDictionary(memory.dictionary));
    const warmUpMemory = allocateWarmUp(plan);
    return { worker, plan, memory, dictionaryLogged, warmUpMemory, epochIntervalMs, warmed, startsOn };
  };
  const eachWorker = <T>(make: (worker: number) => T): T[] => Array.from({ length: workers }, (_, i) => make(i));
  let fail: (error: unknown) => void = () => undefined;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  finished.catch(() => undefined);
  let running = eachWorker((worker) => pool.run(taskOf(first, worker, null)) as Promise<Handover | null>);
  const watch = (tasks: readonly Promise<unknown>[]): void => tasks.forEach((task) => void task.catch(fail));
  watch(running);

  const wait = (version: WorkerVersion, worker: number): Waiting => {
    const { port1: port, port2 } = new MessageChannel();
    const startSignal = new SharedArrayBuffer(4);
    const task = taskOf(version, worker, { port: port2, startSignal });
    const done = pool.run(task, { transferList: [port2] }) as Promise<Handover | null>;
    const ready = new Promise<void>((resolve, reject) => {
      port.once('message', () => resolve());
      done.catch(reject);
    });
    ready.catch(() => undefined);
    return { port, startSignal: new Int32Array(startSignal), ready, done };
  };
  return {
    finished,
    ready: warm(new Int32Array(warmed), workers, finished),
    prepare(version) {
      const waiting = eachWorker((worker) => wait(version, worker));
      return {
        ready: Promise.all(waiting.map(({ ready }) => ready)).then(() => undefined),
        async takeOver({ begin, end, between, sendsHello }) {
          begin();
          const handovers = await Promise.all(running);
          end();
          await between();
          waiting.forEach((one, worker) => call(one, { ...handovers[worker]!, sendsHello }));
          running = waiting.map(({ done }) => done);
          watch(running);
          waiting.forEach(({ port }) => port.unref());
        },
        async abandon() {
          for (const one of waiting) call(one, null);
          await Promise.allSettled(waiting.map(({ done }) => done));
        },
      };
    },
    async trimIdleThreads() {
      await Promise.all(eachWorker(() => pool.run(null)));
    },
    async stop() {
      await Promise.allSettled(running);
      finish();
      await pool.destroy();
    },
  };
}

/** As many threads as workers, and as many again for the next version's. */
function createThreads(workers: number): Piscina {
  return new Piscina({
    filename: compiledUrl(import.meta.url, './decision-worker.js'),
    minThreads: workers,
    maxThreads: 2 * workers,
    // A thread that waits for its next version must not be given up and made anew.
    idleTimeout: Infinity,
    // Idle Piscina workers otherwise sleep in Atomics.wait, which stops their asynchronous work.
    atomics: 'disabled',
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  });
}

/** Resolves once `count` says that all have warmed up; settles as `finished` where that is sooner. */
function warm(count: Int32Array, workers: number, finished: Promise<void>): Promise<void> {
  const all = async (): Promise<void> => {
    for (let now = Atomics.load(count, 0); now < workers; now = Atomics.load(count, 0)) {
      const wait = Atomics.waitAsync(count, 0, now);
      if (wait.async) await wait.value;
    }
  };
  const ready = Promise.race([all(), finished]);
  ready.catch(() => undefined);
  return ready;
}

function call({ port, startSignal }: Waiting, message: WorkerInheritance | null): void {
  port.postMessage(message);
  Atomics.store(startSignal, 0, 1);
  Atomics.notify(startSignal, 0);
}
