/** The log is trimmed below the slowest of its consumers, and the figures say who that is. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { positionOf, written, type LogConsumer, type Position } from '../../src/contract/event-log.ts';
import { keepTrimmed } from '../../src/engine/trimming.ts';

const LOOK_MS = 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function createWorld(names: readonly string[]) {
  const needs = new Map(names.map((name) => [name, 0]));
  const asked = new Map(names.map((name) => [name, 0]));
  const trimmed: Position[] = [];
  const consumers = names.map((name): LogConsumer => ({
    name,
    neededFrom() {
      asked.set(name, asked.get(name)! + 1);
      return Promise.resolve(positionOf(needs.get(name)!));
    },
    waitsFor: (from) => `${name} waits for ${written(from)}`,
  }));
  const trimming = keepTrimmed({
    eventLog: { figures: () => ({ liveBytes: 0, bytes: 0, full: false }), trim: (below) => void trimmed.push(below) },
    snapshots: { figures: {}, take: async () => undefined, stop: async () => undefined },
    replayedBytes: 0,
    consumers,
    spoolBytesMax: 1 << 30,
    log: () => undefined,
  });
  const look = async (wanted: Readonly<Record<string, number>>): Promise<void> => {
    for (const [name, from] of Object.entries(wanted)) needs.set(name, from);
    await vi.advanceTimersByTimeAsync(LOOK_MS);
  };
  return { trimming, trimmed, look, asked };
}

test('below the slowest of three, never twice, never back', async () => {
  const { trimming, trimmed, look, asked } = createWorld(['snapshots', 'ClickHouse', 'lake']);
  await look({});
  expect(trimmed).toEqual([]);
  expect(trimming.heldBy()).toEqual({ consumer: 'snapshots', from: 0, why: 'snapshots waits for 0' });
  expect(asked.get('lake'), 'nobody is asked for nothing').toBe(0);
  await look({ snapshots: 50, ClickHouse: 40, lake: 30 });
  expect(trimmed).toEqual([30]);
  expect(trimming.heldBy()).toEqual({ consumer: 'lake', from: 30, why: 'lake waits for 30' });
  await look({ ClickHouse: 60 });
  expect(trimmed).toEqual([30]);
  await look({ lake: 70 });
  expect(trimmed).toEqual([30, 50]);
  expect(trimming.heldBy().consumer).toBe('snapshots');
  await look({ snapshots: 90 });
  expect(trimming.heldBy()).toEqual({ consumer: 'ClickHouse', from: 60, why: 'ClickHouse waits for 60' });
  await look({ ClickHouse: 20 });
  expect(trimmed, 'what is gone is not given back').toEqual([30, 50, 60]);
  await trimming.stop();
});

test('nothing is trimmed while it is held', async () => {
  const { trimming, trimmed, look } = createWorld(['snapshots']);
  const release = await trimming.hold();
  await look({ snapshots: 10 });
  expect(trimmed).toEqual([]);
  release();
  await look({});
  expect(trimmed).toEqual([10]);
  await trimming.stop();
});
