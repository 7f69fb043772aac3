import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LANE_EMPTY } from '../../native-free-core/base/outcomes.ts';
import { eachDeadLetter, loadBlock } from '../../native-free-core/columns/load.ts';
import { createDecider, type Decider } from '../../native-free-core/decide/decider.ts';
import { startEpochs } from '../../native-free-core/decide/epoch.ts';
import { drainAndFinish } from '../../native-free-core/decide/run.ts';
import { createColumn } from '../../native-free-core/layout/column.ts';
import type { Plan } from '../../native-free-core/layout/plan.ts';
import {
  BLOCK_RECORD_HEADER_BYTES,
  FRAME_HEADER_BYTES,
  OPEN_HEADER_BYTES,
  RECORD_FRAME,
  RECORD_OPEN,
} from '../../native-free-core/layout/records.ts';
import { claim, commit, openLane, release, reserve, type Lane } from '../../native-free-core/ring/lane.ts';
import { dictionaryCount } from '../../native-free-core/state/dictionary.ts';
import { entityCount } from '../../native-free-core/state/entity-table.ts';
import { loadPipelineFile } from '../../src/config/index.ts';
import { allocateMemory, allocateRehearsal, type SharedMemory } from '../../src/memory/regions.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { rehearsalEvent } from '../../src/workers/rehearsal-events.ts';
import { attach, rehearse, stageOf } from '../../src/workers/rehearsal.ts';

const PIPELINE = fileURLToPath(new URL('../../src/pipelines/treasure-hunt.yaml', import.meta.url));
const NOW = 1_700_000_000_000;

function deciderOn(plan: Plan, memory: SharedMemory): Decider {
  return createDecider({
    ...stageOf(memory, 0),
    plan,
    tables: openTables(memory),
    now: () => NOW,
    epochIntervalMs: 0,
    textOf: (bytes, from, to) => new TextDecoder().decode(bytes.slice(from, to)),
    utf8: (text) => new TextEncoder().encode(text),
  });
}

function put(lane: Lane, kind: number, headerBytes: number, body: Uint8Array, generation: number): void {
  const at = reserve(lane, kind, headerBytes + body.length);
  lane.bytes.fill(0, at, at + headerBytes);
  lane.view.setUint32(at + 4, generation, true);
  lane.bytes.set(body, at + headerBytes);
  commit(lane);
}

/** One frame per event through the lanes of `memory`; what the sealed blocks hold. */
function take(
  decider: Decider,
  memory: SharedMemory,
  plan: Plan,
  events: number,
): { rows: number; dead: number; seqs: number[] } {
  const lane = openLane(memory.frameLanes[0]![0]!);
  put(lane, RECORD_OPEN, OPEN_HEADER_BYTES, new Uint8Array(0), 7);
  for (let i = 0; i < events; i++) {
    const event = rehearsalEvent(plan, i, NOW);
    put(lane, RECORD_FRAME, FRAME_HEADER_BYTES, Buffer.concat([Buffer.from([0x12, event.length]), event]), 7);
  }
  drainAndFinish(decider);
  const blocks = openLane(memory.blockLanes[0]!);
  const columns = plan.columns.map((column) => createColumn(column));
  let [rows, dead] = [0, 0];
  const seqs: number[] = [];
  for (let at = claim(blocks); at !== LANE_EMPTY; release(blocks), at = claim(blocks)) {
    const block = blocks.bytes.slice(at + BLOCK_RECORD_HEADER_BYTES, at + blocks.claimedBytes);
    const count = loadBlock(plan, columns, block).rows;
    for (let r = 0; r < count; r++) seqs.push(columns[plan.entities[0]!.seqColumn]!.u32[2 * r]!);
    rows += count;
    eachDeadLetter(block, () => dead++);
  }
  return { rows, dead, seqs };
}

test('made-up events are good events of the pipeline', async () => {
  const { plan } = await loadPipelineFile(PIPELINE);
  const memory = allocateRehearsal(plan);
  const decider = deciderOn(plan, memory);
  startEpochs(new Int32Array(memory.control), 1, 0);
  expect(take(decider, memory, plan, 100)).toMatchObject({ rows: 100, dead: 0 });
});

test('nothing of a rehearsal is left once the worker stands before its public', async () => {
  const { plan } = await loadPipelineFile(PIPELINE);
  const small = { ...plan, entities: plan.entities.map((entity) => ({ ...entity, max: 5000 })) };
  const memory = allocateMemory(small, 1, 1);
  const tables = openTables(memory);
  startEpochs(new Int32Array(memory.control), 50, 0);
  const decider = deciderOn(small, allocateRehearsal(small));
  rehearse(decider);
  expect(decider.ticket.epoch).toBeGreaterThan(1000);
  const learnt = dictionaryCount(tables.dictionary);
  expect(tables.entities.map(entityCount)).toEqual([0, 0]);
  attach(decider, stageOf(memory, 0), openTables(memory), learnt);
  const { rows, dead, seqs } = take(decider, memory, small, 64);
  expect({ rows, dead }).toEqual({ rows: 64, dead: 0 });
  // Every player's first event, although the rehearsal used the same keys.
  expect(seqs).toEqual(Array.from({ length: 64 }, () => 1));
  expect(decider.ticket.epoch).toBe(50);
  expect(tables.entities.map(entityCount)).toEqual([64, 64]);
  expect(dictionaryCount(tables.dictionary)).toBe(learnt);
});
