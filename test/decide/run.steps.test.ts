/**
 * The decision worker's own loop in every order in which its steps can follow those of another thread: it sleeps and is
 * woken for frames, for the end of an epoch that another worker closes, and for a change of versions, as the main thread
 * begins it. In each order the loop returns, every frame is decided once or waits in its lane for the next version, and no
 * epoch is left open. What a block costs is stood in for; the meeting is the real one. Sleeps end by a ring alone. The
 * faults below must all be found.
 */

import { expect, test } from 'vitest';
import type * as epochModule from '../../native-free-core/decide/epoch.ts';
import type { EpochTicket } from '../../native-free-core/decide/epoch.ts';
import type * as runModule from '../../native-free-core/decide/run.ts';
import {
  CHANGING,
  CONTROL_VERSION,
  CONTROL_WORDS,
  EPOCH_ACTIVE,
  EPOCH_ARRIVED,
  EPOCH_CLOSING,
  EPOCH_LOCK,
  EPOCH_LOW,
  WORKER_BELL,
} from '../../native-free-core/layout/control-layout.ts';
import { RECORD_FRAME } from '../../native-free-core/layout/record-kinds.ts';
import type * as regionModule from '../../native-free-core/layout/region.ts';
import { REGION_CONTROL } from '../../native-free-core/layout/region.ts';
import type * as bellModule from '../../native-free-core/ring/doorbell.ts';
import type * as dozeModule from '../../native-free-core/ring/doze.ts';
import type * as laneModule from '../../native-free-core/ring/lane.ts';
import type * as controlModule from '../../src/memory/control-words.ts';
import type { Mutation } from '../stepper/protocol.ts';
import { explore, type Part, type Scene } from '../stepper/stepper.ts';
import { positionOf, written } from '../../src/contract/event-log.ts';

type Protocol = typeof epochModule &
  typeof runModule &
  typeof regionModule &
  typeof bellModule &
  typeof dozeModule &
  typeof laneModule &
  typeof controlModule;
type Decider = Parameters<Protocol['runDecider']>[0];

const RUN = 'native-free-core/decide/run.ts';
const EPOCH = 'native-free-core/decide/epoch.ts';
const LANE = 'native-free-core/ring/lane.ts';
const BELL = 'native-free-core/ring/doorbell.ts';
const DOZE = 'native-free-core/ring/doze.ts';
const CONTROL = 'src/memory/control-words.ts';
const SOURCES = {
  files: [RUN, EPOCH, 'native-free-core/layout/region.ts', BELL, DOZE, LANE, CONTROL],
  standIns: {
    'native-free-core/decide/complete-block.ts': `
      import { arriveAtEnd } from './epoch.ts';
      export function completeBlock(d) {
        const { ticket } = d.block;
        arriveAtEnd(d.input.control, ticket, d.input.worker, d.input.workers);
        d.block.joined = false;
        d.blocks.push({ epoch: ticket.epoch, participants: ticket.participants, rows: d.block.rows });
        d.block.rows = 0;
        d.afterBlock();
      }`,
    'native-free-core/decide/seal-block.ts': 'export function answerWaiting() {}',
    'native-free-core/decide/take-frame.ts': 'export function takeFrame(d) { d.block.rows++; }',
    'native-free-core/decide/sessions.ts': 'export const sessionOf = () => ({}); export function openSession() {}',
    'native-free-core/decide/entity-reads.ts': 'export function pendingRead() {}',
  },
};
const NO_SPIN: Mutation = {
  file: 'native-free-core/state/lock.ts',
  from: 'const SPINS_MAX = 64;',
  to: 'const SPINS_MAX = 0;',
};

interface Memory {
  readonly control: ReturnType<Protocol['controlWords']>;
  readonly lane: SharedArrayBuffer;
  /** Of the other worker. */
  readonly joined: EpochTicket;
}

interface Block {
  readonly epoch: number;
  readonly participants: number;
  readonly rows: number;
}

interface World {
  /** Frames that wait in the worker's lane at first. */
  readonly waiting: number;
  /** Whether the worker ends a block of its own accord. */
  readonly due: boolean;
  /** Whether it dozes until its block may end, since small frames come one after another. */
  readonly dozes?: boolean;
  readonly workers: number;
  /** Beside the worker: the main thread, or another worker. Returns its blocks. */
  readonly other: readonly Part<Protocol, Memory>[];
  /** Frames in all that the worker is sent. */
  readonly frames: number;
  /** The change has begun once the worker has ended a block. */
  readonly changesItself?: boolean;
}

function sendFrame({ reserve, commit }: Protocol, lane: ReturnType<Protocol['openLane']>): void {
  reserve(lane, RECORD_FRAME, 16);
  commit(lane);
}

