/**
 * The simulated world: who plays when, as a queue of next actions. The order follows from the seed and from the decisions
 * alone; play-game.ts gives it real time.
 */

import { createPlayer, PLAYER_KINDS, nextAction, pauseOf, type Action, type Player } from './players.ts';

export interface Turn {
  readonly player: Player;
  readonly action: Action;
}

export interface WorldOptions {
  readonly players: number;
  /** Turns a second that those at play take together, at most; Infinity: everyone comes at once. */
  readonly rate: number;
  readonly seed: number;
  readonly firstId: number;
}

/** Players of one hunt see one another's digs in its features. */
const PLAYERS_PER_HUNT = 25;
/** The first players have joined by then, seconds. */
const ARRIVAL_SECONDS = 2;

interface Entry {
  readonly at: number;
  readonly player: Player;
}

export class World {
  /** Everyone who has come so far. */
  readonly players: Player[] = [];
  readonly #options: WorldOptions;
  readonly #hunts: number;
  /** Binary heap by time, soonest first. */
  readonly #queue: Entry[] = [];
  #paceOfAll = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#hunts = Math.max(1, Math.round(options.players / PLAYERS_PER_HUNT));
    this.#admit(0);
  }

  /** Everyone has come and gone home. */
  get over(): boolean {
    return this.#queue.length === 0;
  }

  /** Up to `countMax` turns that are due by `seconds`, in their order. */
  turnsUntil(seconds: number, countMax: number): Turn[] {
    const turns: Turn[] = [];
    while (turns.length < countMax && this.#queue.length > 0 && this.#queue[0]!.at <= seconds) {
      const { player, at } = this.#pop();
      if (player.actionsLeft <= 0) {
        this.#paceOfAll -= paceOf(player);
        this.#admit(at);
        continue;
      }
      turns.push({ player, action: nextAction(player) });
      this.#push({ at: at + pauseOf(player), player });
    }
    return turns;
  }

  /**
   * Lets in who still waits, as far as the rate allows. Nobody is made slower: a bot that digs like a person would be none.
   */
  #admit(now: number): void {
    const { players, rate, seed, firstId } = this.#options;
    while (this.players.length < players) {
      const number = this.players.length;
      const player = createPlayer(seed, number, firstId + number, this.#hunts);
      const pace = paceOf(player);
      if (this.#queue.length > 0 && this.#paceOfAll + pace > rate) return;
      this.#paceOfAll += pace;
      this.players.push(player);
      this.#push({ at: now + (now === 0 ? player.random() * ARRIVAL_SECONDS : 0), player });
    }
  }

  #push(entry: Entry): void {
    const queue = this.#queue;
    let i = queue.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (queue[parent]!.at <= entry.at) break;
      queue[i] = queue[parent]!;
      i = parent;
    }
    queue[i] = entry;
  }

  #pop(): Entry {
    const queue = this.#queue;
    const first = queue[0]!;
    const last = queue.pop()!;
    if (queue.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= queue.length) break;
      if (child + 1 < queue.length && queue[child + 1]!.at < queue[child]!.at) child++;
      if (last.at <= queue[child]!.at) break;
      queue[i] = queue[child]!;
      i = child;
    }
    queue[i] = last;
    return first;
  }
}

/** Turns a second. */
function paceOf(player: Player): number {
  const { pauseMin, pauseMax } = PLAYER_KINDS[player.kind];
  return 2 / (pauseMin + pauseMax);
}
