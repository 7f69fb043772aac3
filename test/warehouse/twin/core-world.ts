/**
 * The real core by hand, frames in, Native blocks out, as the insert would send them: for tests of the SQL twin that need
 * rows which kernels made, but no server.
 */

import { eachDictionaryEntry } from '../../../native-free-core/columns/load-block.ts';
import { createNativeEncoder } from '../../../native-free-core/columns/native-encoder.ts';
import { createDecider } from '../../../native-free-core/decide/decider.ts';
import { startEpochs } from '../../../native-free-core/decide/epoch.ts';
import { drainAndFinish } from '../../../native-free-core/decide/run.ts';
import { copyBlock } from '../../../native-free-core/layout/block-record.ts';
import type { ConnectionAddress } from '../../../native-free-core/layout/connection-record.ts';
import { ENCODING_CODES } from '../../../native-free-core/layout/encoding-codes.ts';
import { createSeq } from '../../../native-free-core/layout/seq.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { LANE_EMPTY } from '../../../native-free-core/base/outcomes.ts';
import { putOpen, putFrame } from '../../../native-free-core/ring/frame-lane.ts';
import { claim, openLane, release, type Lane } from '../../../native-free-core/ring/lane.ts';
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

const CONNECTION: ConnectionAddress = { slot: 0, generation: 1 };
const NO_SEQ = createSeq();

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
  native.begin(1, 1);
  openConnection(frameLane);
  let epoch = 0;
  for (const { now, events } of frames) {
    clock = now;
    const body = encoder.encode(events.map((event) => JSON.stringify(event)).join('\n'));
    if (!putFrame(frameLane, CONNECTION, NO_SEQ, now, body))
      throw new Error(`the frame does not fit the lane: bytes=${body.length}`);
    drainAndFinish(decider);
    for (; claim(durableLane) !== LANE_EMPTY; release(durableLane));
    for (let claimed = claim(blockLane); claimed >= 0; claimed = claim(blockLane)) {
      const block = copyBlock(blockLane, claimed, blockLane.claimedBytes);
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
  putOpen(lane, {
    ...CONNECTION,
    encoding: ENCODING_CODES.ndjson,
    answerEncoding: ENCODING_CODES.json,
    stored: false,
    hello: false,
    dedup: false,
    producerName: new Uint8Array(0),
  });
}
