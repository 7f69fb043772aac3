/** When no more producers can be remembered, a new one is told so; those that are known, and events without a producer, go on. */

import { expect, test } from 'vitest';
import { FRAME_TOO_MANY_PRODUCERS, outcomeText } from '../../native-free-core/base/outcomes.ts';
import { startEpochs } from '../../native-free-core/decide/epoch.ts';
import { ANSWER_OK, ANSWER_REJECTED } from '../../native-free-core/decide/frame-answers.ts';
import { drainLanes } from '../../native-free-core/decide/run.ts';
import { DICTIONARY_FULL, internEntry } from '../../native-free-core/state/dictionary.ts';
import { loadPipeline } from '../../src/config/index.ts';
import { allocateMemory } from '../../src/memory/regions.ts';
import { deciderOn, NOW, PIPELINE, writeEvents, writeOpen } from './decider-world.ts';

test('a new producer is refused by name of the reason', async () => {
  const plan = await loadPipeline(PIPELINE);
  const memory = allocateMemory(plan, 1, 1);
  startEpochs(new Int32Array(memory.control), 1, 0);
  const decider = deciderOn(plan, memory, 0);
  const { dictionary } = decider.input.tables;
  const intern = (name: string): number => internEntry(dictionary, new TextEncoder().encode(name), 0, name.length);
  intern('known');
  for (let i = 0; intern(`producer-${i}`) !== DICTIONARY_FULL; i++) expect(i).toBeLessThan(2_000_000);
  for (const [producer, seq] of [
    ['new', 1],
    ['known', 1],
    ['', 0],
  ] as const) {
    writeOpen(decider, producer);
    writeEvents(decider, [{ id: `of-${producer}`, player: 1, at: NOW }], seq);
    drainLanes(decider);
  }
  const { kinds, frameOutcome, count } = decider.answers;
  expect([...kinds.subarray(0, count)]).toEqual([ANSWER_REJECTED, ANSWER_OK, ANSWER_OK]);
  expect(frameOutcome[0]).toBe(FRAME_TOO_MANY_PRODUCERS);
  expect(outcomeText(frameOutcome[0]!).code).toBe('too_many_producers');
  expect(decider.rows).toBe(2);
});
