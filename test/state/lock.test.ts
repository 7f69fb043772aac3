import { expect, test } from 'vitest';
import { acquireLock, warmUpLock, releaseLock } from '../../native-free-core/state/lock.ts';

test('a lock that was warmed up is free, and nobody waits for it', () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  warmUpLock(words, 1);
  expect([...words]).toEqual([0, 0]);
  acquireLock(words, 1);
  expect([...words]).toEqual([0, 1]);
  releaseLock(words, 1);
  expect([...words]).toEqual([0, 0]);
});
