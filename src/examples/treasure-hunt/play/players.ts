/**
 * The simulated players: who they are in truth, and what each does next. Behaviour follows from the seed and from the
 * answers (a hint helps, a challenge drives bots away), so the same seed and the same decisions give the same game. Used by
 * world.ts.
 */

import { below, pick, seeded } from '../../../cli/load/random.ts';

export type PlayerKind = 'regular' | 'stuck' | 'newcomer' | 'digger' | 'teleporter' | 'cheater';

export interface KindTraits {
  /** Share of all players. */
  readonly share: number;
  readonly bot: boolean;
  /** Needs a hint: has read the clues and finds nothing, or does not know about tools. */
  readonly needsHint: boolean;
  /** Between two actions, seconds. */
  readonly pauseMin: number;
  readonly pauseMax: number;
}

export const PLAYER_KINDS: Readonly<Record<PlayerKind, KindTraits>> = {
  regular: { share: 0.6, bot: false, needsHint: false, pauseMin: 1, pauseMax: 3 },
  stuck: { share: 0.15, bot: false, needsHint: true, pauseMin: 0.7, pauseMax: 1.3 },
  newcomer: { share: 0.1, bot: false, needsHint: true, pauseMin: 1, pauseMax: 2 },
  // Digs faster than anyone can.
  digger: { share: 0.05, bot: true, needsHint: false, pauseMin: 0.2, pauseMax: 0.35 },
  // Is here and at once a kilometre away.
  teleporter: { share: 0.06, bot: true, needsHint: false, pauseMin: 1, pauseMax: 2 },
  // Knows where things lie: every hole holds one.
  cheater: { share: 0.04, bot: true, needsHint: false, pauseMin: 0.4, pauseMax: 0.7 },
};

export interface Player {
  readonly id: number;
  readonly kind: PlayerKind;
  readonly hunt: number;
  readonly random: () => number;
  /** Not everyone shares it; who teleports must. */
  readonly sharesPosition: boolean;
  lat: number;
  lon: number;
  actions: number;
  digsSinceFind: number;
  clues: number;
  finds: number;
  /** A find follows the dig that made it. */
  aboutToFind: boolean;
  hints: number;
  foundAfterHint: boolean;
  challenges: number;
  /** Actions until the player goes home. */
  actionsLeft: number;
}

/** One branch of GameEvent.action, in protobuf's JSON mapping. */
export type Action = Readonly<Record<string, object>>;

/** The game's park; a hundredth of a degree is about a kilometre. */
const PARK = { lat: 48.137, lon: 11.575, width: 0.02 };
const STEP_DEGREES = 0.0003;
const JUMP_DEGREES_MIN = 0.02;
const JUMP_DEGREES_MAX = 0.3;
/** Unlucky regular players find something at the latest with this dig. */
const DIGS_WITHOUT_FIND_MAX = 6;
const CLUES_OF_STUCK = 4;
const PLATFORMS = ['ios', 'android', 'web'];

export function createPlayer(seed: number, number: number, id: number, hunts: number): Player {
  const random = seeded(seed * 1_000_003 + number);
  const kind = kindOf(random());
  const { bot } = PLAYER_KINDS[kind];
  return {
    id,
    kind,
    hunt: 1 + below(random, hunts),
    random,
    sharesPosition: kind === 'teleporter' || random() < 0.8,
    lat: PARK.lat + random() * PARK.width,
    lon: PARK.lon + random() * PARK.width,
    actions: 0,
    digsSinceFind: 0,
    clues: 0,
    finds: 0,
    aboutToFind: false,
    hints: 0,
    foundAfterHint: false,
    challenges: 0,
    actionsLeft: bot ? 200 + below(random, 200) : 40 + below(random, 80),
  };
}

function kindOf(dice: number): PlayerKind {
  let rest = dice;
  for (const [kind, { share }] of Object.entries(PLAYER_KINDS)) if ((rest -= share) < 0) return kind as PlayerKind;
  return 'regular';
}

