/** The simulated world: seeded, paced, and true to what it says of its players. */

import { describe, expect, test } from 'vitest';
import { confusionOf } from '../../../../src/examples/treasure-hunt/play/outcome.ts';
import {
  PLAYER_KINDS,
  takeDecision,
  type Action,
  type PlayerKind,
  type Player,
} from '../../../../src/examples/treasure-hunt/play/players.ts';
import { World, type Turn } from '../../../../src/examples/treasure-hunt/play/world.ts';

function play(
  options: Partial<ConstructorParameters<typeof World>[0]>,
  seconds: number,
): { world: World; turns: (Turn & { at: number })[] } {
  const world = new World({ players: 400, rate: Infinity, seed: 5, firstId: 1000, ...options });
  const turns: (Turn & { at: number })[] = [];
  for (let at = 0; at <= seconds && !world.over; at += 0.02)
    for (const turn of world.turnsUntil(at, Infinity)) turns.push({ ...turn, at });
  return { world, turns };
}

const shape = (turns: readonly Turn[]): [number, Action][] => turns.map(({ player, action }) => [player.id, action]);

test('the same seed is the same game, another is not', () => {
  const one = shape(play({}, 20).turns);
  expect(shape(play({}, 20).turns)).toEqual(one);
  expect(shape(play({ seed: 6 }, 20).turns)).not.toEqual(one);
});

test('a rate lets in fewer players, and makes none slower', () => {
  const { world, turns } = play({ rate: 30, players: 5000 }, 60);
  expect(turns.length / 60).toBeLessThan(33);
  expect(turns.length / 60).toBeGreaterThan(20);
  expect(world.players.length).toBeLessThan(5000);
  const own = turns.filter(({ player }) => player.kind === 'digger');
  const first = own[0].player;
  const times = own.filter(({ player }) => player === first).map(({ at }) => at);
  expect((times.at(-1)! - times[0]) / (times.length - 1)).toBeLessThan(PLAYER_KINDS.digger.pauseMax + 0.02);
});

test('everyone goes home in the end', () => {
  const { world } = play({ players: 20 }, 2000);
  expect(world.over).toBe(true);
  expect(world.players).toHaveLength(20);
});

describe('players do what their kind does', () => {
  const { turns, world } = play({ players: 600 }, 60);
  const of = (player: Player): Turn[] => turns.filter((turn) => turn.player === player);
  const every = (kind: PlayerKind): Player[] =>
    world.players.filter((player) => player.kind === kind && player.actions > 30);
  const count = (list: readonly Turn[], action: string): number => list.filter((turn) => action in turn.action).length;

  test('people dig less than forty times a minute, diggers more', () => {
    for (const player of every('regular')) expect(count(of(player), 'dig')).toBeLessThan(40);
    for (const player of every('digger')) expect(count(of(player), 'dig')).toBeGreaterThan(60);
  });

  test('regular players find something, stuck ones read clues, dig and find nothing', () => {
    expect(every('stuck').length).toBeGreaterThan(20);
    for (const player of every('stuck')) expect([count(of(player), 'find'), player.clues >= 3]).toEqual([0, true]);
    for (const player of every('regular')) expect(player.digsSinceFind).toBeLessThanOrEqual(7);
  });

  test('who finds in every hole', () => {
    for (const player of every('cheater'))
      expect(count(of(player), 'find') / count(of(player), 'dig')).toBeGreaterThan(0.9);
  });
});

test('hints help, challenges count, and the confusion is counted by player', () => {
  const { world } = play({ players: 300 }, 5);
  const stuck = world.players.find(({ kind }) => kind === 'stuck')!;
  const bot = world.players.find(({ kind }) => kind === 'digger')!;
  takeDecision(stuck, { assistance: 'hint', trust: 'allow' });
  takeDecision(stuck, { assistance: 'hint', trust: 'allow' });
  takeDecision(bot, { assistance: 'continue', trust: 'challenge' });
  const confusion = confusionOf(world.players);
  expect(confusion.stuck.hinted).toBe(1);
  expect(confusion.bots.challenged).toBe(1);
  expect(confusion.humans.challenged).toBe(0);
  expect(confusion.bots.players + confusion.humans.players).toBe(300);
  const kinds = Object.values(confusion.kinds).reduce((sum, { players }) => sum + players, 0);
  expect(kinds).toBe(300);
});
