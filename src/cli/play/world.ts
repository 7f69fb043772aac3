/**
 * A seeded world of the example game: players of several kinds who walk, read clues, dig, find and buy, each at a pace of its
 * own. What they are is known here and nowhere else. Used by `hunt play`.
 */

import { seeded } from '../load/game-frames.ts';

/** `stuck`: reads and digs and finds nothing. `digger`: a bot that digs faster than a person can. `teleporter`: a bot that jumps over the map. */
export const KINDS = ['human', 'stuck', 'digger', 'teleporter'] as const;
export type PlayerKind = (typeof KINDS)[number];

export interface Player {
  readonly id: number;
  readonly kind: PlayerKind;
  readonly hunt: number;
  /** Mean time between two moves, ms. */
  readonly paceMs: number;
  lat: number;
  lon: number;
  nextAt: number;
  moves: number;
}

export interface Move {
  readonly player: Player;
  /** In protobuf's JSON mapping of game.v1.GameEvent. */
  readonly event: Readonly<Record<string, unknown>>;
}

export interface World {
  readonly players: readonly Player[];
  /** What the players do up to `now`, ms UTC. */
  tick(now: number): Move[];
}

const PACE_MS: Readonly<Record<PlayerKind, number>> = { human: 3000, stuck: 900, digger: 300, teleporter: 2000 };
const HUNTS = 12;
/** About five metres a step, in degrees. */
const STEP = 0.00005;
/** About two kilometres. */
const JUMP = 0.02;

export function createWorld(count: number, seed: number): World {
  const random = seeded(seed);
  const players = Array.from({ length: count }, (_, i) => createPlayer(i + 1, random));
  const run = seed.toString(36);
  let events = 0;
  return {
    players,
    tick(now) {
      const moves: Move[] = [];
      for (const player of players) {
        if (player.nextAt === 0) player.nextAt = now + random() * player.paceMs;
        while (player.nextAt <= now) {
          const id = `play-${run}-${now.toString(36)}-${(++events).toString(36)}`;
          moves.push({ player, event: { eventId: id, ...act(player, random) } });
          player.nextAt += player.paceMs * (0.5 + random());
        }
      }
      return moves;
    },
  };
}

function createPlayer(id: number, random: () => number): Player {
  const die = random();
  const kind: PlayerKind = die < 0.05 ? 'digger' : die < 0.1 ? 'teleporter' : die < 0.2 ? 'stuck' : 'human';
  const hunt = 1 + Math.floor(random() * HUNTS);
  return {
    id,
    kind,
    hunt,
    paceMs: PACE_MS[kind],
    lat: 48.1 + random() * 0.01,
    lon: 11.5 + random() * 0.01,
    nextAt: 0,
    moves: 0,
  };
}

function act(player: Player, random: () => number): Record<string, unknown> {
  const step = player.kind === 'teleporter' && player.moves % 3 === 2 ? JUMP : STEP;
  player.lat += (random() - 0.5) * 2 * step;
  player.lon += (random() - 0.5) * 2 * step;
  const action =
    player.moves++ === 0
      ? { join: { platform: ['ios', 'android', 'web'][Math.floor(random() * 3)] } }
      : actionOf(player, random);
  return {
    playerId: String(player.id),
    huntId: String(player.hunt),
    eventTime: new Date(player.nextAt).toISOString(),
    lat: round(player.lat),
    lon: round(player.lon),
    ...action,
  };
}

function actionOf(player: Player, random: () => number): Record<string, unknown> {
  const depth = Number((0.4 + random() * 1.5).toFixed(2));
  const dig = { dig: { depth, tool: random() < 0.8 ? 'SPADE' : 'DRILL' } };
  if (player.kind === 'digger') return dig;
  if (player.kind === 'stuck')
    return player.moves % 4 === 0 ? { clue: { clueId: 1 + Math.floor(random() * 20) } } : dig;
  const die = random();
  if (die < 0.35) return { move: { metres: Math.round(random() * 30) } };
  if (die < 0.6) return { clue: { clueId: 1 + Math.floor(random() * 20) } };
  if (die < 0.8) return dig;
  if (die < 0.95)
    return { find: { points: 1 + Math.floor(random() * 50), rarity: random() < 0.97 ? 'COMMON' : 'RARE' } };
  return {
    purchase: {
      amount: Number((1 + random() * 20).toFixed(2)),
      item: ['spade', 'drill', 'lamp', 'map'][Math.floor(random() * 4)],
    },
  };
}

function round(degrees: number): number {
  return Number(degrees.toFixed(6));
}
