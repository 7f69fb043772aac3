/**
 * Doorbells, in every order in which the threads can take their steps: a consumer that sleeps for want of records, as the
 * decision worker and the spool thread do, beside one producer or two; and two sleepers at one bell. A sleep ends by a ring
 * alone, so that a lost wake-up leaves the threads stuck. The faults below must all be found.
 */

import { expect, test } from 'vitest';
import type * as bellModule from '../../native-free-core/ring/doorbell.ts';
import type * as laneModule from '../../native-free-core/ring/lane.ts';
import type { Mutation } from '../stepper/protocol.ts';
import { explore, type Part, type Scene, type SceneTools } from '../stepper/stepper.ts';

type Protocol = typeof laneModule & typeof bellModule;

const FILE = 'native-free-core/ring/doorbell.ts';
const FILES = ['native-free-core/ring/lane.ts', FILE];
const BELL = 0;
/** Work that was done. */
const WORK = 2;

interface Memory {
  readonly lane: SharedArrayBuffer;
  readonly words: Int32Array;
}

type Thread = Part<Protocol, Memory>;

/** As `rest` in decide/run.ts: the look between saying so and sleeping is what keeps a wake-up from being lost. */
function sleepUnless(protocol: Protocol, words: Int32Array, hasWork: () => boolean): void {
  const ticket = protocol.prepareSleep(words, BELL);
  if (hasWork()) protocol.cancelSleep(words, BELL);
  else protocol.sleep(words, BELL, ticket, 50);
}

const sendsTwo: Thread = ({ lane: buffer, words }, { openLane, reserve, commit, ring }, { before }) => {
  const lane = before(() => openLane(buffer));
  for (let number = 1; number <= 2; number++) {
    lane.words[reserve(lane, number, 4) >> 2] = 100 + number;
    commit(lane);
    ring(words, BELL);
  }
};

const receivesTwo: Thread = ({ lane: buffer, words }, protocol, { before }) => {
  const { openLane, claim, release } = protocol;
  const lane = before(() => openLane(buffer));
  for (let number = 1; number <= 2; number++) {
    for (let at = claim(lane); at < 0; at = claim(lane)) sleepUnless(protocol, words, () => claim(lane) >= 0);
    const found = lane.words[claim(lane) >> 2];
    if (found !== 100 + number) throw new Error(`record ${number} is ${found}`);
    release(lane);
  }
};

const worksOnce: Thread = ({ words }, { ring }, { atomics }) => {
  atomics.add(words, WORK, 1);
  ring(words, BELL);
};

function awaitsWork(count: number): Thread {
  return ({ words }, protocol, { atomics }: SceneTools) => {
    const hasWork = (): boolean => atomics.load(words, WORK) >= count;
    while (!hasWork()) sleepUnless(protocol, words, hasWork);
  };
}

function sceneOf(threads: Scene<Protocol, Memory>['threads'], timeouts = 0): Scene<Protocol, Memory> {
  return {
    prepare: ({ createLane }, shared) => ({ lane: createLane(4096), words: shared(4) }),
    threads,
    end({ words }) {
      if (words[BELL + 1] !== 0) throw new Error(`said to sleep: sleepers=${words[BELL + 1]}`);
    },
    timeouts,
  };
}

const WORLDS = {
  'a lane and its consumer': sceneOf({ producer: sendsTwo, consumer: receivesTwo }),
  'a lane and its consumer, whose sleep may time out': sceneOf({ producer: sendsTwo, consumer: receivesTwo }, 1),
  'two producers': sceneOf({ first: worksOnce, second: worksOnce, consumer: awaitsWork(2) }),
  'two sleepers': sceneOf({ producer: worksOnce, first: awaitsWork(1), second: awaitsWork(1) }),
} satisfies Record<string, Scene<Protocol, Memory>>;

