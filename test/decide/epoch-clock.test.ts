/**
 * received_at over a wall clock that jumps: it never falls, never stands still, follows what is ahead, and finds back to
 * what is behind.
 */

import { expect, test } from 'vitest';
import { arriveAtEnd, createTicket, joinEpoch, startEpochs, timeNow } from '../../native-free-core/decide/epoch.ts';
import { CONTROL_WORDS } from '../../native-free-core/layout/control-layout.ts';

const BEGIN = Date.UTC(2026, 10, 1, 23, 30);
const HOUR = 3_600_000;

/** `jump` changes the wall clock; time passes by `pass`. */
function clockWorld(receivedAtMin = 0) {
  const words = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
  startEpochs(words, 1, receivedAtMin);
  const ticket = createTicket();
  const world = { wall: BEGIN, monotonic: 5_000_000_000.25, received: 0 };
  const epoch = (): number => {
    joinEpoch(words, ticket, world.wall, world.monotonic);
    arriveAtEnd(words, ticket, 0, 1);
    expect(ticket.receivedAt).toBeGreaterThanOrEqual(world.received);
    return (world.received = ticket.receivedAt);
  };
  return {
    world,
    epoch,
    now: () => timeNow(words, world.wall, world.monotonic),
    pass(ms: number): number {
      world.wall += ms;
      world.monotonic += ms;
      return epoch();
    },
  };
}

test('an undisturbed clock is taken as it is', () => {
  const { world, pass, epoch } = clockWorld();
  expect(epoch()).toBe(BEGIN);
  for (let i = 0; i < 1000; i++) expect(pass(1 + (i % 7))).toBe(world.wall);
});

test.each([1, 20, 1000, HOUR])(
  'set back by %i ms: it runs on, a sixteenth slower, until the clock has caught up',
  (back) => {
    const { world, pass, epoch, now } = clockWorld();
    epoch();
    const before = pass(10);
    world.wall -= back;
    expect(epoch()).toBe(before);
    // Epochs of a millisecond each must not lose their fractions.
    for (let i = 0; i < 160; i++) pass(1);
    if (back > 160) expect(world.received).toBe(before + 150);
    expect(now()).toBe(world.received);
    pass(16 * back + 16);
    expect(world.received).toBe(world.wall);
    expect(pass(5)).toBe(world.wall);
  },
);

test('set forward by an hour it follows at once, over midnight, and back again it does not fall', () => {
  const { world, pass, epoch } = clockWorld();
  epoch();
  world.wall += HOUR;
  expect(pass(10)).toBe(BEGIN + HOUR + 10);
  world.wall -= HOUR;
  expect(pass(1600)).toBe(BEGIN + HOUR + 10 + 1500);
});

test('a start after the clock was set back goes on from what is stored, and does not count the time before it', () => {
  const { world, pass, epoch } = clockWorld(BEGIN + HOUR);
  expect(epoch()).toBe(BEGIN + HOUR);
  expect(pass(160)).toBe(BEGIN + HOUR + 150);
  expect(world.received).toBeGreaterThan(world.wall);
});

test('a look at the time changes nothing', () => {
  const { world, now, epoch } = clockWorld();
  epoch();
  world.wall -= HOUR;
  world.monotonic += 1600;
  expect(now()).toBe(BEGIN + 1500);
  expect(now()).toBe(BEGIN + 1500);
  world.monotonic += 1600;
  expect(epoch()).toBe(BEGIN + 3000);
});
