/**
 * A decision worker warms up before it takes its first event: the very loops that will decide run over made-up events, on
 * small tables and lanes of their own, until V8 has compiled them. Compiled code belongs to a loop, not to its source, so
 * warming up a second decider would help nobody; this one changes its memory instead (`attach`). Called by
 * decision-worker.ts.
 *
 * There are two phases with a change of memory between them: what has never changed V8 takes for constant, and it throws the
 * code away once it does. For the same reason everything is gone through that the first busy second may bring: locks that
 * are held, threads that must be woken, frames that are sent again, rows that move over. Of what a user's own events bring,
 * the frames of the worker whose place is taken tell most (frame-copier.ts).
 */

import { lookup } from '../../../native-free-core/base/lookup.ts';
import { LANE_EMPTY } from '../../../native-free-core/base/outcomes.ts';
import type { Decider, DeciderInput } from '../../../native-free-core/decide/decider.ts';
import { startEpochs } from '../../../native-free-core/decide/epoch.ts';
import { drainAndFinish } from '../../../native-free-core/decide/run.ts';
import type { Tables } from '../../../native-free-core/decide/shared-tables.ts';
import { INGRESS_BELL, SPOOL_BELL } from '../../../native-free-core/layout/control-layout.ts';
import { ENCODING_CODES } from '../../../native-free-core/layout/encoding-codes.ts';
import { createSeq, setSeq } from '../../../native-free-core/layout/seq.ts';
import { cancelSleep, prepareSleep } from '../../../native-free-core/ring/doorbell.ts';
import { putFrame, putOpen } from '../../../native-free-core/ring/frame-lane.ts';
import { claim, openLane, release, type Lane } from '../../../native-free-core/ring/lane.ts';
import { endAdoption } from '../../../native-free-core/state/adoption.ts';
import { dictionaryCount } from '../../../native-free-core/state/dictionary.ts';
import { warmUpLock } from '../../../native-free-core/state/lock.ts';
import type { SharedMemory } from '../../memory/regions.ts';
import { FrameCopier } from './frame-copier.ts';
import { madeUpEvent } from './made-up-events.ts';
import { secondTables } from './second-tables.ts';

/** Measured: after that many the first second of a server is as fast as its second. */
const BLOCKS = [500, 1000] as const;
const TIME_MS_MAX = 1000;
const REST_AFTER_MS = 1;
/** Blocks of one event, as with little load, and now and then a large one. */
const EVENTS_PER_BLOCK = [1, 2, 4, 8, 1, 2, 4, 64];
/** A frame is sent twice in every so many blocks. */
const REPEAT_EACH = 50;
/** Copied frames of a block: it should end soon, since those who decide wait for the processor meanwhile. */
const COPIED_BYTES_MAX = 1 << 16;
/** Where more names than this come while it listens, the version that decides may not know these: it listens no more. */
const NAMES_MAX = 1000;
const LOCK_CONTENTIONS = 500;
const GENERATION = 1;
const PRODUCER = new TextEncoder().encode('warm-up');
const NOBODY = new Uint8Array(0);

/** The part of a decider's input that belongs to one set of shared memory. */
export type SharedMemoryViews = Pick<
  DeciderInput,
  'worker' | 'workers' | 'control' | 'frameLanes' | 'durableLanes' | 'storedLanes' | 'blockLane'
>;

export function viewsOf(memory: SharedMemory, worker: number): SharedMemoryViews {
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

export interface WarmUpOptions {
  /** Small and never used before (allocateWarmUp). */
  readonly warmUpMemory: SharedMemory;
  /** What the worker will stand on, and its number there. */
  readonly next: SharedMemory;
  readonly worker: number;
  /** Another one decides there meanwhile: so this one rests as long as it works, and listens. */
  readonly isLive: boolean;
}

/** `decider` must stand on the views and tables of `warmUpMemory`. */
export function warmUp(decider: Decider, { warmUpMemory, next, worker, isLive }: WarmUpOptions): void {
  const { now, monotonic, control } = decider.input;
  startEpochs(control, 1, 0);
  warmUpLocks();
  const phases = new Phases(decider, isLive);
  const end = monotonic() + (isLive ? 2 * TIME_MS_MAX : TIME_MS_MAX);
  phases.run(BLOCKS[0], (monotonic() + end) / 2, null);
  const tables = secondTables(warmUpMemory, next, now());
  attach(decider, viewsOf(warmUpMemory, 0), tables, dictionaryCount(tables.dictionary));
  phases.run(BLOCKS[1], end, isLive ? next.frameLanes[worker]! : null);
  for (const table of [...tables.entities, ...(tables.limits ?? [])]) endAdoption(table);
  phases.run(1, Infinity, null);
}

/** Whoever comes upon a lock that is held: with one worker this is rare until the rows move over. */
function warmUpLocks(): void {
  const words = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < LOCK_CONTENTIONS; i++) warmUpLock(words, 0);
}

class Phases {
  readonly #decider: Decider;
  readonly #isLive: boolean;
  /** Made so far, over all phases: each is new, since what has been seen before is not decided again. */
  #events = 0;
  #frames = 0;
  #connections = 0;
  readonly #seq = createSeq();
  /** What comes out: nobody else takes it. */
  #outcomes: readonly Lane[] = [];

