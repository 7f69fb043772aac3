/**
 * Lanes, in every order in which two threads can take their steps: two records are sent and received, at the end of the
 * ring, over a full lane, where positions wrap, shrunk, and stepped over as the spool thread does. Each record has canaries
 * in its first and last word. The faults below must all be found.
 */

import { expect, test } from 'vitest';
import type * as laneModule from '../../native-free-core/ring/lane.ts';
import { explore, type Scene, type SceneTools } from '../stepper/stepper.ts';
import type { Mutation } from '../stepper/protocol.ts';

type Protocol = typeof laneModule;
type Buffer = { readonly buffer: SharedArrayBuffer };

const FILE = 'native-free-core/ring/lane.ts';
const CAPACITY = 4096;
const [HEAD, TAIL] = [16, 32];

interface World {
  /** Position of both ends before the first record. */
  readonly position: number;
  /** Payload bytes of the records, of which the first `before` are in the lane before any thread runs. */
  readonly records: readonly number[];
  readonly before?: number;
  /** Bytes more than needed are reserved, and given back. */
  readonly spare?: number;
  /** The consumer steps over all records before it frees them. */
  readonly steps?: boolean;
}

function send(protocol: Protocol, lane: ReturnType<Protocol['openLane']>, number: number, world: World): boolean {
  const bytes = world.records[number]!;
  const at = protocol.reserve(lane, number + 1, bytes + (world.spare ?? 0));
  if (at < 0) return false;
  lane.words[at >> 2] = 1000 + number;
  lane.words[(at + bytes - 4) >> 2] = 2000 + number;
  if (world.spare !== undefined) protocol.shrink(lane, at, bytes);
  protocol.commit(lane);
  return true;
}

function receive(protocol: Protocol, lane: ReturnType<Protocol['openLane']>, number: number, world: World): boolean {
  const at = protocol.claim(lane);
  if (at < 0) return false;
  const found = [
    lane.claimedKind,
    lane.claimedBytes,
    lane.words[at >> 2],
    lane.words[(at + lane.claimedBytes - 4) >> 2],
  ];
  const sent = [number + 1, world.records[number], 1000 + number, 2000 + number];
  if (found.join() !== sent.join()) throw new Error(`record ${number} is ${found.join()}, was sent as ${sent.join()}`);
  return true;
}

function sceneOf(world: World): Scene<Protocol, Buffer> {
  const { records, before = 0 } = world;
  return {
    prepare(protocol) {
      const buffer = protocol.createLane(CAPACITY);
      const lane = protocol.openLane(buffer);
      lane.words[HEAD] = lane.words[TAIL] = world.position;
      const producer = protocol.openLane(buffer);
      for (let number = 0; number < before; number++)
        if (!send(protocol, producer, number, world)) throw new Error(`no room for record ${number}`);
      return { buffer };
    },
    threads: {
      producer({ buffer }, protocol, tools: SceneTools) {
        const lane = tools.before(() => protocol.openLane(buffer));
        for (let number = before; number < records.length; number++)
          while (!send(protocol, lane, number, world)) tools.pause();
      },
      consumer({ buffer }, protocol, tools: SceneTools) {
        const lane = tools.before(() => protocol.openLane(buffer));
        for (let number = 0; number < records.length; number++) {
          while (!receive(protocol, lane, number, world)) tools.pause();
          if (world.steps) protocol.step(lane);
          else protocol.release(lane);
        }
        if (world.steps) protocol.releaseTo(lane, lane.tail);
      },
    },
    end({ buffer }, _results, protocol) {
      const lane = protocol.openLane(buffer);
      if (protocol.laneUsedBytes(lane) !== 0 || protocol.claim(lane) >= 0) throw new Error('the lane is not empty');
    },
  };
}

const WORLDS = {
  'in the middle of the ring': { position: 0, records: [8, 16] },
  'at the end of the ring, with padding': { position: CAPACITY - 40, records: [8, 40] },
  'where positions pass 2^31': { position: 0x7fffffe8, records: [8, 16] },
  'where positions pass 2^32': { position: -24, records: [8, 40] },
  'over a full lane': { position: 2048, records: [1016, 1016, 2040, 1024, 24], before: 3 },
  'over a full lane, with padding': { position: CAPACITY - 1024, records: [2000, 1000, 24, 1040], before: 2 },
  'shrunk records': { position: CAPACITY - 40, records: [8, 16], spare: 8 },
  'stepped over, then freed': { position: CAPACITY - 40, records: [8, 40], steps: true },
} satisfies Record<string, World>;

