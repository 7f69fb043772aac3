/** Frames of the load generator against protobufjs, and the law by which players are drawn. */

import { join } from 'node:path';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { gameEvents } from '../../../src/examples/treasure-hunt/load-events.ts';
import { createFrameMaker, type FrameMaker, type FrameShape } from '../../../src/cli/load/frames/frame-maker.ts';
import { eventFields, type KeyCounts } from '../../../src/cli/load/frames/key-fields.ts';
import { streamIdentity } from '../../../src/cli/load/frames/slot.ts';
import { createZipf, drawZipf } from '../../../src/cli/load/zipf.ts';
import { seeded } from '../../../src/cli/load/random.ts';
import { loadPipeline } from '../../../src/config/index.ts';
import { defaultPipeline } from '../../../src/config/default-pipeline.ts';

const proto = join(import.meta.dirname, '..', '..', '..', 'proto');
const game = new protobuf.Root();
game.resolvePath = (_, target) => (target.startsWith('google/') ? target : join(proto, target));
const GameEvent = game.loadSync('game/v1/events.proto').lookupType('game.v1.GameEvent');
const Frame = protobuf.loadSync(join(proto, 'hunt', 'v1', 'wire.proto')).lookupType('hunt.v1.Frame');

interface Event {
  readonly eventId: string;
  readonly playerId: number;
  readonly huntId: number;
  readonly eventTime: { readonly seconds: number; readonly nanos: number };
  readonly lat: number;
  readonly lon: number;
  readonly action: string;
}

function read(bytes: Uint8Array): { seq: number; events: Event[] } {
  const frame = Frame.toObject(Frame.decode(bytes), { longs: Number }) as { seq: number; events: Uint8Array[] };
  const events = frame.events.map((event) => {
    const decoded = GameEvent.decode(event);
    // Whatever follows in a decoder that is strict about it: nothing is left over and nothing is unknown.
    const problem = GameEvent.verify(decoded);
    if (problem !== null) expect.fail(problem);
    return GameEvent.toObject(decoded, { longs: Number, oneofs: true, defaults: true }) as Event;
  });
  return { seq: frame.seq, events };
}

const plan: Plan = await loadPipeline(defaultPipeline());

interface Shape extends FrameShape {
  readonly keys: KeyCounts;
}

const SHAPE: Shape = {
  eventsPerFrame: 50,
  connections: 4,
  keys: { player: 200_000, hunt: 5000 },
  zipfExponent: 1,
  templateBytes: 1 << 16,
  seed: 3,
  webSocket: false,
};
const TIME = Date.UTC(2026, 6, 26, 12, 34, 56, 789);

/** Made once a shape. */
const makers = new Map<Shape, FrameMaker>();

function makerOf(shape: Shape): FrameMaker {
  return createFrameMaker(plan, eventFields(plan, shape.keys), gameEvents(plan, undefined), shape);
}

function frameOf(shape: Shape, seq: number, prefix = 'run00a', timeMs = TIME): Buffer {
  const maker = makers.get(shape) ?? makerOf(shape);
  makers.set(shape, maker);
  const out = Buffer.alloc(maker.bytes(seq) + 7, 0xee);
  expect(maker.write(out, 5, seq, streamIdentity(prefix), timeMs)).toBe(out.length - 2);
  expect([out[4], out[out.length - 2]]).toEqual([0xee, 0xee]);
  return out.subarray(5, -2);
}

const ACTIONS = ['join', 'move', 'dig', 'clue', 'find', 'purchase'];

/** Plain comparisons: an assertion for each value of 40,000 events takes half a minute. */
function isMeant(event: Event, number: number): boolean {
  return (
    event.eventId === `run00a${number.toString(16).padStart(10, '0')}` &&
    event.eventTime.seconds === Math.floor(TIME / 1000) &&
    event.eventTime.nanos === 789_000_000 &&
    event.playerId >= 2 ** 14 &&
    event.huntId >= 2 ** 7 &&
    Math.abs(event.lat - 48.14) < 0.01 &&
    ACTIONS.includes(event.action)
  );
}

