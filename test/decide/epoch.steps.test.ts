/**
 * The meeting of the workers at an epoch's end, in every order in which their steps can follow one another. What holds in
 * each: nobody joins an epoch before all who joined the one before have ended it, an epoch's blocks are as many as workers
 * joined it, epochs follow one another without a gap, and nobody waits for ever. Waits end by a notify alone. The faults
 * below must all be found.
 */

import { expect, test } from 'vitest';
import type * as epochModule from '../../native-free-core/decide/epoch.ts';
import type { EpochTicket } from '../../native-free-core/decide/epoch.ts';
import {
  CONTROL_WORDS,
  EPOCH_ACTIVE,
  EPOCH_ARRIVED,
  EPOCH_CLOSING,
  EPOCH_LOCK,
} from '../../native-free-core/layout/control-layout.ts';
import { isLong } from '../long.ts';
import type { Mutation } from '../stepper/protocol.ts';
import { explore, type Part, type Scene } from '../stepper/stepper.ts';

type Protocol = typeof epochModule;

const FILE = 'native-free-core/decide/epoch.ts';
const LOCK_FILE = 'native-free-core/state/lock.ts';
const ONE_SPIN: Mutation = { file: LOCK_FILE, from: 'const SPINS_MAX = 64;', to: 'const SPINS_MAX = 1;' };

interface Memory {
  readonly control: Int32Array;
  /** By epoch and worker: what the worker has changed in that epoch, as the entity tables are. */
  readonly work: Int32Array;
}

/** Joins and ends `rounds` epochs, one after the other. */
function worker(index: number, workers: number, rounds: number): Part<Protocol, Memory>[] {
  const joins: Part<Protocol, Memory> = ({ control, work }, { createTicket, joinEpoch }, _, left) => {
    const ticket = createTicket();
    joinEpoch(control, ticket, 1000, 1000);
    // Plain accesses: a race with a worker that has not ended the epoch before is found, and so is one that is in a later
    // epoch.
    const epochWord = (epoch: number): number => (epoch & 7) * workers;
    for (let other = 0; other < workers; other++) void work[epochWord(ticket.epochLow - 1) + other];
    work[epochWord(ticket.epochLow) + index] = 1;
    return [...((left as EpochTicket[] | null) ?? []), ticket];
  };
  const arrives: Part<Protocol, Memory> = ({ control }, { arrive }, _, left) => {
    arrive(control, index, workers);
    return left;
  };
  const awaits: Part<Protocol, Memory> = ({ control }, { awaitOthers }, _, left) => {
    const tickets = left as EpochTicket[];
    awaitOthers(control, tickets.at(-1)!);
    return tickets;
  };
  return Array.from({ length: rounds }, () => [joins, arrives, awaits]).flat();
}

function sceneOf(rounds: readonly number[], firstEpoch = 1, timeouts = 0): Scene<Protocol, Memory> {
  return {
    coarse: true,
    prepare({ startEpochs }, shared) {
      const memory = { control: shared(CONTROL_WORDS), work: shared(8 * rounds.length) };
      startEpochs(memory.control, firstEpoch, 0);
      return memory;
    },
    threads: Object.fromEntries(rounds.map((count, i) => [`worker ${i}`, worker(i, rounds.length, count)])),
    end({ control }, results) {
      const parts = (results as EpochTicket[][]).flat();
      const epochs = [...new Set(parts.map(({ epoch }) => epoch))].sort((a, b) => a - b);
      epochs.forEach((epoch, i) => {
        if (epoch !== firstEpoch + i) throw new Error(`epochs are not in a row: ${epochs.join()}`);
        const joined = parts.filter((part) => part.epoch === epoch);
        for (const { participants } of joined)
          if (participants !== joined.length) throw new Error(`${joined.length} joined ${epoch}, said ${participants}`);
      });
      if (parts.some(({ receivedAt }) => receivedAt !== 1000)) throw new Error('an epoch without its time');
      const left = [EPOCH_LOCK, EPOCH_CLOSING, EPOCH_ACTIVE, EPOCH_ARRIVED].map((at) => control[at]);
      if (left.some((word) => word !== 0)) throw new Error(`left over: ${left.join()}`);
    },
    timeouts,
  };
}

const WORLDS = {
  'two workers, where the low word of the number wraps': sceneOf([1, 2], 2 ** 32 - 1),
  'two workers, whose waits may time out': sceneOf([1, 1], 1, 1),
  // Four times as many states.
  ...(isLong ? { 'two workers, two epochs each': sceneOf([2, 2]) } : {}),
} satisfies Record<string, Scene<Protocol, Memory>>;

/** Another number means that the protocol takes other steps than it did, or that the stepper misses some. */
const INTERLEAVINGS: Readonly<Record<string, bigint>> = {
  'two workers, where the low word of the number wraps': 2_095_322_642n,
  'two workers, whose waits may time out': 33_929_118n,
  'two workers, two epochs each': 23_833_022_297_714n,
};

test.each(Object.entries(WORLDS))('%s: no epoch is missed', async (name, world) => {
  const { failure, interleavings, states } = await explore({ files: [FILE], mutations: [ONE_SPIN] }, world);
  console.log(`epoch, ${name}: ${interleavings} interleavings, ${states} states`);
  expect(failure).toBeNull();
  expect(interleavings).toBe(INTERLEAVINGS[name]);
});