/** Seconds until the player's next action. */
export function pauseOf(player: Player): number {
  const { pauseMin, pauseMax } = PLAYER_KINDS[player.kind];
  return pauseMin + player.random() * (pauseMax - pauseMin);
}

export function nextAction(player: Player): Action {
  player.actions++;
  player.actionsLeft--;
  if (player.actions === 1) return { join: { platform: pick(player.random, PLATFORMS) } };
  if (player.aboutToFind) return find(player);
  switch (player.kind) {
    case 'regular':
      return regular(player);
    case 'stuck':
      return player.hints > 0 ? regular(player) : stuck(player);
    case 'newcomer':
      return player.hints > 0
        ? regular(player)
        : player.random() < 0.2
          ? move(player)
          : dig(player, 'HANDS', 0.05, 0.2, 0);
    case 'digger':
      return dig(player, 'SPADE', 0.3, 2, 0.02);
    case 'teleporter':
      return player.random() < 0.5 ? jump(player) : dig(player, 'SPADE', 0.3, 2, 0.2);
    case 'cheater':
      return dig(player, 'DRILL', 0.5, 3, 1);
  }
}

/** What a decision does to the player. */
export function takeDecision(player: Player, decisions: Readonly<Record<string, string | null>>): void {
  if (decisions['assistance'] === 'hint') player.hints++;
  if (decisions['trust'] !== 'challenge') return;
  player.challenges++;
  // A person answers the challenge and plays on; half of the bots give up, each time.
  if (PLAYER_KINDS[player.kind].bot && player.random() < 0.5) player.actionsLeft = 0;
}

function regular(player: Player): Action {
  const dice = player.random();
  if (dice < 0.45) return move(player);
  if (dice < 0.52) return clue(player);
  if (dice < 0.55) return purchase(player);
  const tool = player.random() < 0.1 ? 'DRILL' : 'SPADE';
  return dig(player, tool, 0.3, 2, player.digsSinceFind >= DIGS_WITHOUT_FIND_MAX ? 1 : 0.25);
}

function stuck(player: Player): Action {
  if (player.clues < CLUES_OF_STUCK && player.random() < 0.5) return clue(player);
  return player.random() < 0.1 ? move(player) : dig(player, 'SPADE', 0.3, 2, 0);
}

function dig(player: Player, tool: string, depthMin: number, depthMax: number, luck: number): Action {
  player.digsSinceFind++;
  player.aboutToFind = player.random() < luck;
  return { dig: { depth: Math.round((depthMin + player.random() * (depthMax - depthMin)) * 100) / 100, tool } };
}

function find(player: Player): Action {
  player.aboutToFind = false;
  player.digsSinceFind = 0;
  player.finds++;
  if (player.hints > 0) player.foundAfterHint = true;
  const dice = player.random();
  const [rarity, points] = dice < 0.85 ? ['COMMON', 10] : dice < 0.98 ? ['RARE', 50] : ['LEGENDARY', 250];
  return { find: { points, rarity } };
}

function clue(player: Player): Action {
  player.clues++;
  return { clue: { clueId: 1 + below(player.random, 20) } };
}

function purchase(player: Player): Action {
  const amount = pick(player.random, [0.99, 1.99, 4.99, 9.99]);
  return { purchase: { amount, item: pick(player.random, ['spade', 'lamp', 'map', 'drill']) } };
}

function move(player: Player): Action {
  step(player, STEP_DEGREES * (0.2 + 0.8 * player.random()));
  return { move: { metres: 5 + below(player.random, 25) } };
}

function jump(player: Player): Action {
  step(player, JUMP_DEGREES_MIN + player.random() * (JUMP_DEGREES_MAX - JUMP_DEGREES_MIN));
  return { move: { metres: 20 } };
}

function step(player: Player, degrees: number): void {
  const direction = player.random() * 2 * Math.PI;
  player.lat = PARK.lat + clamp(player.lat - PARK.lat + degrees * Math.sin(direction));
  player.lon = PARK.lon + clamp(player.lon - PARK.lon + degrees * Math.cos(direction));
}

/** Nobody walks out of the country. */
function clamp(offset: number): number {
  return Math.max(-1, Math.min(1, offset));
}