describe('frames', () => {
  test.each([
    ['players of 3 bytes, hunts of 2', SHAPE],
    ['players of 4 bytes, hunts of 3', { ...SHAPE, keys: { player: 2_500_000, hunt: 20_000 } }],
    ['one event', { ...SHAPE, eventsPerFrame: 1 }],
    ['as many as go', { ...SHAPE, eventsPerFrame: 8192 }],
  ])('%s: protobufjs reads what was meant', (_, shape) => {
    for (const seq of [1, 7, 8, 4097, 2 ** 27 - 1]) {
      const { seq: read1, events } = read(frameOf(shape, seq));
      expect(read1).toBe(seq);
      expect(events).toHaveLength(shape.eventsPerFrame);
      expect(events.filter((event, i) => !isMeant(event, seq * 8192 + i))).toEqual([]);
    }
  });

  test('times at their edges', () => {
    const shape = { ...SHAPE, eventsPerFrame: 1 };
    for (const timeMs of [0, 999, 1000, 2 ** 31 * 1000 - 1, 2 ** 31 * 1000 + 268, 4_000_000_000_999]) {
      const { eventTime } = read(frameOf(shape, 1, 'run00a', timeMs)).events[0];
      expect(eventTime.seconds * 1000 + eventTime.nanos / 1e6).toBe(timeMs);
    }
  });

  test('a frame made again is the same; another number, connection or seed brings other players', () => {
    const players = (bytes: Buffer): number[] => read(bytes).events.map(({ playerId }) => playerId);
    const bytes = frameOf(SHAPE, 12);
    expect(frameOf({ ...SHAPE }, 12).equals(bytes)).toBe(true);
    for (const other of [frameOf(SHAPE, 13), frameOf(SHAPE, 12, 'run00b'), frameOf({ ...SHAPE, seed: 4 }, 12)]) {
      expect(players(other)).not.toEqual(players(bytes));
    }
  });

  test('ids are unique over frames and connections', () => {
    const ids = new Set<string>();
    for (const prefix of ['run000', 'run001']) {
      for (let seq = 1; seq <= 40; seq++)
        for (const { eventId } of read(frameOf(SHAPE, seq, prefix)).events) ids.add(eventId);
    }
    expect(ids.size).toBe(2 * 40 * 50);
  });

  test('players come by Zipf’s law, and nearly all of them come', () => {
    const shape = { ...SHAPE, eventsPerFrame: 500, keys: { player: 1000, hunt: 100 } };
    const maker = makerOf(shape);
    const counts = new Map<number, number>();
    const frames = 400;
    for (let seq = 1; seq <= frames; seq++) {
      const out = Buffer.alloc(maker.bytes(seq));
      maker.write(out, 0, seq, streamIdentity('run000'), TIME);
      for (const { playerId } of read(out).events) counts.set(playerId, (counts.get(playerId) ?? 0) + 1);
    }
    const sorted = [...counts.values()].sort((a, b) => b - a);
    expect(sorted.length).toBe(1000);
    const share = 1 / Array.from({ length: 1000 }, (_, k) => 1 / (k + 1)).reduce((a, b) => a + b);
    const events = frames * shape.eventsPerFrame;
    for (const rank of [1, 2, 5, 20]) expect(sorted[rank - 1] / events / (share / rank)).toBeCloseTo(1, 1);
  });
});

describe('Zipf', () => {
  test.each([0, 0.8, 1, 1.5])('exponent %s: frequencies by chi-square', (exponent) => {
    const seed = 11;
    const random = seeded(seed);
    const count = 50;
    const zipf = createZipf(count, exponent, random);
    const draws = 400_000;
    const seen = new Float64Array(count);
    for (let i = 0; i < draws; i++) seen[drawZipf(zipf, random() * 2 ** 32, random() * 2 ** 32)]++;
    const weights = Array.from({ length: count }, (_, k) => (k + 1) ** -exponent);
    const sum = weights.reduce((a, b) => a + b);
    // Which number has which rank is shuffled: the counts in order against the law in order.
    const sorted = [...seen].sort((a, b) => b - a);
    const square = weights.reduce((total, weight, k) => {
      const expected = (draws * weight) / sum;
      return total + (sorted[k] - expected) ** 2 / expected;
    });
    // 49 degrees of freedom: 99.9 % lie below 85.
    expect(square, `seed=${seed}`).toBeLessThan(85);
  });

  test('one number, and two', () => {
    const random = seeded(1);
    const one = createZipf(1, 1, random);
    expect(drawZipf(one, 2 ** 32 - 1, 2 ** 32 - 1)).toBe(0);
    const two = createZipf(2, 1, random);
    const drawn = Array.from({ length: 30_000 }, () => drawZipf(two, random() * 2 ** 32, random() * 2 ** 32));
    const ones = drawn.filter((number) => number === 1).length / drawn.length;
    expect(Math.min(ones, 1 - ones)).toBeCloseTo(1 / 3, 1);
  });
});