  constructor(decider: Decider, isLive: boolean) {
    this.#decider = decider;
    this.#isLive = isLive;
  }

  /** `until`: by the monotonic clock. `liveLanes`: frame lanes to listen at. */
  run(blocks: number, until: number, liveLanes: readonly SharedArrayBuffer[] | null): void {
    const { control, now, monotonic, frameLanes, durableLanes, storedLanes, blockLane, tables } = this.#decider.input;
    const frames = openLane(frameLanes[0]!.buffer);
    this.#outcomes = [durableLanes[0]!, storedLanes[0]!, blockLane].map(({ buffer }) => openLane(buffer));
    const connections = [
      this.#open(frames, ENCODING_CODES.protobuf, false),
      this.#open(frames, ENCODING_CODES.protobuf, true),
    ];
    const copier =
      liveLanes && new FrameCopier(liveLanes, GENERATION, (encoding, isNamed) => this.#open(frames, encoding, isNamed));
    const namesMax = dictionaryCount(tables.dictionary) + NAMES_MAX;
    // A spool thread and an ingress that sleep, so that they are rung for.
    for (const bell of [SPOOL_BELL, INGRESS_BELL]) prepareSleep(control, bell);
    const rest = new Int32Array(new SharedArrayBuffer(4));
    const begun = now();
    let restedAt = performance.now();
    for (let block = 0; block < blocks && monotonic() < until; block++) {
      this.#writeBlock(frames, block, connections, begun);
      this.#decide();
      if (copier !== null && dictionaryCount(tables.dictionary) < namesMax) {
        copier.copyTo(frames, COPIED_BYTES_MAX);
        this.#decide();
      }
      const workedMs = performance.now() - restedAt;
      if (!this.#isLive || workedMs < REST_AFTER_MS) continue;
      Atomics.wait(rest, 0, 0, workedMs);
      restedAt = performance.now();
    }
    for (const bell of [SPOOL_BELL, INGRESS_BELL]) cancelSleep(control, bell);
  }

  #decide(): void {
    drainAndFinish(this.#decider);
    for (const lane of this.#outcomes) while (claim(lane) !== LANE_EMPTY) release(lane);
  }

  /** An event a frame, and many in one, by turns of the pattern; now without a producer, now with one. */
  #writeBlock(frames: Lane, block: number, connections: readonly number[], now: number): void {
    const { plan } = this.#decider.input;
    const turn = Math.floor(block / EVENTS_PER_BLOCK.length);
    const connection = connections[turn % connections.length]!;
    const events = Array.from({ length: EVENTS_PER_BLOCK[block % EVENTS_PER_BLOCK.length]! }, () =>
      frameOf(madeUpEvent(plan, this.#events++, now)),
    );
    for (const frame of (turn & 2) === 0 ? events : [Buffer.concat(events)])
      this.#putFrame(frames, connection, ++this.#frames, frame, now);
    if (block % REPEAT_EACH === 0) this.#putFrame(frames, connection, this.#frames, events[0]!, now);
  }

  /** A plan whose events are larger than the lane has nothing to warmUp with. */
  #putFrame(frames: Lane, slot: number, seq: number, frame: Buffer, admittedAt: number): void {
    setSeq(this.#seq, seq);
    putFrame(frames, { slot, generation: GENERATION }, this.#seq, admittedAt, frame);
  }

  #open(frames: Lane, encoding: number, isNamed: boolean): number {
    const connection = this.#connections++;
    // Leaves room. The tables of names are the warm-up's own.
    this.#decide();
    putOpen(frames, {
      slot: connection,
      generation: GENERATION,
      encoding,
      answerEncoding: encoding,
      stored: false,
      hello: false,
      dedup: false,
      producerName: isNamed ? PRODUCER : NOBODY,
    });
    this.#decide();
    return connection;
  }
}

/**
 * Moves a decider to the memory and tables that count. Its loops hold the tables' handles, so the handles' contents change.
 * `dictionaryLogged`: entries that the log has, counted before any worker ran: another one may be adding some by now, and
 * each worker logs all that came since, so that whichever block comes first in an epoch brings what the others rest on.
 */
export function attach(decider: Decider, views: SharedMemoryViews, tables: Tables, dictionaryLogged: number): void {
  Object.assign(decider.input, views);
  attachHandles(decider.input.tables, tables);
  for (const sessions of decider.connections.sessions) sessions.length = 0;
  while (decider.connections.sessions.length < views.frameLanes.length) decider.connections.sessions.push([]);
  decider.connections.hellos.length = 0;
  Object.assign(decider.loops.state.counters, { noRoom: 0, overflows: 0 });
  decider.loops.decoder.unknownFields = 0;
  decider.releasingMemory = false;
  decider.dictionaryLogged = dictionaryLogged;
}

function attachHandles(from: object, to: object): void {
  for (const [name, handle] of Object.entries(from)) {
    const other = lookup(to as Record<string, unknown>, name);
    if (Array.isArray(handle)) handle.forEach((each: object, i) => Object.assign(each, (other as object[])[i]));
    else if (handle !== null) Object.assign(handle as object, other);
  }
}

/** `Frame { events = 2 }` with one event. */
function frameOf(event: Buffer): Buffer {
  const size = event.length < 128 ? [event.length] : [(event.length % 128) | 128, event.length >> 7];
  return Buffer.concat([Buffer.from([0x12, ...size]), event]);
}
