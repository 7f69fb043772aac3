/** When the memory of the embedded ClickHouse is looked at next; that it stays within its bound is memory.test.ts. */

import { expect, test } from 'vitest';
import { msUntilLook } from '../../src/clickhouse-embedded/memory-watch.ts';

const MARK = 3 * 2 ** 30;
/** What the engine takes at the most, bytes a second. */
const GROWTH = 2e9;

test('a look comes before memory can have grown to the mark, seldom while that is far, often once it is near', () => {
  for (let bytes = 0; bytes < 2 * MARK; bytes += 10_000_000) {
    const ms = msUntilLook(bytes, MARK);
    if (ms > 50) expect(bytes + (GROWTH * ms) / 1000).toBeLessThanOrEqual(MARK);
    expect(ms).toBeGreaterThanOrEqual(50);
  }
  expect(msUntilLook(500_000_000, MARK)).toBe(1000);
  expect(msUntilLook(MARK - 200_000_000, MARK)).toBe(100);
  expect(msUntilLook(MARK, MARK)).toBe(50);
});
