/** Ranges are cut by rows and age; and how late rows are says how long they have waited, not how long none came. */

import { expect, test } from 'vitest';
import { EpochFollower } from '../../../src/warehouse/insert/epoch-follower.ts';
import { createBlockWorld } from '../../columns/block-world.ts';
import { PLAN, PRODUCER } from './store-world.ts';
import { positionOf, written, type LogEntry } from '../../../src/contract/event-log.ts';

const ROWS = 10;
const AGE_MS = 500;

const world = createBlockWorld(PLAN);
world.producer(PRODUCER);
world.writeRows(Array.from({ length: ROWS }, (_, r) => ({ id: `event-${r}`, producer: PRODUCER, type: 1 })));
const block = world.seal(ROWS).slice();

/** Epochs of ten rows each; time goes by as the test says. */
function createFollower(ages = { ageMs: AGE_MS, ageMsMax: AGE_MS }) {
  const state = { durable: 0, now: 1_000_000 };
  let epoch = 1;
  const follower = new EpochFollower({
    reader: {
      seek: (wanted) => void (epoch = written(wanted)),
      next: (through): LogEntry | null =>
        epoch > written(through) ? null : { epoch: positionOf(epoch++), blocks: [block] },
      close: () => undefined,
    },
    durableEpoch: () => positionOf(state.durable),
    onEpoch: () => undefined,
    sealing: { rowsMax: 4 * ROWS, bytesMax: 1 << 30, rowsEnough: 2 * ROWS, ...ages },
    monotonic: () => state.now,
  });
  return {
    follower,
    pass: (ms: number) => void (state.now += ms),
    add(epochs: number): void {
      state.durable += epochs;
      expect(follower.follow()).toBe(true);
    },
  };
}

test('a range is taken once it is full, or old', () => {
  const { follower, pass, add } = createFollower();
  add(5);
  expect(follower.take(false)).toMatchObject({ firstEpoch: 1, lastEpoch: 4, account: { rows: 4 * ROWS } });
  expect(follower.take(false)).toBeNull();
  pass(AGE_MS - 1);
  expect(follower.take(false)).toBeNull();
  pass(1);
  expect(follower.take(false)).toMatchObject({ firstEpoch: 5, lastEpoch: 5 });
  add(1);
  expect(follower.take(true)).toMatchObject({ firstEpoch: 6, lastEpoch: 6 });
});

test('after a silence nothing is late; what waits beyond the age of a batch is', () => {
  const { follower, pass, add } = createFollower();
  add(1);
  pass(AGE_MS);
  expect(follower.take(false)).not.toBeNull();
  expect(follower.take(false)).toBeNull();
  pass(3_600_000);
  expect(follower.overdueMs()).toBe(0);
  add(1);
  expect(follower.overdueMs()).toBe(0);
  pass(AGE_MS);
  expect(follower.overdueMs()).toBe(0);
  pass(7000);
  expect(follower.overdueMs()).toBe(7000);
});

test('rows that are on their way into ClickHouse are late until they are in', () => {
  const { follower, pass, add } = createFollower();
  add(4);
  expect(follower.take(false)).not.toBeNull();
  pass(1000);
  add(4);
  pass(4000);
  expect(follower.overdueMs()).toBe(5000 - AGE_MS);
  expect(follower.take(false)).toMatchObject({ firstEpoch: 5 });
  expect(follower.overdueMs()).toBe(4000 - AGE_MS);
  expect(follower.take(false)).toBeNull();
  expect(follower.overdueMs()).toBe(0);
});

test('few rows wait longer for more, but not the first ones after a silence', () => {
  const { follower, pass, add } = createFollower({ ageMs: AGE_MS, ageMsMax: 2 * AGE_MS });
  add(1);
  expect(follower.msUntilDue()).toBe(AGE_MS);
  pass(AGE_MS - 1);
  expect(follower.take(false)).toBeNull();
  pass(1);
  expect(follower.take(false)).toMatchObject({ firstEpoch: 1 });
  add(1);
  expect(follower.msUntilDue()).toBe(2 * AGE_MS);
  pass(2 * AGE_MS - 1);
  expect(follower.take(false)).toBeNull();
  pass(1);
  expect(follower.msUntilDue()).toBe(0);
  expect(follower.take(false)).toMatchObject({ firstEpoch: 2 });
  add(2);
  expect(follower.msUntilDue()).toBe(AGE_MS);
  pass(AGE_MS);
  expect(follower.take(false)).toMatchObject({ firstEpoch: 3, lastEpoch: 4 });
  expect(follower.msUntilDue()).toBe(Number.POSITIVE_INFINITY);
});

test('what is full is due at once', () => {
  const { follower, add } = createFollower();
  add(4);
  expect(follower.msUntilDue()).toBe(0);
});