function worker(world: World): Part<Protocol, Memory> {
  return ({ control, lane }, { openLane, createTicket, runDecider }, { before, atomics }) => {
    const blocks: Block[] = [];
    const intervalMs = world.due ? 0 : Infinity;
    const decider = {
      input: {
        control: control.words,
        worker: 0,
        workers: world.workers,
        frameLanes: [before(() => openLane(lane))],
        now: () => 1000,
        monotonic: () => 1000,
        epochIntervalMs: world.dozes === true ? 0 : intervalMs,
      },
      block: {
        joined: false,
        rows: 0,
        answers: { events: 0, count: 0 },
        frameBytes: 0,
        deadLetters: { detailBytes: 0 },
        ticket: createTicket(),
      },
      connections: { hellos: [], reads: [], sessions: [] },
      lastSealedAt: 0,
      pace: { intervalMs },
      waitWords: new Int32Array(1),
      blocks,
      afterBlock: () => world.changesItself === true && atomics.store(control.words, CHANGING, 1),
    };
    runDecider(decider as unknown as Decider);
    if (decider.block.joined) throw new Error('it leaves an epoch open');
    return blocks;
  };
}

function sceneOf(world: World): Scene<Protocol, Memory> {
  return {
    coarse: true,
    prepare(protocol) {
      const region = protocol.createRegion(REGION_CONTROL, CONTROL_VERSION, CONTROL_WORDS * 4);
      const memory = { control: region, workers: world.workers, ingresses: 0 };
      const control = protocol.controlWords(memory as Parameters<Protocol['controlWords']>[0]);
      control.begin(positionOf(0), 0);
      const lane = protocol.createLane(4096);
      const producer = protocol.openLane(lane);
      for (let sent = 0; sent < world.waiting; sent++) sendFrame(protocol, producer);
      const joined = protocol.createTicket();
      if (world.workers > 1) protocol.joinEpoch(control.words, joined, 1000, 1000);
      return { control, lane, joined };
    },
    threads: { worker: worker(world), other: world.other },
    end({ control, lane: buffer }, results, protocol) {
      const [decided, others] = results as [Block[], Block[] | null];
      const lane = protocol.openLane(buffer);
      let found = decided.reduce((sum, { rows }) => sum + rows, 0);
      for (; protocol.claim(lane) >= 0; protocol.release(lane)) found++;
      if (found !== world.frames) throw new Error(`frames decided or waiting: ${found} of ${world.frames}`);
      const blocks = [...decided, ...(others ?? [])];
      for (const { epoch, participants } of blocks)
        if (blocks.filter((block) => block.epoch === epoch).length !== participants)
          throw new Error(`epoch ${epoch} has ${participants} blocks by its count`);
      const words = [EPOCH_LOCK, EPOCH_CLOSING, EPOCH_ACTIVE, EPOCH_ARRIVED, WORKER_BELL + 1];
      if (words.some((at) => control.words[at] !== 0))
        throw new Error(`left over: ${words.map((at) => control.words[at]).join()}`);
      const last = Math.max(0, ...blocks.map(({ epoch }) => epoch));
      if (written(control.touchedEpoch()) !== last)
        throw new Error(`touched ${written(control.touchedEpoch())}, the last block is of ${last}`);
    },
  };
}

const changes: Part<Protocol, Memory> = ({ control }, _protocol, _tools, left) => {
  control.beginChange();
  return left;
};

const sends: Part<Protocol, Memory> = ({ control, lane: buffer }, protocol, { before }) => {
  const lane = before(() => protocol.openLane(buffer));
  sendFrame(protocol, lane);
  protocol.ring(control.words, WORKER_BELL);
  return null;
};

/** Until the frame has been decided. */
const awaitsBlock: Part<Protocol, Memory> = ({ control }, _, { atomics, pause }) => {
  while (atomics.load(control.words, EPOCH_LOW) === 1) pause();
  return null;
};

/** Another worker, which has joined the first epoch: its block is full, so it closes the epoch. */
const closes: Part<Protocol, Memory>[] = [
  ({ lane: buffer }, { openLane, laneUsedBytes }, { before, pause }) => {
    const lane = before(() => openLane(buffer));
    while (laneUsedBytes(lane) > 0) pause();
    return null;
  },
  ({ control }, { arrive }) => {
    arrive(control.words, 1, 2);
    return null;
  },
  ({ control, joined }, { awaitOthers }) => {
    const ticket = { ...joined };
    awaitOthers(control.words, ticket);
    return [{ epoch: ticket.epoch, participants: ticket.participants, rows: 1 }];
  },
];

const WORLDS = {
  'it rests when a change begins': { waiting: 0, due: true, workers: 1, other: [changes], frames: 0 },
  'it is sent a frame, then a change begins': { waiting: 0, due: true, workers: 1, other: [sends, changes], frames: 1 },
  'it is sent a frame, and a change begins once that is decided': {
    waiting: 0,
    due: true,
    workers: 1,
    other: [sends, awaitsBlock, changes],
    frames: 1,
  },
  'it holds a block when a change begins': { waiting: 1, due: false, workers: 1, other: [changes], frames: 1 },
  'another worker closes the epoch': {
    waiting: 1,
    due: false,
    workers: 2,
    other: closes,
    frames: 1,
    changesItself: true,
  },
  'it dozes when another worker closes the epoch': {
    waiting: 1,
    due: false,
    dozes: true,
    workers: 2,
    other: closes,
    frames: 1,
    changesItself: true,
  },
} satisfies Record<string, World>;

