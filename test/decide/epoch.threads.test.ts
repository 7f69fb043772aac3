/**
 * The meeting of real threads at an epoch's end: workers join and end epochs as fast as they can, some of them resting in
 * between, until they are told to stop. Nobody joins an epoch while another is in a different one, the blocks of each epoch
 * are as many as it says, and no number is missing. Waits have no timeout here, so that a lost wake-up hangs.
 */

import { expect, test } from 'vitest';
import { startEpochs, type EpochTicket } from '../../native-free-core/decide/epoch.ts';
import { CONTROL_WORDS, EPOCH_LOW } from '../../native-free-core/layout/control-layout.ts';
import { patient } from '../patience.ts';
import { runThreads, WORK_MS, type ThreadBody } from '../stepper/run-threads.ts';
import type { Mutation } from '../stepper/protocol.ts';

const FILE = 'native-free-core/decide/epoch.ts';
const WORKERS = 3;
const ENDLESS_WAITS: Mutation[] = [
  { file: FILE, from: 'const WAIT_MS = 20;', to: 'const WAIT_MS = Infinity;' },
  { file: 'native-free-core/state/lock.ts', from: 'CONTENDED, 1000)', to: 'CONTENDED)' },
];

const WORKER: ThreadBody = {
  count: WORKERS,
  body: `// worker
    const { createTicket, joinEpoch, arriveAtEnd } = protocol;
    const words = new Int32Array(shared.control), inside = new Int32Array(shared.inside), end = performance.now() + shared.workMs;
    const nap = new Int32Array(new SharedArrayBuffer(4)), tickets = [];
    for (let round = 0; performance.now() < end; round++) {
      const ticket = createTicket();
      joinEpoch(words, ticket, 1000 + round, 1000 + round);
      Atomics.store(inside, index, ticket.epochLow);
      for (let look = 0; look < 20; look++)
        for (let other = 0; other < ${WORKERS}; other++) {
          const theirs = Atomics.load(inside, other);
          if (theirs !== 0 && theirs !== ticket.epochLow) throw new Error('in ' + ticket.epochLow + ' beside one in ' + theirs);
        }
      Atomics.store(inside, index, 0);
      arriveAtEnd(words, ticket, index, ${WORKERS});
      tickets.push(ticket);
      if ((round * (index + 3)) % 7 === 0) Atomics.wait(nap, 0, 0, 0.2);
    }
    return tickets;`,
};

test('no epoch is missed, and its blocks are those of who joined it', async () => {
  const control = new SharedArrayBuffer(CONTROL_WORDS * 4);
  startEpochs(new Int32Array(control), 1, 0);
  const shared = {
    control,
    inside: new SharedArrayBuffer(WORKERS * 4),
    workMs: Math.min(patient(WORK_MS), 4 * WORK_MS),
  };
  const results = await runThreads({ files: [FILE], mutations: ENDLESS_WAITS }, shared, [WORKER]);
  const tickets = (results as EpochTicket[][]).flat();
  const joined = new Map<number, number>();
  for (const { epoch } of tickets) joined.set(epoch, (joined.get(epoch) ?? 0) + 1);
  for (const { epoch, participants } of tickets) expect(participants).toBe(joined.get(epoch));
  const last = new Int32Array(control)[EPOCH_LOW]! - 1;
  expect(joined.size).toBe(last);
  expect([...joined.keys()].reduce((a, b) => Math.max(a, b))).toBe(last);
  expect(last).toBeGreaterThan(10);
  expect([...joined.values()].some((count) => count > 1)).toBe(true);
});