/** Another number means that the protocol takes other steps than it did, or that the stepper misses some. */
const INTERLEAVINGS: Record<keyof typeof WORLDS, bigint> = {
  'a lane and its consumer': 577_918_608n,
  'a lane and its consumer, whose sleep may time out': 17_722_022_780n,
  'two producers': 273_366n,
  'two sleepers': 753_536n,
};

test.each(Object.keys(WORLDS) as (keyof typeof WORLDS)[])('%s: no wake-up is lost', async (name) => {
  const { failure, interleavings, states } = await explore({ files: FILES }, WORLDS[name]);
  console.log(`doorbell, ${name}: ${interleavings} interleavings, ${states} states`);
  expect(failure).toBeNull();
  expect(interleavings).toBe(INTERLEAVINGS[name]);
});

interface Fault extends Omit<Mutation, 'file'> {
  readonly where: keyof typeof WORLDS;
  readonly kind: 'wrong' | 'race' | 'stuck';
}

const RING = 'if (Atomics.load(words, bell + 1) !== 0) Atomics.notify(words, bell);';

const FAULTS: Readonly<Record<string, Fault>> = {
  'the ring wakes nobody': { from: RING, to: '', where: 'a lane and its consumer', kind: 'stuck' },
  'the ring wakes before it counts': {
    from: `Atomics.add(words, bell, 1);\n  ${RING}`,
    to: `${RING} Atomics.add(words, bell, 1);`,
    where: 'a lane and its consumer',
    kind: 'stuck',
  },
  'the ring counts only where somebody sleeps': {
    from: 'Atomics.add(words, bell, 1);\n',
    to: 'if (Atomics.load(words, bell + 1) === 1) Atomics.add(words, bell, 1);\n',
    where: 'two sleepers',
    kind: 'stuck',
  },
  'the ring wakes one': {
    from: 'Atomics.notify(words, bell);',
    to: 'Atomics.notify(words, bell, 1);',
    where: 'two sleepers',
    kind: 'stuck',
  },
  'the ring sees no sleeper': {
    from: 'if (Atomics.load(words, bell + 1) !== 0)',
    to: 'if (Atomics.load(words, bell + 1) > 1)',
    where: 'two producers',
    kind: 'stuck',
  },
  'the sleeper does not say so': {
    from: 'Atomics.add(words, bell + 1, 1);\n',
    to: '',
    where: 'a lane and its consumer',
    kind: 'wrong',
  },
  'the ticket is taken when the sleep begins': {
    from: 'Atomics.wait(words, bell, ticket, milliseconds);',
    to: 'Atomics.wait(words, bell, Atomics.load(words, bell), milliseconds);',
    where: 'a lane and its consumer',
    kind: 'stuck',
  },
  'a cancelled sleep goes on counting': {
    from: '): void {\n  Atomics.sub(words, bell + 1, 1);\n}',
    to: '): void {}',
    where: 'a lane and its consumer',
    kind: 'wrong',
  },
  'a sleep that has ended goes on counting': {
    from: 'milliseconds);\n  Atomics.sub(words, bell + 1, 1);',
    to: 'milliseconds);',
    where: 'a lane and its consumer',
    kind: 'wrong',
  },
};

test.each(Object.keys(FAULTS))('fault: %s', async (name) => {
  const { from, to, where, kind } = FAULTS[name]!;
  const { failure } = await explore({ files: FILES, mutations: [{ file: FILE, from, to }] }, WORLDS[where]);
  expect(failure?.kind).toBe(kind);
});

test('fault: the sleeper does not look once more', async () => {
  const sleepsAtOnce: Thread = ({ words }, { prepareSleep, sleep }, { atomics }) => {
    while (atomics.load(words, WORK) === 0) sleep(words, BELL, prepareSleep(words, BELL), 50);
  };
  const { failure } = await explore({ files: FILES }, sceneOf({ producer: worksOnce, sleeper: sleepsAtOnce }));
  expect(failure?.kind).toBe('stuck');
});