/** Another number means that the loop takes other steps than it did, or that the stepper misses some. */
const INTERLEAVINGS: Record<keyof typeof WORLDS, bigint> = {
  'it rests when a change begins': 9_653n,
  'it is sent a frame, then a change begins': 473_253_031n,
  'it is sent a frame, and a change begins once that is decided': 28_788_353_779_778_236n,
  'it holds a block when a change begins': 189_425n,
  'another worker closes the epoch': 306_229_499_424n,
  'it dozes when another worker closes the epoch': 27_777_897_026n,
};

test.each(Object.keys(WORLDS) as (keyof typeof WORLDS)[])('%s: the loop ends and loses nothing', async (name) => {
  const sources = { ...SOURCES, mutations: [NO_SPIN] };
  const { failure, interleavings, states } = await explore(sources, sceneOf(WORLDS[name]));
  console.log(`worker loop, ${name}: ${interleavings} interleavings, ${states} states`);
  expect(failure).toBeNull();
  expect(interleavings).toBe(INTERLEAVINGS[name]);
});

interface Fault extends Mutation {
  readonly where: keyof typeof WORLDS;
  readonly kind: 'wrong' | 'race' | 'stuck';
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'it sleeps without a look for a change': {
    file: RUN,
    from: 'Atomics.load(control, STOPPING) !== 0 || Atomics.load(control, CHANGING) !== 0;',
    to: 'Atomics.load(control, STOPPING) !== 0;',
    where: 'it rests when a change begins',
    kind: 'stuck',
  },
  'it sleeps without a look for frames': {
    file: RUN,
    from: 'if (hasRecords(d) || ',
    to: 'if (',
    where: 'it is sent a frame, and a change begins once that is decided',
    kind: 'stuck',
  },
  'it sleeps without a look for the end of the epoch': {
    file: RUN,
    from: ' || (d.block.joined && isClosing(control)) || ending) {',
    to: ' || ending) {',
    where: 'another worker closes the epoch',
    kind: 'stuck',
  },
  'it leaves with a block in its hands': {
    file: RUN,
    from: 'if (d.block.joined) completeBlock(d);\n  else answerWaiting',
    to: 'answerWaiting',
    where: 'it holds a block when a change begins',
    kind: 'wrong',
  },
  'it drops the frame that it did not take': {
    file: RUN,
    from: 'takeRecord(d, lanes[i], i, at);\n      release(lanes[i]);',
    to: 'release(lanes[i]);\n      if (Atomics.load(d.input.control, CHANGING) === 0) takeRecord(d, lanes[i], i, at);',
    where: 'it is sent a frame, then a change begins',
    kind: 'wrong',
  },
  'the change rings before it is said': {
    file: CONTROL,
    from: 'Atomics.store(words, CHANGING, 1);\n      ringAll();',
    to: 'ringAll();\n      Atomics.store(words, CHANGING, 1);',
    where: 'it rests when a change begins',
    kind: 'stuck',
  },
  'whoever closes the epoch wakes nobody': {
    file: EPOCH,
    from: 'else if (first) wakeOthers(words, worker, workers);',
    to: '',
    where: 'another worker closes the epoch',
    kind: 'stuck',
  },
  'whoever closes the epoch wakes those who say that they sleep': {
    file: DOZE,
    from: 'Atomics.notify(words, bell);',
    to: 'if (Atomics.load(words, bell + 1) !== 0) Atomics.notify(words, bell);',
    where: 'it dozes when another worker closes the epoch',
    kind: 'stuck',
  },
  'it dozes without a look for the end of the epoch': {
    file: RUN,
    from: '  if (isClosing(control)) return;\n  const leftMs',
    to: '  const leftMs',
    where: 'it dozes when another worker closes the epoch',
    kind: 'stuck',
  },
  'it takes its ticket behind the look': {
    file: RUN,
    from: 'doze(control, bell, ticket,',
    to: 'doze(control, bell, Atomics.load(control, bell),',
    where: 'it dozes when another worker closes the epoch',
    kind: 'stuck',
  },
  'whoever closes the epoch wakes the others before it closes': {
    file: EPOCH,
    from: 'acquireLock(words, EPOCH_LOCK);\n  const first = words[EPOCH_CLOSING] === 0;',
    to: 'wakeOthers(words, worker, workers);\n  acquireLock(words, EPOCH_LOCK);\n  const first = false; Atomics.store(words, EPOCH_CLOSING, 1);',
    where: 'another worker closes the epoch',
    kind: 'stuck',
  },
};

test.each(Object.keys(FAULTS))('fault: %s', async (name) => {
  const { file, from, to, where, kind } = FAULTS[name]!;
  const sources = { ...SOURCES, mutations: [NO_SPIN, { file, from, to }] };
  expect((await explore(sources, sceneOf(WORLDS[where]))).failure?.kind).toBe(kind);
});
