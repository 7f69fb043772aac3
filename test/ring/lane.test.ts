import { expect, test } from 'vitest';
import { LANE_EMPTY, LANE_FULL } from '../../native-free-core/base/outcomes.ts';
import {
  claim,
  commit,
  createLane,
  laneRecordBytesMax,
  laneUsedBytes,
  openLane,
  release,
  releaseTo,
  reserve,
  shrink,
  step,
} from '../../native-free-core/ring/lane.ts';
import { seeded } from '../random.ts';

test('records come out as they went in, in order, whatever the wrap-arounds: seed 11', () => {
  const buffer = createLane(4096);
  const producer = openLane(buffer);
  const consumer = openLane(buffer);
  const next = seeded(11);
  const sent: number[] = [];
  let received = 0;
  for (let i = 0; i < 20_000; i++) {
    const bytes = Math.floor(next() * laneRecordBytesMax(4096));
    const at = reserve(producer, i & 7, bytes);
    if (at !== LANE_FULL) {
      for (let b = 0; b < bytes; b++) producer.bytes[at + b] = (i + b) & 255;
      const kept = next() < 0.2 ? bytes >> 1 : bytes;
      if (kept !== bytes) shrink(producer, at, kept);
      commit(producer);
      sent.push(i, kept);
    }
    while (next() < 0.5) {
      const from = claim(consumer);
      if (from === LANE_EMPTY) break;
      const [number, length] = [sent[2 * received]!, sent[2 * received + 1]!];
      received++;
      expect([consumer.claimedKind, consumer.claimedBytes]).toEqual([number & 7, length]);
      for (let b = 0; b < length; b++)
        if (consumer.bytes[from + b] !== ((number + b) & 255)) expect.fail(`byte ${b} of record ${number}`);
      release(consumer);
    }
  }
  expect(received).toBeGreaterThan(1000);
});

test('a full lane says so and takes more once something was released; stepped records stay until released', () => {
  const buffer = createLane(4096);
  const producer = openLane(buffer);
  const consumer = openLane(buffer);
  let count = 0;
  while (reserve(producer, 1, 100) !== LANE_FULL) {
    commit(producer);
    count++;
  }
  expect(count).toBe(Math.floor(4096 / 112));
  claim(consumer);
  step(consumer);
  claim(consumer);
  step(consumer);
  expect(reserve(producer, 1, 100)).toBe(LANE_FULL);
  releaseTo(consumer, consumer.tail);
  expect(reserve(producer, 1, 100)).toBeGreaterThan(0);
  expect(laneUsedBytes(producer)).toBe((count - 2) * 112);
});
