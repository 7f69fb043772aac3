/**
 * A decision worker alone on the calling thread: frames of the example game in a lane to sealed blocks and answers, players
 * by Zipf's law. No sockets, no disk, no ClickHouse. For worker.bench.ts, features.bench.ts and load/insert-rig.ts.
 */

import { gameEvents } from '../../src/examples/treasure-hunt/load-events.ts';
import { createFrameMaker, type FrameMaker } from '../../src/cli/load/frames/frame-maker.ts';
import { eventFields } from '../../src/cli/load/frames/key-fields.ts';
import { streamIdentity } from '../../src/cli/load/frames/slot.ts';
import { allocateMemory, type SharedMemory } from '../../src/memory/regions.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { createDecider, type Decider } from '../../native-free-core/decide/decider.ts';
import { drainAndFinish } from '../../native-free-core/decide/run.ts';
import { ENCODING_CODES } from '../../native-free-core/layout/encoding-codes.ts';
import { FRAME_BODY_AT, writeFrameRecord } from '../../native-free-core/layout/frame-record.ts';
import { RECORD_FRAME } from '../../native-free-core/layout/record-kinds.ts';
import { createSeq } from '../../native-free-core/layout/seq.ts';
import { putOpen } from '../../native-free-core/ring/frame-lane.ts';
import { claim, commit, openLane, release, reserve } from '../../native-free-core/ring/lane.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';

const EVENTS_PER_FRAME = 500;
const FRAMES_PER_ROUND = 16;
const CONNECTION = { slot: 0, generation: 1 };
const STREAM = streamIdentity('bnch');

export interface WorkerFigures {
  readonly eventsPerSecond: number;
  readonly sealedBytesPerEvent: number;
  readonly checksum: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** `workers`: how many share the memory; one of them runs, and takes the locks that they would. */
export function measureWorker(plan: Plan, players: number, rounds: number, workers = 1): WorkerFigures {
  const { round } = benchWorker(plan, players, workers);
  let sealedBytes = 0;
  const count = (block: Uint8Array): void => void (sealedBytes += block.length);
  for (let i = 0; i < rounds / 4; i++) round(count);
  sealedBytes = 0;
  let spent = 0;
  for (let i = 0; i < rounds; i++) spent += round(count);
  const events = rounds * FRAMES_PER_ROUND * EVENTS_PER_FRAME;
  const parameters = {
    events,
    eventsPerFrame: EVENTS_PER_FRAME,
    players,
    workers,
    features: plan.entities.map((e) => `${e.name}:${e.features.length}`).join(' '),
  };
  const checksum = String(sealedBytes);
  return { eventsPerSecond: (events / spent) * 1000, sealedBytesPerEvent: sealedBytes / events, checksum, parameters };
}

export interface BenchWorker {
  /** 16 frames of 500 events; each record of the block lane is handed out for the time of the call. Returns milliseconds. */
  round(take: (record: Uint8Array) => void): number;
}

export function benchWorker(plan: Plan, players: number, workers = 1): BenchWorker {
  const memory = allocateMemory(plan, workers, 1);
  const decider = benchDecider(plan, memory);
  const frames = openLane(memory.frameLanes[0]![0]!);
  const answers = openLane(memory.durableLanes[0]![0]!);
  const blocks = openLane(memory.blockLanes[0]!);
  const fields = eventFields(plan, { player: players, hunt: 5000 });
  const maker = createFrameMaker(plan, fields, gameEvents(plan, undefined), {
    eventsPerFrame: EVENTS_PER_FRAME,
    connections: 1,
    zipfExponent: 1,
    seed: 1,
    webSocket: false,
  });
  openSession(frames);
  let seq = 0;
  return {
    round(take) {
      for (let i = 0; i < FRAMES_PER_ROUND; i++) putFrame(frames, maker, ++seq);
      const begun = performance.now();
      drainAndFinish(decider);
      const spent = performance.now() - begun;
      for (let at = claim(blocks); at >= 0; at = claim(blocks)) {
        take(new Uint8Array(blocks.buffer, at, blocks.claimedBytes));
        release(blocks);
      }
      for (let at = claim(answers); at >= 0; at = claim(answers)) release(answers);
      return spent;
    },
  };
}

/** A worker's decider over `memory`, driven by hand. */
export function benchDecider(plan: Plan, memory: SharedMemory): Decider {
  return createDecider({
    plan,
    worker: 0,
    workers: memory.workers,
    control: new Int32Array(memory.control),
    frameLanes: memory.frameLanes[0]!.map(openLane),
    durableLanes: memory.durableLanes[0]!.map(openLane),
    storedLanes: memory.storedLanes[0]!.map(openLane),
    blockLane: openLane(memory.blockLanes[0]!),
    tables: openTables(memory),
    now: Date.now,
    monotonic: () => performance.now(),
    epochIntervalMs: 1,
    textOf: () => '',
    utf8: (text) => new TextEncoder().encode(text),
  });
}

function openSession(lane: ReturnType<typeof openLane>): void {
  putOpen(lane, {
    ...CONNECTION,
    encoding: ENCODING_CODES.protobuf,
    answerEncoding: ENCODING_CODES.protobuf,
    stored: false,
    hello: false,
    dedup: false,
    producerName: new TextEncoder().encode('bench'),
  });
}

function putFrame(lane: ReturnType<typeof openLane>, maker: FrameMaker, seq: number): void {
  const bytes = maker.bytes(seq);
  const at = reserve(lane, RECORD_FRAME, FRAME_BODY_AT + bytes);
  writeFrameRecord(lane.view, at, CONNECTION, createSeq(seq), Date.now());
  maker.write(Buffer.from(lane.buffer, at + FRAME_BODY_AT, bytes), 0, seq, STREAM, Date.now());
  commit(lane);
}
