/**
 * Threads for tests of what threads do together: each runs a body of JavaScript beside the sources of a protocol, as they
 * stand or with a fault planted in them. Bounded in time: threads that have not ended by then are ended, and named.
 */

import { Worker } from 'node:worker_threads';
import { isLong } from '../long.ts';
import { patient } from '../patience.ts';
import { protocolScript, type ProtocolSources } from './protocol.ts';

/** How long the threads of `npm test` work; the long form works so many times as long. */
export const WORK_MS = isLong ? 20_000 : 400;
/** Beyond their work; ending it takes a few milliseconds where nobody hangs. */
const ENDING_MS = 2_000;

export interface ThreadBody {
  /** Sees `protocol`, `shared` and `index`; its `return` value is the thread's. */
  readonly body: string;
  readonly count?: number;
}

/**
 * Runs all threads until they return; in the order of `bodies`, what they returned. `shared`: buffers that all of them see.
 * An exception of a thread rejects.
 */
export async function runThreads(
  sources: ProtocolSources,
  shared: Readonly<Record<string, SharedArrayBuffer | number>>,
  bodies: readonly ThreadBody[],
): Promise<unknown[]> {
  const script = await protocolScript(sources);
  const all = bodies.flatMap(({ body, count = 1 }) => Array.from({ length: count }, (_, index) => ({ body, index })));
  const workers: Worker[] = [];
  try {
    return await Promise.all(
      all.map(({ body, index }) => {
        const program = `const { parentPort, workerData } = require('node:worker_threads');
${script}
const { shared, index } = workerData;
parentPort.postMessage((() => { ${body} })());`;
        const worker = new Worker(program, { eval: true, workerData: { shared, index } });
        workers.push(worker);
        return resultOf(worker, `${body.trim().split('\n')[0]} (${index})`);
      }),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function resultOf(worker: Worker, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const bound = setTimeout(() => reject(new Error(`the thread hangs: ${name}`)), patient(WORK_MS + ENDING_MS));
    worker.once('message', (result) => {
      clearTimeout(bound);
      resolve(result);
    });
    worker.once('error', (error) => {
      clearTimeout(bound);
      reject(error);
    });
  });
}
