/**
 * A worker that is still warming up while another already works: whichever of their blocks comes first in the epoch must
 * bring the dictionary entries that both rest on, or the next start cannot read the log.
 */

import { expect, test } from 'vitest';
import { LANE_EMPTY } from '../../native-free-core/base/outcomes.ts';
import { moveState, decideRows } from '../../native-free-core/decide/decide-block.ts';
import type { Decider } from '../../native-free-core/decide/decider.ts';
import { arrive, awaitOthers, startEpochs } from '../../native-free-core/decide/epoch.ts';
import { createReplayer, replayEpoch } from '../../native-free-core/decide/replay.ts';
import { drainLanes } from '../../native-free-core/decide/run.ts';
import { sealAndAnswer } from '../../native-free-core/decide/seal-block.ts';
import { copyBlock } from '../../native-free-core/layout/block-record.ts';
import { claim, openLane } from '../../native-free-core/ring/lane.ts';
import { dictionaryCount, entryAt, entryBytes, type Dictionary } from '../../native-free-core/state/dictionary.ts';
import { loadPipeline } from '../../src/config/index.ts';
import { allocateMemory, allocateWarmUp } from '../../src/memory/regions.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { attach, viewsOf } from '../../src/workers/warm-up/warm-up.ts';
import { deciderOn, NOW, PIPELINE, writeEvents, writeOpen } from './decider-world.ts';

/** One event at a place that nobody has named before. */
function take(decider: Decider, place: string): void {
  writeOpen(decider);
  writeEvents(decider, [{ id: place, player: 1, at: NOW, place }]);
  drainLanes(decider);
  expect(decider.block.rows).toBe(1);
}

function sealedBlock(decider: Decider): Uint8Array {
  const lane = openLane(decider.input.blockLane.buffer);
  const at = claim(lane);
  expect(at).not.toBe(LANE_EMPTY);
  return copyBlock(lane, at, lane.claimedBytes);
}

function entriesOf(dictionary: Dictionary): string[] {
  return Array.from({ length: dictionaryCount(dictionary) - 1 }, (_, i) => {
    const at = entryAt(dictionary, i + 1);
    return new TextDecoder().decode(dictionary.bytes.slice(at, at + entryBytes(dictionary, i + 1)));
  });
}

test('a worker that comes late logs what another has learnt before it', async () => {
  const plan = await loadPipeline(PIPELINE);
  const memory = allocateMemory(plan, 2, 1);
  const tables = openTables(memory);
  startEpochs(new Int32Array(memory.control), 1, 0);
  const logged = dictionaryCount(tables.dictionary);
  const late = deciderOn(plan, allocateWarmUp(plan), 0);
  const early = deciderOn(plan, memory, 1);
  take(early, 'cave');
  attach(late, viewsOf(memory, 0), openTables(memory), logged);
  take(late, 'beach');
  for (const decider of [early, late]) {
    moveState(decider);
    decideRows(decider);
    arrive(decider.input.control, decider.input.worker, 2);
  }
  for (const decider of [early, late]) {
    awaitOthers(decider.input.control, decider.block.ticket);
    sealAndAnswer(decider);
  }
  const recovered = openTables(allocateMemory(plan, 1, 1));
  replayEpoch(createReplayer(plan, recovered), [late, early].map(sealedBlock), 1);
  expect(entriesOf(recovered.dictionary)).toEqual(['cave', 'beach']);
});
