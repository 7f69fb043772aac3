/**
 * Locks, in every order in which the threads can take their steps: two threads that take one twice, three that contend, a
 * reader that copies two words which belong together, waits that time out. Whoever is inside writes its name and finds it
 * again. A wait ends by a notify alone (or by a timeout where a world says so), so that a lost wake-up leaves the threads
 * stuck. The faults below must all be found.
 */

import { expect, test } from 'vitest';
import type * as lockModule from '../../native-free-core/state/lock.ts';
import type { Mutation } from '../stepper/protocol.ts';
import { explore, type Part, type Scene } from '../stepper/stepper.ts';

type Protocol = typeof lockModule;
type Thread = Part<Protocol, Int32Array>;

const FILE = 'native-free-core/state/lock.ts';
/** 64 looks at a held lock differ from one in nothing but their number. */
const ONE_SPIN: Mutation = { file: FILE, from: 'const SPINS_MAX = 64;', to: 'const SPINS_MAX = 1;' };
const [LOCK, INSIDE, LEFT, RIGHT] = [0, 1, 2, 3];

/** Two words that are alike whenever nobody is inside; one round a part. */
function updates(name: number, rounds: number): Thread[] {
  const update: Thread = (words, { acquireLock, releaseLock }) => {
    acquireLock(words, LOCK);
    words[INSIDE] = name;
    const left = ++words[LEFT];
    words[RIGHT] = left;
    if (words[INSIDE] !== name) throw new Error(`${name} is inside, and so is ${words[INSIDE]}`);
    releaseLock(words, LOCK);
  };
  return Array.from({ length: rounds }, () => update);
}

const copies: Thread = (words, { acquireLock, releaseLock }) => {
  acquireLock(words, LOCK);
  const [left, right] = [words[LEFT], words[RIGHT]];
  releaseLock(words, LOCK);
  if (left !== right) throw new Error(`torn copy: left=${left} right=${right}`);
};

function sceneOf(
  threads: Record<string, Thread | Thread[]>,
  updated: number,
  timeouts = 0,
): Scene<Protocol, Int32Array> {
  return {
    prepare: (_, shared) => shared(4),
    threads,
    end(words) {
      if (words[LOCK] !== 0) throw new Error(`the lock is not free: lock=${words[LOCK]}`);
      if (words[LEFT] !== updated) throw new Error(`lost updates: ${words[LEFT]} of ${updated}`);
    },
    timeouts,
  };
}

const WORLDS = {
  'two threads, twice each': sceneOf({ first: updates(1, 2), second: updates(2, 2) }, 4),
  'two threads whose wait may time out': sceneOf({ first: updates(1, 2), second: updates(2, 2) }, 4, 1),
  'three threads': sceneOf({ first: updates(1, 1), second: updates(2, 1), third: updates(3, 1) }, 3),
  'a snapshot reader beside an update': sceneOf({ worker: updates(1, 2), reader: copies }, 2),
  'a snapshot reader beside two workers': sceneOf({ first: updates(1, 1), second: updates(2, 1), reader: copies }, 2),
} satisfies Record<string, Scene<Protocol, Int32Array>>;

/** Another number means that the lock takes other steps than it did, or that the stepper misses some. */
const INTERLEAVINGS: Record<keyof typeof WORLDS, bigint> = {
  'two threads, twice each': 370_522_950n,
  'two threads whose wait may time out': 70_143_945_462n,
  'three threads': 883_541_568n,
  'a snapshot reader beside an update': 102_423n,
  'a snapshot reader beside two workers': 312_902_558n,
};

test.each(Object.keys(WORLDS) as (keyof typeof WORLDS)[])(
  '%s: one at a time, and nobody waits for ever',
  async (name) => {
    const { failure, interleavings, states } = await explore({ files: [FILE], mutations: [ONE_SPIN] }, WORLDS[name]);
    console.log(`lock, ${name}: ${interleavings} interleavings, ${states} states`);
    expect(failure).toBeNull();
    expect(interleavings).toBe(INTERLEAVINGS[name]);
  },
);

interface Fault extends Omit<Mutation, 'file'> {
  readonly where: keyof typeof WORLDS;
  readonly kind: 'wrong' | 'race' | 'stuck';
}

const RELEASE = 'if (Atomics.exchange(words, at, FREE) === CONTENDED) Atomics.notify(words, at, 1);';

const FAULTS: Readonly<Record<string, Fault>> = {
  'the release wakes nobody': {
    from: RELEASE,
    to: 'Atomics.store(words, at, FREE);',
    where: 'two threads, twice each',
    kind: 'stuck',
  },
  'the release wakes only where nobody waits': {
    from: '=== CONTENDED) Atomics.notify',
    to: '=== HELD) Atomics.notify',
    where: 'two threads, twice each',
    kind: 'stuck',
  },
  'the release is a plain store': {
    from: RELEASE,
    to: 'const before = words[at]; words[at] = FREE; if (before === CONTENDED) Atomics.notify(words, at, 1);',
    where: 'two threads, twice each',
    kind: 'race',
  },
  'a look, then a store': {
    from: 'if (Atomics.compareExchange(words, at, FREE, HELD) === FREE) return;\n  acquireContended',
    to: 'if (Atomics.load(words, at) === FREE) { Atomics.store(words, at, HELD); return; }\n  acquireContended',
    where: 'two threads, twice each',
    kind: 'race',
  },
  'a thread that has waited takes the lock as if nobody else waited': {
    from: 'const before = Atomics.exchange(words, at, CONTENDED);\n    if (before === FREE) return;',
    to: `let before = Atomics.compareExchange(words, at, FREE, HELD);
    if (before === FREE) return;
    before = Atomics.compareExchange(words, at, HELD, CONTENDED);
    if (before === FREE) continue;`,
    where: 'three threads',
    kind: 'stuck',
  },
  'a thread that has waited goes in': {
    from: 'Atomics.wait(words, at, CONTENDED, 1000);',
    to: 'Atomics.wait(words, at, CONTENDED, 1000); return;',
    where: 'two threads, twice each',
    kind: 'race',
  },
  'a thread that waits does not say so, and never sleeps': {
    from: 'const before = Atomics.exchange(words, at, CONTENDED);',
    to: 'const before = Atomics.exchange(words, at, HELD);',
    where: 'two threads, twice each',
    kind: 'wrong',
  },
};

test.each(Object.keys(FAULTS))('fault: %s', async (name) => {
  const { from, to, where, kind } = FAULTS[name]!;
  const mutations = [ONE_SPIN, { file: FILE, from, to }];
  const { failure } = await explore({ files: [FILE], mutations }, WORLDS[where]);
  expect(failure?.kind).toBe(kind);
});

test('fault: a reader that takes no lock', async () => {
  const copiesOpenly: Thread = (words) => [words[LEFT], words[RIGHT]];
  const scene = sceneOf({ worker: updates(1, 1), reader: copiesOpenly }, 1);
  expect((await explore({ files: [FILE], mutations: [ONE_SPIN] }, scene)).failure?.kind).toBe('race');
});
