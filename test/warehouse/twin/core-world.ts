/**
 * The real core by hand, frames in, Native blocks out, as the insert would send them: for tests of the SQL twin that need
 * rows which kernels made, but no server.
 */

import { eachDictionaryEntry } from '../../../native-free-core/columns/load.ts';
import { createNativeEncoder } from '../../../native-free-core/columns/native.ts';
import { createDecider } from '../../../native-free-core/decide/decider.ts';
import { startEpochs } from '../../../native-free-core/decide/epoch.ts';
import { drainAndFinish } from '../../../native-free-core/decide/run.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import {
  ACK_DURABLE,
  BLOCK_RECORD_HEADER_BYTES,
  ENCODING_NDJSON,
  FRAME_HEADER_BYTES,
  OPEN_HEADER_BYTES,
  RECORD_FRAME,
  RECORD_OPEN,
} from '../../../native-free-core/layout/records.ts';
import { LANE_EMPTY } from '../../../native-free-core/base/outcomes.ts';
import { claim, commit, openLane, release, reserve, type Lane } from '../../../native-free-core/ring/lane.ts';
import { allocateMemory } from '../../../src/memory/regions.ts';
import { createStatement } from '../../../src/warehouse/tables/create-tables.ts';
import { eventsTable } from '../../../src/warehouse/tables/index.ts';
import { openTables } from '../../../src/workers/open-tables.ts';
import { bytesOf, type TestWarehouse } from '../../columns/warehouse.ts';

export interface Frame {
  /** The server's clock, ms UTC. */
  readonly now: number;
  readonly events: readonly object[];
}

const CONNECTION = 0;
const GENERATION = 1;

/** Native blocks of all rows that the core made of the frames. One epoch a frame. */
export function blocksOf(plan: Plan, frames: readonly Frame[]): Uint8Array[] {
  const memory = allocateMemory(plan, 1, 1);
  const control = new Int32Array(memory.control);
  startEpochs(control, 1, 0);
  const frameLane = openLane(memory.frameLanes[0]![0]!);
  const durableLane = openLane(memory.durableLanes[0]![0]!);
  const blockLane = openLane(memory.blockLanes[0]!);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let clock = 0;
  const decider = createDecider({
    plan,
    worker: 0,
    workers: 1,
    control,
    frameLanes: [openLane(memory.frameLanes[0]![0]!)],
    durableLanes: [openLane(memory.durableLanes[0]![0]!)],
    storedLanes: [openLane(memory.storedLanes[0]![0]!)],
    blockLane: openLane(memory.blockLanes[0]!),
    tables: openTables(memory),
    now: () => clock,
    // received_at is the wall clock's alone here, and stays where that goes back.
    monotonic: () => 0,
    epochIntervalMs: 0,
    textOf: (bytes, from, to) => decoder.decode(bytes.slice(from, to)),
    utf8: (text) => encoder.encode(text),
  });
  const texts = new Map<number, Uint8Array>([[0, new Uint8Array()]]);
  const blocks: Uint8Array[] = [];
  const native = createNativeEncoder(
    plan,
    { utf8: (text) => encoder.encode(text), dictionary: (id) => texts.get(id)! },
    {
      sink: (block) => {
        blocks.push(bytesOf(block));
        block.release();
      },
    },
  );
  native.begin(1);
  openConnection(frameLane);
  let epoch = 0;
  for (const { now, events } of frames) {
    clock = now;
    putFrame(frameLane, encoder.encode(events.map((event) => JSON.stringify(event)).join('\n')), now);
    drainAndFinish(decider);
    for (; claim(durableLane) !== LANE_EMPTY; release(durableLane));
    for (let claimed = claim(blockLane); claimed >= 0; claimed = claim(blockLane)) {
      const at = claimed + BLOCK_RECORD_HEADER_BYTES;
      const block = blockLane.bytes.slice(at, at + blockLane.claimedBytes - BLOCK_RECORD_HEADER_BYTES);
      release(blockLane);
      eachDictionaryEntry(block, (id, bytes, start, length) => texts.set(id, bytes.slice(start, start + length)));
      native.appendBlock(block, ++epoch);
    }
  }
  native.finish();
  return blocks;
}

export function storeFrames(warehouse: TestWarehouse, plan: Plan, frames: readonly Frame[]): void {
  warehouse.run('DROP TABLE IF EXISTS events');
  warehouse.run(createStatement('default', eventsTable(plan), new Set()));
  warehouse.insert('events', blocksOf(plan, frames));
}

function openConnection(lane: Lane): void {
  const at = reserve(lane, RECORD_OPEN, OPEN_HEADER_BYTES);
  lane.bytes.fill(0, at, at + OPEN_HEADER_BYTES);
  lane.view.setUint32(at, CONNECTION, true);
  lane.view.setUint32(at + 4, GENERATION, true);
  lane.bytes[at + 8] = ENCODING_NDJSON;
  lane.bytes[at + 9] = ACK_DURABLE;
  commit(lane);
}

function putFrame(lane: Lane, body: Uint8Array, admittedAt: number): void {
  const at = reserve(lane, RECORD_FRAME, FRAME_HEADER_BYTES + body.length);
  if (at < 0) throw new Error(`the frame does not fit the lane: bytes=${body.length}`);
  lane.bytes.fill(0, at, at + FRAME_HEADER_BYTES);
  lane.view.setUint32(at, CONNECTION, true);
  lane.view.setUint32(at + 4, GENERATION, true);
  lane.view.setFloat64(at + 16, admittedAt, true);
  lane.bytes.set(body, at + FRAME_HEADER_BYTES);
  commit(lane);
}
