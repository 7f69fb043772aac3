/**
 * A decision worker rehearses before it takes its first event: the very loops that will decide run over made-up events, on
 * small tables and lanes of their own, until V8 has compiled them. Compiled code belongs to a loop, not to its source, so
 * rehearsing on a second decider would help nobody; this one changes stages instead (`attach`). Called by decision-worker.ts.
 */

import { LANE_EMPTY } from '../../native-free-core/base/outcomes.ts';
import type { Decider, DeciderInput } from '../../native-free-core/decide/decider.ts';
import { startEpochs } from '../../native-free-core/decide/epoch.ts';
import { drainAndFinish } from '../../native-free-core/decide/run.ts';
import type { Tables } from '../../native-free-core/decide/tables.ts';
import {
  ENCODING_PROTO,
  FRAME_HEADER_BYTES,
  OPEN_HEADER_BYTES,
  RECORD_FRAME,
  RECORD_OPEN,
} from '../../native-free-core/layout/records.ts';
import { claim, commit, openLane, release, reserve, type Lane } from '../../native-free-core/ring/lane.ts';
import type { SharedMemory } from '../memory/regions.ts';
import { rehearsalEvent } from './rehearsal-events.ts';

/** Measured: after that many blocks the first second of a server is as fast as its second. */
const BLOCKS = 1500;
const TIME_MS_MAX = 1000;
const REST_AFTER_MS = 1;
/** Blocks of one event, as with little load, and now and then a large one. */
const EVENTS_PER_BLOCK = [1, 2, 4, 8, 1, 2, 4, 64];
const SESSION = { connection: 0, generation: 1 };

/** The part of a decider's input that belongs to one set of shared memory. */
export type Stage = Pick<
  DeciderInput,
  'worker' | 'workers' | 'control' | 'frameLanes' | 'durableLanes' | 'storedLanes' | 'blockLane'
>;

export function stageOf(memory: SharedMemory, worker: number): Stage {
  return {
    worker,
    workers: memory.workers,
    control: new Int32Array(memory.control),
    frameLanes: memory.frameLanes[worker]!.map(openLane),
    durableLanes: memory.durableLanes[worker]!.map(openLane),
    storedLanes: memory.storedLanes[worker]!.map(openLane),
    blockLane: openLane(memory.blockLanes[worker]!),
  };
}

/**
 * `decider` must stand on the rehearsal's own stage and tables, never used before. `isQuiet`: others decide meanwhile, so it
 * rests as long as it works.
 */
export function rehearse(decider: Decider, isQuiet = false): void {
  const { plan, control, frameLanes, durableLanes, blockLane, now } = decider.input;
  const [frames, answers] = [openLane(frameLanes[0]!.buffer), openLane(durableLanes[0]!.buffer)];
  const blocks = openLane(blockLane.buffer);
  startEpochs(control, 1, 0);
  openSession(frames);
  const begun = now();
  const rest = new Int32Array(new SharedArrayBuffer(4));
  let restedAt = performance.now();
  let event = 0;
  for (let block = 0; block < BLOCKS && now() - begun < TIME_MS_MAX * (isQuiet ? 2 : 1); block++) {
    const count = EVENTS_PER_BLOCK[block % EVENTS_PER_BLOCK.length]!;
    const events = Array.from({ length: count }, () => frameOf(rehearsalEvent(plan, event++, begun)));
    // An event a frame, and many in one, by turns of the pattern. Each is new: what has been seen before is not decided again.
    const inOne = Math.floor(block / EVENTS_PER_BLOCK.length) % 2 === 1;
    for (const frame of inOne ? [Buffer.concat(events)] : events) writeFrame(frames, frame, begun);
    drainAndFinish(decider);
    for (const lane of [answers, blocks]) while (claim(lane) !== LANE_EMPTY) release(lane);
    const workedMs = performance.now() - restedAt;
    if (!isQuiet || workedMs < REST_AFTER_MS) continue;
    Atomics.wait(rest, 0, 0, workedMs);
    restedAt = performance.now();
  }
}

/**
 * Moves a decider to the stage and tables that count. Its loops hold the tables' handles, so the handles' contents change.
 * `dictionaryLogged`: entries that the log has, counted before any worker ran: another one may be adding some by now, and
 * each worker logs all that came since, so that whichever block comes first in an epoch brings what the others rest on.
 */
export function attach(decider: Decider, stage: Stage, tables: Tables, dictionaryLogged: number): void {
  Object.assign(decider.input, stage);
  attachHandles(decider.input.tables, tables);
  for (const sessions of decider.sessions) sessions.length = 0;
  while (decider.sessions.length < stage.frameLanes.length) decider.sessions.push([]);
  Object.assign(decider.state.counters, { noRoom: 0, overflows: 0 });
  decider.dictionaryLogged = dictionaryLogged;
}

function attachHandles(from: object, to: object): void {
  for (const [name, handle] of Object.entries(from)) {
    const other = (to as Record<string, unknown>)[name];
    if (Array.isArray(handle)) handle.forEach((each: object, i) => Object.assign(each, (other as object[])[i]));
    else if (handle !== null) Object.assign(handle as object, other);
  }
}

function openSession(lane: Lane): void {
  const at = reserve(lane, RECORD_OPEN, OPEN_HEADER_BYTES);
  lane.bytes.fill(0, at, at + OPEN_HEADER_BYTES);
  lane.view.setUint32(at, SESSION.connection, true);
  lane.view.setUint32(at + 4, SESSION.generation, true);
  lane.bytes[at + 8] = ENCODING_PROTO;
  commit(lane);
}

/** `Frame { events = 2 }` with one event. */
function frameOf(event: Buffer): Buffer {
  const size = event.length < 128 ? [event.length] : [(event.length % 128) | 128, event.length >> 7];
  return Buffer.concat([Buffer.from([0x12, ...size]), event]);
}

function writeFrame(lane: Lane, frame: Buffer, admittedAt: number): void {
  const at = reserve(lane, RECORD_FRAME, FRAME_HEADER_BYTES + frame.length);
  // A plan whose events are larger than the lane has nothing to rehearse with.
  if (at < 0) return;
  lane.bytes.fill(0, at, at + FRAME_HEADER_BYTES);
  lane.view.setUint32(at, SESSION.connection, true);
  lane.view.setUint32(at + 4, SESSION.generation, true);
  lane.view.setFloat64(at + 16, admittedAt, true);
  lane.bytes.set(frame, at + FRAME_HEADER_BYTES);
  commit(lane);
}