/**
 * Orders of each world: another number means that the lane does other steps than it did, or that the stepper misses some.
 */
const INTERLEAVINGS: Record<keyof typeof WORLDS, bigint> = {
  'in the middle of the ring': 11_218_744n,
  'at the end of the ring, with padding': 196_093_636n,
  'where positions pass 2^31': 196_093_636n,
  'where positions pass 2^32': 196_093_636n,
  'over a full lane': 1_630_423_427_844n,
  'over a full lane, with padding': 3_596_621_257n,
  'shrunk records': 1_390_880_471_663n,
  'stepped over, then freed': 145_820_420n,
};

const worlds = Object.keys(WORLDS) as (keyof typeof WORLDS)[];

test.each(worlds)('%s: whole records, in order, whatever the interleaving', async (name) => {
  const outcome = await explore({ files: [FILE] }, sceneOf(WORLDS[name]));
  console.log(`lane, ${name}: ${outcome.interleavings} interleavings, ${outcome.states} states`);
  expect(outcome.failure).toBeNull();
  expect(outcome.interleavings).toBe(INTERLEAVINGS[name]);
});

interface Fault extends Omit<Mutation, 'file'> {
  readonly where: keyof typeof WORLDS;
  readonly kind: 'wrong' | 'race' | 'stuck';
}

/** Each is found in the world that it names, as what it says. */
const FAULTS: Readonly<Record<string, Fault>> = {
  'the position is published before the bytes': {
    from: 'lane.reservedBytes = needed;\n',
    to: 'lane.reservedBytes = needed; Atomics.store(lane.words, HEAD, (lane.head + needed) | 0);\n',
    where: 'in the middle of the ring',
    kind: 'race',
  },
  'the position is published by a plain store': {
    from: 'Atomics.store(lane.words, HEAD, lane.head);',
    to: 'lane.words[HEAD] = lane.head;',
    where: 'in the middle of the ring',
    kind: 'race',
  },
  'the consumer reads the position by a plain load': {
    from: 'lane.seenHead = Atomics.load(lane.words, HEAD);',
    to: 'lane.seenHead = lane.words[HEAD];',
    where: 'in the middle of the ring',
    kind: 'race',
  },
  'padding is taken for a record': {
    from: 'if (kind !== RECORD_PADDING)',
    to: 'if (kind !== 0)',
    where: 'at the end of the ring, with padding',
    kind: 'wrong',
  },
  'the record is freed when it is claimed': {
    from: 'lane.claimedNext = next;\n',
    to: 'lane.claimedNext = next; Atomics.store(lane.words, TAIL, next);\n',
    where: 'over a full lane',
    kind: 'race',
  },
  'full is said eight bytes too late': {
    from: '< needed) return LANE_FULL;',
    to: '< needed - 8) return LANE_FULL;',
    where: 'over a full lane',
    kind: 'race',
  },
  'the producer never looks at the tail again': {
    from: 'lane.seenTail = Atomics.load(lane.words, TAIL);',
    to: '',
    where: 'over a full lane',
    kind: 'stuck',
  },
  'the padding needs no room': {
    from: 'const needed = whole + padding;',
    to: 'const needed = whole;',
    where: 'over a full lane, with padding',
    kind: 'wrong',
  },
  'what was shrunk is not given back': {
    from: 'lane.reservedBytes -= before - after;',
    to: '',
    where: 'shrunk records',
    kind: 'wrong',
  },
  'more is freed than was stepped over': {
    from: 'Atomics.store(lane.words, TAIL, position);',
    to: 'Atomics.store(lane.words, TAIL, position + 8);',
    where: 'stepped over, then freed',
    kind: 'wrong',
  },
};

test.each(Object.keys(FAULTS))('fault: %s', async (name) => {
  const { from, to, where, kind } = FAULTS[name]!;
  const mutations: Mutation[] = [{ file: FILE, from, to }];
  const { failure } = await explore({ files: [FILE], mutations }, sceneOf(WORLDS[where]));
  expect(failure?.message).toBeTypeOf('string');
  expect(failure?.kind).toBe(kind);
});
