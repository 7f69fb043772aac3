/** What makes features absent is told to the main thread: values beyond their bound, and entities that find no row. */

import { expect, test } from 'vitest';
import { drainLanes } from '../../native-free-core/decide/run.ts';
import { completeBlock } from '../../native-free-core/decide/complete-block.ts';
import { loadPipeline } from '../../src/config/index.ts';
import { controlWords } from '../../src/memory/control-words.ts';
import { allocateMemory } from '../../src/memory/regions.ts';
import { deciderOn, NOW, PIPELINE, writeEvents, writeOpen } from './decider-world.ts';
import { positionOf } from '../../src/contract/event-log.ts';

test('overflows of a block are told, once for each entity', async () => {
  const plan = await loadPipeline(PIPELINE);
  const memory = allocateMemory(plan, 1, 1);
  const control = controlWords(memory);
  control.begin(positionOf(0), 0);
  const decider = deciderOn(plan, memory, 0);
  writeOpen(decider);
  const event = (id: string, amount: number): object => {
    return { id, at: String(NOW), player: '7', hunt: 1, amount };
  };
  writeEvents(decider, [event('a', 1), event('b', 1e15)]);
  drainLanes(decider);
  expect(decider.block.rows).toBe(2);
  completeBlock(decider);
  expect(control.absences()).toEqual({ withoutRoom: 0, overflows: 2 });
});