interface Fault extends Omit<Mutation, 'file'> {
  readonly kind: 'wrong' | 'race' | 'stuck';
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'a worker joins without the lock': {
    from: 'acquireLock(words, EPOCH_LOCK);\n    if (words[EPOCH_CLOSING] === 0) break;',
    to: 'if (words[EPOCH_CLOSING] === 0) break; acquireLock(words, EPOCH_LOCK);',
    kind: 'race',
  },
  'the last one wakes nobody': {
    from: 'if (over) Atomics.notify(words, EPOCH_LOW);',
    to: 'if (over) return;',
    kind: 'stuck',
  },
  'the last one wakes those who wait for another word': {
    from: 'if (over) Atomics.notify(words, EPOCH_LOW);',
    to: 'if (over) Atomics.notify(words, EPOCH_HIGH);',
    kind: 'stuck',
  },
  'a worker takes part without being counted': {
    from: 'if (words[EPOCH_ACTIVE]++ === 0)',
    to: 'if (words[EPOCH_ACTIVE] === 0 ? ++words[EPOCH_ACTIVE] === 1 : false)',
    kind: 'stuck',
  },
  'the next epoch begins before all have arrived': {
    from: 'const over = ++words[EPOCH_ARRIVED] === words[EPOCH_ACTIVE];',
    to: 'const over = ++words[EPOCH_ARRIVED] > 0;',
    kind: 'wrong',
  },
  'the number of blocks is stored too late': {
    from: 'if (over) beginNext(words);\n  releaseLock(words, EPOCH_LOCK);',
    to: `const [low, blocks] = [words[EPOCH_LOW], words[EPOCH_ACTIVE]];
  if (over) beginNext(words);
  releaseLock(words, EPOCH_LOCK);
  if (over) words[PARTICIPANTS + (low & (PARTICIPANTS_RING - 1))] = blocks;`,
    kind: 'race',
  },
  'the epoch stays closed': { from: 'Atomics.store(words, EPOCH_CLOSING, 0);', to: '', kind: 'stuck' },
  'the high word of the number stands still': { from: 'words[EPOCH_HIGH]++;', to: ';', kind: 'wrong' },
  'a worker does not wait for the others': {
    from: 'while (Atomics.load(words, EPOCH_LOW) === ticket.epochLow) Atomics.wait',
    to: 'if (Atomics.load(words, EPOCH_LOW) === -3) Atomics.wait',
    kind: 'race',
  },
};

test.each(Object.keys(FAULTS))('fault: %s', async (name) => {
  const { from, to, kind } = FAULTS[name]!;
  const mutations = [ONE_SPIN, { file: FILE, from, to }];
  const world = WORLDS['two workers, where the low word of the number wraps'];
  expect((await explore({ files: [FILE], mutations }, world)).failure?.kind).toBe(kind);
});

/**
 * A snapshot is taken beside a worker: what it has copied may hold changes of every epoch up to the one that is said to have
 * been touched. Of an epoch above that, the snapshot would keep what a crash can remove.
 */
function snapshotScene(rounds: number): Scene<Protocol, Memory> {
  const changes: Part<Protocol, Memory> = (
    { control, work },
    { createTicket, joinEpoch, arriveAtEnd },
    { atomics },
  ) => {
    const ticket = createTicket();
    joinEpoch(control, ticket, 1000, 1000);
    atomics.store(work, 0, ticket.epoch);
    arriveAtEnd(control, ticket, 0, 1);
  };
  return {
    coarse: true,
    prepare({ startEpochs }, shared) {
      const memory = { control: shared(CONTROL_WORDS), work: shared(1) };
      startEpochs(memory.control, 1, 0);
      return memory;
    },
    threads: {
      worker: Array.from({ length: rounds }, () => changes),
      'snapshot keeper': ({ control, work }, { lastTouchedEpoch }, { atomics }) => {
        const copied = atomics.load(work, 0);
        const touched = lastTouchedEpoch(control);
        if (copied > touched) throw new Error(`copied what epoch ${copied} has changed, and said ${touched}`);
        if (touched > rounds) throw new Error(`waits for epoch ${touched}, which nobody has joined`);
      },
    },
  };
}

test('a snapshot waits for the last epoch that may have changed what it copied', async () => {
  const { failure, interleavings, states } = await explore({ files: [FILE], mutations: [ONE_SPIN] }, snapshotScene(2));
  console.log(`epoch, beside a snapshot: ${interleavings} interleavings, ${states} states`);
  expect(failure).toBeNull();
  expect(interleavings).toBe(3_862_041n);
});

test('fault: the running epoch, then whether it is joined, without the lock', async () => {
  const without: Mutation = {
    file: FILE,
    from: `acquireLock(words, EPOCH_LOCK);
  const epoch = words[EPOCH_ACTIVE] === 0 ? epochUnderLock(words) - 1 : epochUnderLock(words);
  releaseLock(words, EPOCH_LOCK);`,
    to: `const running = Atomics.load(words, EPOCH_LOW);
  const epoch = Atomics.load(words, EPOCH_ACTIVE) === 0 ? running - 1 : running;`,
  };
  // As it was: its look at the number of workers is atomic, theirs are not; found as a race before its answer is.
  const racy = await explore({ files: [FILE], mutations: [ONE_SPIN, without] }, snapshotScene(2));
  expect(racy.failure?.kind).toBe('race');
  const atomic: Mutation[] = [
    { file: FILE, from: 'if (words[EPOCH_ACTIVE]++ === 0)', to: 'if (Atomics.add(words, EPOCH_ACTIVE, 1) === 0)' },
    { file: FILE, from: '  words[EPOCH_ACTIVE] = 0;\n', to: '  Atomics.store(words, EPOCH_ACTIVE, 0);\n' },
  ];
  const wrong = await explore({ files: [FILE], mutations: [ONE_SPIN, without, ...atomic] }, snapshotScene(2));
  expect(wrong.failure).toMatchObject({
    kind: 'wrong',
    message: expect.stringMatching(/copied what epoch 2 has changed/),
  });
});
