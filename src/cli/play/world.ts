/**
 * The simulated world: everyone's next action at its time, until all have gone home. The order follows from the seed and from
 * the decisions alone; play-game.ts gives it real time.
 */

import { createPlayer, nextAction, pauseOf, type Action, type Player } from './players.ts';

export interface Turn {
  readonly player: Player;
  readonly action: Action;
}

export interface WorldOptions {
  readonly players: number;
  /** Turns a second at most; Infinity: everyone plays at a pace of their own. */
  readonly rate: number;
  readonly seed: number;
  readonly firstId: number;
}

/** Players of one hunt see one another's digs in its features. */
const PLAYERS_PER_HUNT = 25;
/** Everybody has joined by then, seconds. */
const ARRIVAL_SECONDS = 2;

export class World {
  readonly players: readonly Player[];
  readonly #rate: number;
  /** When each player acts next, in seconds of the game; Infinity once gone home. */
  readonly #nextAt: Float64Array;
  #taken = 0;

  constructor({ players, rate, seed, firstId }: WorldOptions) {
    const hunts = Math.max(1, Math.round(players / PLAYERS_PER_HUNT));
    this.players = Array.from({ length: players }, (_, i) => createPlayer(seed, i, firstId + i, hunts));
    this.#nextAt = Float64Array.from(this.players, (player) => player.random() * ARRIVAL_SECONDS);
    this.#rate = rate;
  }

  /** Everyone has gone home. */
  get over(): boolean {
    return this.#nextAt.every((at) => at === Infinity);
  }

  /** Up to `countMax` turns that are due by `seconds`, each player at most once. */
  turnsUntil(seconds: number, countMax: number): Turn[] {
    const turns: Turn[] = [];
    const allowed = Math.min(
      countMax,
      this.#rate === Infinity ? countMax : Math.floor(this.#rate * seconds) - this.#taken,
    );
    for (let i = 0; i < this.players.length && turns.length < allowed; i++) {
      if (this.#nextAt[i]! > seconds) continue;
      const player = this.players[i]!;
      turns.push({ player, action: nextAction(player) });
      this.#nextAt[i] = player.actionsLeft > 0 ? seconds + pauseOf(player) : Infinity;
    }
    this.#taken += turns.length;
    return turns;
  }
}
