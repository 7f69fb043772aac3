/** The example game's fourteen features, kept in a Map of objects as one writes them first. */

import type { GameEvent } from './game-event.ts';
import { HopWindow } from './windows.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** The pipeline's max_future_skew: later than this, an event's time is taken to be its arrival's. */
const FUTURE_SKEW_MS = 5 * SECOND;
const CENTS = 100;

class Player {
  lastTime: number | null = null;
  lat: number | null = null;
  lon: number | null = null;
  #clock = 0;
  readonly digs1m = new HopWindow(MINUTE, 10 * SECOND);
  readonly digs5m = new HopWindow(5 * MINUTE, MINUTE);
  readonly clues5m = new HopWindow(5 * MINUTE, MINUTE);
  readonly finds5m = new HopWindow(5 * MINUTE, MINUTE);
  readonly points5m = new HopWindow(5 * MINUTE, MINUTE);
  /** Centimetres, and how many: a mean of two decimals is exact in integers. */
  readonly depth5m = new HopWindow(5 * MINUTE, MINUTE);
  readonly depths5m = new HopWindow(5 * MINUTE, MINUTE);
  readonly spent1h = new HopWindow(60 * MINUTE, 10 * MINUTE);

  moveTo(time: number): void {
    if (time <= this.#clock) return;
    this.#clock = time;
    this.digs1m.moveTo(time);
    this.digs5m.moveTo(time);
    this.clues5m.moveTo(time);
    this.finds5m.moveTo(time);
    this.points5m.moveTo(time);
    this.depth5m.moveTo(time);
    this.depths5m.moveTo(time);
    this.spent1h.moveTo(time);
  }
}

class Hunt {
  #clock = 0;
  readonly digs1m = new HopWindow(MINUTE, 10 * SECOND);
  readonly finds5m = new HopWindow(5 * MINUTE, MINUTE);
  readonly best1h = new HopWindow(60 * MINUTE, 10 * MINUTE);
  readonly finds1h = new HopWindow(60 * MINUTE, 10 * MINUTE);
  readonly spent1h = new HopWindow(60 * MINUTE, 10 * MINUTE);

  moveTo(time: number): void {
    if (time <= this.#clock) return;
    this.#clock = time;
    this.digs1m.moveTo(time);
    this.finds5m.moveTo(time);
    this.best1h.moveTo(time);
    this.finds1h.moveTo(time);
    this.spent1h.moveTo(time);
  }
}

export interface Features {
  readonly digs1m: number;
  readonly digs5m: number;
  readonly clues5m: number;
  readonly finds5m: number;
  readonly points5m: number;
  readonly depth5m: number | null;
  readonly spent1h: number;
  readonly lastLat: number | null;
  readonly lastLon: number | null;
  readonly quiet: number | null;
  readonly huntDigs1m: number;
  readonly huntFinds5m: number;
  readonly huntBest1h: number | null;
  readonly huntSpent1h: number;
}

const players = new Map<number, Player>();
const hunts = new Map<number, Hunt>();

/** Takes the event in and answers what the features are then. */
export function featuresWith(event: GameEvent, receivedAt: number): Features {
  const time = Math.min(event.event_time, receivedAt + FUTURE_SKEW_MS);
  const player = entity(players, event.player_id, () => new Player());
  const hunt = entity(hunts, event.hunt_id, () => new Hunt());
  const { lat: lastLat, lon: lastLon, lastTime } = player;
  player.moveTo(time);
  hunt.moveTo(time);
  count(event, time, player, hunt);
  player.lastTime = time;
  player.lat = event.lat ?? player.lat;
  player.lon = event.lon ?? player.lon;
  const depths = player.depths5m.sum();
  return {
    digs1m: player.digs1m.sum(),
    digs5m: player.digs5m.sum(),
    clues5m: player.clues5m.sum(),
    finds5m: player.finds5m.sum(),
    points5m: player.points5m.sum(),
    depth5m: depths > 0 ? player.depth5m.sum() / (depths * CENTS) : null,
    spent1h: player.spent1h.sum() / CENTS,
    lastLat,
    lastLon,
    quiet: lastTime === null ? null : time - lastTime,
    huntDigs1m: hunt.digs1m.sum(),
    huntFinds5m: hunt.finds5m.sum(),
    huntBest1h: hunt.finds1h.sum() > 0 ? hunt.best1h.max() : null,
    huntSpent1h: hunt.spent1h.sum() / CENTS,
  };
}

function count({ dig, clue, find, purchase }: GameEvent, time: number, player: Player, hunt: Hunt): void {
  if (dig) {
    player.digs1m.add(time, 1);
    player.digs5m.add(time, 1);
    player.depth5m.add(time, Math.round(dig.depth * CENTS));
    player.depths5m.add(time, 1);
    hunt.digs1m.add(time, 1);
  } else if (clue) player.clues5m.add(time, 1);
  else if (find) {
    player.finds5m.add(time, 1);
    player.points5m.add(time, find.points);
    hunt.finds5m.add(time, 1);
    hunt.best1h.raise(time, find.points);
    hunt.finds1h.add(time, 1);
  } else if (purchase) {
    const cents = Math.round(purchase.amount * CENTS);
    player.spent1h.add(time, cents);
    hunt.spent1h.add(time, cents);
  }
}

function entity<Entity>(all: Map<number, Entity>, key: number, create: () => Entity): Entity {
  let one = all.get(key);
  if (one === undefined) all.set(key, (one = create()));
  return one;
}
