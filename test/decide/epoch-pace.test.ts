/** When a worker's blocks take longer than the interval that it was given, and when they cease to. */

import { expect, test } from 'vitest';
import { adapt, createPace, type EpochPace } from '../../native-free-core/decide/epoch-pace.ts';

const BASE_MS = 1;

/** Blocks of one event a frame; `staleMs`: for how long nothing had come when each ended. */
function take(pace: EpochPace, blocks: number, framesPerMs: number, staleMs = 0): EpochPace {
  for (let i = 0; i < blocks; i++) adapt(pace, BASE_MS, framesPerMs, framesPerMs * pace.intervalMs, staleMs);
  return pace;
}

test('the interval grows where small frames come one after another, and falls with them', () => {
  const pace = createPace(BASE_MS);
  expect(take(pace, 7, 10).intervalMs).toBe(BASE_MS);
  expect(take(pace, 1, 10).intervalMs).toBe(3);
  expect(take(pace, 100, 10).intervalMs).toBe(3);
  expect(take(pace, 1, 2).intervalMs).toBe(BASE_MS);
});

test('it grows as far as a block needs to be large', () => {
  expect(take(createPace(BASE_MS), 20, 20).intervalMs).toBe(3);
  expect(take(createPace(BASE_MS), 20, 50).intervalMs).toBe(2);
  expect(take(createPace(BASE_MS), 20, 400).intervalMs).toBe(BASE_MS);
});

test('few frames, and frames of many events, leave it as it is', () => {
  expect(take(createPace(BASE_MS), 100, 2).intervalMs).toBe(BASE_MS);
  const pace = createPace(BASE_MS);
  for (let i = 0; i < 100; i++) adapt(pace, BASE_MS, 4, 2000, 0);
  expect(pace.intervalMs).toBe(BASE_MS);
});

test('where clients wait for their answers it is tried ever more seldom', () => {
  const pace = createPace(BASE_MS);
  let grown = 0;
  for (let block = 0; block < 4000; block++) {
    take(pace, 1, 10, pace.intervalMs > BASE_MS ? 2 : 0);
    if (pace.intervalMs > BASE_MS) grown++;
  }
  // After 8 blocks, 16, 32, ... 1,024, and then after 1,024 each time.
  expect(grown).toBe(9);
});

test('once it has been of use, it grows soon again', () => {
  const pace = createPace(BASE_MS);
  take(pace, 8 + 1, 10, 2);
  expect(take(pace, 15, 10).intervalMs).toBe(BASE_MS);
  expect(take(pace, 1 + 1, 10).intervalMs).toBe(3);
  take(pace, 1, 2);
  expect(take(pace, 16, 10).intervalMs).toBe(3);
});
