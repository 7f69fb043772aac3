/** The stepper itself: it counts what can be counted by hand, and finds each kind of failure where one is known to be. */

import { expect, test } from 'vitest';
import type * as bellModule from '../../native-free-core/ring/doorbell.ts';
import type * as lockModule from '../../native-free-core/state/lock.ts';
import { explore, type Scene, type SceneTools } from './stepper.ts';

type Protocol = typeof bellModule & typeof lockModule;

const FILES = ['native-free-core/ring/doorbell.ts', 'native-free-core/state/lock.ts'];
const [X, Y, LOCK, BELL] = [0, 1, 2, 4];

function outcomeOf(threads: Scene<Protocol, Int32Array>['threads'], end?: (words: Int32Array) => void, timeouts = 0) {
  const prepare: Scene<Protocol, Int32Array>['prepare'] = (_, shared) => shared(8);
  return explore<Protocol, Int32Array>({ files: FILES }, { prepare, threads, end: (words) => end?.(words), timeouts });
}

test('independent steps: as many orders as there are ways to shuffle them', async () => {
  const writes = (at: number, count: number) => (words: Int32Array) => {
    for (let i = 0; i < count; i++) words[at] = i;
  };
  expect(await outcomeOf({ a: writes(X, 5), b: writes(Y, 7) })).toMatchObject({ interleavings: 792n, failure: null });
  const three = await outcomeOf({ a: writes(X, 2), b: writes(Y, 3), c: writes(LOCK, 4) });
  expect(three).toMatchObject({ interleavings: 1260n, failure: null });
});

test('a counter without a lock is a race; under a lock every order counts right', async () => {
  const counts = (words: Int32Array) => void words[X]++;
  const raced = await outcomeOf({ a: counts, b: counts });
  expect(raced.failure).toMatchObject({ kind: 'race' });
  expect(raced.failure?.message).toContain(': read a[0]');
  const locked = (words: Int32Array, { acquireLock, releaseLock }: Protocol) => {
    acquireLock(words, LOCK);
    words[X]++;
    releaseLock(words, LOCK);
  };
  const ends = new Set<number>();
  const { failure, states } = await outcomeOf({ a: locked, b: locked }, (words) => void ends.add(words[X]));
  expect([failure, [...ends]]).toEqual([null, [2]]);
  expect(states).toBeGreaterThan(100);
});

test('a wait without a notify is stuck, unless it may time out; a wrong end is found', async () => {
  const sleeps = (words: Int32Array, { sleep }: Protocol) => sleep(words, BELL, 0, 50);
  expect((await outcomeOf({ a: sleeps })).failure).toMatchObject({ kind: 'stuck' });
  const rings = (words: Int32Array, { ring }: Protocol) => ring(words, BELL);
  // It looks whether anybody sleeps before the other has said so.
  expect((await outcomeOf({ a: sleeps, b: rings })).failure).toMatchObject({ kind: 'stuck' });
  expect((await outcomeOf({ a: sleeps, b: rings }, undefined, 1)).failure).toMatchObject({ kind: 'stuck' });
  const sleepsWell = (words: Int32Array, { prepareSleep, sleep }: Protocol) => {
    if (prepareSleep(words, BELL) === 0) sleep(words, BELL, 0, 50);
  };
  expect((await outcomeOf({ a: sleepsWell, b: rings })).failure).toBeNull();
  const wrong = await outcomeOf({ a: rings }, (words) => {
    if (words[BELL] === 1) throw new Error('rung once');
  });
  expect(wrong.failure).toMatchObject({ kind: 'wrong', message: expect.stringContaining('rung once') });
});

test('a pause ends when another thread has written something', async () => {
  const awaits = (words: Int32Array, _: Protocol, { pause, atomics }: SceneTools) => {
    while (atomics.load(words, X) === 0) pause();
  };
  const stores = (words: Int32Array, _: Protocol, { atomics }: SceneTools) => void atomics.store(words, X, 1);
  expect((await outcomeOf({ a: awaits })).failure).toMatchObject({ kind: 'stuck' });
  expect((await outcomeOf({ a: awaits, b: stores })).failure).toBeNull();
});

test('a fault must stand where it is planted', async () => {
  const mutations = [{ file: FILES[0]!, from: 'Atomics.', to: '' }];
  const scene: Scene<Protocol, null> = { prepare: () => null, threads: { a: () => null } };
  await expect(explore({ files: FILES, mutations }, scene)).rejects.toThrow(/must be there once/);
});
