/**
 * Locks between real threads: whoever is inside writes its name and finds it again, adds to a pair of words, and no update
 * is lost; a reader copies the pair under the lock, as snapshots do, and never sees it torn. Waits have no timeout here, so
 * that a lost wake-up hangs.
 */

import { expect, test } from 'vitest';
import { runThreads, WORK_MS, type ThreadBody } from '../stepper/run-threads.ts';
import type { Mutation } from '../stepper/protocol.ts';

const FILE = 'native-free-core/state/lock.ts';
const ENDLESS_WAIT: Mutation = { file: FILE, from: 'CONTENDED, 1000)', to: 'CONTENDED)' };

const UPDATES: ThreadBody = {
  count: 3,
  body: `// updates
    const words = new Int32Array(shared.words), end = performance.now() + shared.workMs;
    let rounds = 0;
    while (rounds % 256 !== 0 || performance.now() < end) {
      protocol.acquireLock(words, 0);
      words[1] = index + 1;
      const left = words[2] + 1;
      words[2] = left;
      for (let i = 0; i < (rounds & 31); i++) if (words[1] !== index + 1) throw new Error('two are inside');
      words[3] = left;
      if (words[1] !== index + 1) throw new Error('two are inside');
      protocol.releaseLock(words, 0);
      rounds++;
    }
    return rounds;`,
};

const COPIES: ThreadBody = {
  body: `// copies
    const words = new Int32Array(shared.words), end = performance.now() + shared.workMs;
    let copies = 0;
    for (; copies % 256 !== 0 || performance.now() < end; copies++) {
      protocol.acquireLock(words, 0);
      const left = words[2], right = words[3];
      protocol.releaseLock(words, 0);
      if (left !== right) throw new Error('torn copy: ' + left + ' ' + right);
    }
    return 0;`,
};

test('one at a time, no update lost, nobody left asleep', async () => {
  const buffer = new SharedArrayBuffer(16);
  const sources = { files: [FILE], mutations: [ENDLESS_WAIT] };
  const rounds = (await runThreads(sources, { words: buffer, workMs: WORK_MS }, [UPDATES, COPIES])) as number[];
  const updates = rounds.reduce((sum, count) => sum + count, 0);
  const words = new Int32Array(buffer);
  expect([words[0], words[2], words[3]]).toEqual([0, updates, updates]);
  expect(updates).toBeGreaterThanOrEqual(3 * 256);
});

test('fault: threads that take no lock are found', async () => {
  const mutations = [
    ENDLESS_WAIT,
    {
      file: FILE,
      from: 'if (Atomics.compareExchange(words, at, FREE, HELD) === FREE) return;\n  acquire',
      to: 'return;\n  acquire',
    },
  ];
  const buffer = new SharedArrayBuffer(16);
  const run = runThreads({ files: [FILE], mutations }, { words: buffer, workMs: WORK_MS }, [UPDATES, COPIES]);
  await expect(run).rejects.toThrow(/two are inside|torn copy/);
});
