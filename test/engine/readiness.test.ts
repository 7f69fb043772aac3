/** How often ClickHouse is asked whether it answers: seldom while it does, each second while it does not. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { positionOf } from '../../src/contract/event-log.ts';
import { watchReadiness } from '../../src/engine/watch-readiness.ts';

const SECONDS = 20;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('ClickHouse is asked every five seconds while it answers, each second while it does not', async () => {
  let asked = 0;
  let answers = true;
  const watch = watchReadiness({
    durableEpoch: () => positionOf(1),
    touchedEpoch: () => positionOf(1),
    spool: () => null,
    spoolBytesMax: 1,
    logHeldBy: () => ({ why: '' }),
    storing: () => null,
    stalledMs: () => 0,
    async probe() {
      asked++;
      if (!answers) throw new Error('no room');
    },
    announce: () => undefined,
    log: () => undefined,
  });
  await watch.begin();
  expect([asked, watch.now.ready]).toEqual([1, true]);
  await vi.advanceTimersByTimeAsync(SECONDS * 1000);
  expect(asked).toBe(1 + SECONDS / 5);

  answers = false;
  asked = 0;
  await vi.advanceTimersByTimeAsync(SECONDS * 1000);
  expect(watch.now.failing).toEqual([{ part: 'queries', reason: 'ClickHouse does not answer a SELECT: no room' }]);
  expect(asked).toBeGreaterThanOrEqual(SECONDS - 5);

  answers = true;
  await vi.advanceTimersByTimeAsync(2000);
  expect(watch.now.ready).toBe(true);
  watch.stop();
});
