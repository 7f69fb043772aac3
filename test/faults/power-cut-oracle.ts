/**
 * What the stored rows must be, from the rows alone: entity states in plain code, event by event in (life, seq) order
 * (SEMANTICS §4 to §6, written a second time). A row that rests on one that is not stored is a ghost: its number leaves a
 * gap, or its features are not what the stored rows before it make. The pipeline is power-cut.yaml.
 */

import type { SentEvent } from './power-cut-clients.ts';

export interface StoredRow {
  readonly id: string;
  readonly epoch: number;
  readonly receivedAt: number;
  readonly effectiveTime: number;
  readonly values: Readonly<Record<string, number | string | null>>;
}

interface Contribution {
  readonly time: number;
  readonly amount: number | null;
  readonly good: boolean;
}

interface State {
  readonly life: number;
  seq: number;
  clock: number;
  seen: number;
  /** Those that can still be in a window of a minute. */
  recent: Contribution[];
  totalCents: number;
  before: number | null;
  lastTime: number | null;
  newest: { time: number; amount: number } | null;
}

const WINDOW_MS = 60_000;
const HOP_MS = 2_000;
const LIMIT_MS = 10_000;
const LIMIT_HOP_MS = 200;
const LIMIT_COUNT = 2;
const SKEW_MS = 5_000;
const NO_HUNT = { hunt_seq: null, hunt_life: null, hunt_n: null, hunt_spent: null, hunt_low: null, hunt_newest: null };
const TTL_MS: Readonly<Record<string, number>> = { player: 30 * 86_400_000, hunt: 5_000 };

export class Oracle {
  /** By entity and key: its latest life. By entity, key and life: the state. */
  readonly #lives = new Map<string, number>();
  readonly #states = new Map<string, State>();
  /** By player and life of its limits: the hops of what was taken. */
  readonly #takes = new Map<string, number[]>();
  /** By row: its player's clock then. */
  readonly #clocks = new Map<string, number>();
  /** False: rows of epochs that are not in their order, lives that are not epochs: for logs that a broken engine wrote. */
  readonly #strict: boolean;

  constructor(strict: boolean) {
    this.#strict = strict;
  }

  /** Takes the rows of one epoch (or, not strict, of a whole log) and says what cannot be. */
  take(rows: readonly StoredRow[], eventOf: (id: string) => SentEvent): string[] {
    const wrong: string[] = [];
    const wanted = rows.map((row) => this.#ownColumns(row, eventOf(row.id)));
    for (const entity of ['player', 'hunt'] as const) {
      const order = rows.map((_, i) => i).filter((i) => eventOf(rows[i].id)[entity] !== null);
      const life = (i: number): number => Number(rows[i].values[`${entity}_life`]);
      const seq = (i: number): number => Number(rows[i].values[`${entity}_seq`]);
      order.sort((a, b) => life(a) - life(b) || seq(a) - seq(b));
      for (const i of order) {
        const event = eventOf(rows[i].id);
        const state = this.#stateOf(`${entity}:${event[entity]}`, entity, rows[i], wrong);
        Object.assign(
          wanted[i],
          entity === 'player' ? playerFeatures(state, event, rows[i]) : huntFeatures(state, event, rows[i]),
        );
        if (entity === 'player') this.#clocks.set(rows[i].id, state.clock);
      }
    }
    this.#takeLimits(rows, wrong);
    rows.forEach((row, i) => {
      const { hunt_spent: spent, player_n_1m: busy } = wanted[i];
      const took = Number(row.values['care_seq']) > 0;
      if (took && Number(spent ?? 0) <= 800)
        wrong.push(`limit: epoch=${row.epoch} id=${row.id} took one without its rule`);
      const rule = took ? 'rich' : Number(busy) % 3 === 0 ? 'busy' : 'default';
      Object.assign(wanted[i], { care: { rich: 'stop', busy: 'look', default: 'pass' }[rule], care_rule: rule });
      for (const [name, value] of Object.entries(wanted[i])) {
        if (row.values[name] !== value) {
          wrong.push(`value: epoch=${row.epoch} id=${row.id} ${name}=${row.values[name]} must_be=${value}`);
        }
      }
    });
    return wrong;
  }

  /** Takes are numbered by player; none rests on one that is not stored, and each had room in its window. */
  #takeLimits(rows: readonly StoredRow[], wrong: string[]): void {
    const took = rows.filter(({ values }) => Number(values['care_seq']) > 0);
    const life = ({ values }: StoredRow): number => Number(values['care_life']);
    const seq = ({ values }: StoredRow): number => Number(values['care_seq']);
    for (const row of took.sort((a, b) => life(a) - life(b) || seq(a) - seq(b))) {
      const key = `${row.values['player']}@${life(row)}`;
      const hops = this.#takes.get(key) ?? [];
      this.#takes.set(key, hops);
      const where = `epoch=${row.epoch} id=${row.id} player=${key} seq=${seq(row)}`;
      if (seq(row) !== hops.length + 1) wrong.push(`gap: limit: ${where} must_be=${hops.length + 1}`);
      const hop = Math.floor(row.effectiveTime / LIMIT_HOP_MS);
      const clock = Math.floor((this.#clocks.get(row.id) ?? 0) / LIMIT_HOP_MS);
      const tail = Math.max(clock, ...hops) - LIMIT_MS / LIMIT_HOP_MS;
      if (hop < tail || hops.filter((one) => one >= tail).length >= LIMIT_COUNT) wrong.push(`limit: no room: ${where}`);
      hops.push(hop);
    }
    this.#clocks.clear();
  }

  #ownColumns(row: StoredRow, event: SentEvent): Record<string, number | string | null> {
    const { player, hunt, at, amount, place } = event;
    const effective = Math.min(at, row.receivedAt + SKEW_MS);
    const own = { player, hunt, at, amount, good: Number(event.good), place, effective_time: effective };
    return hunt === null ? { ...own, ...NO_HUNT } : own;
  }

  /** The state that takes the row, numbered; `wrong` grows where the number cannot be. */
  #stateOf(key: string, entity: string, row: StoredRow, wrong: string[]): State {
    const life = Number(row.values[`${entity}_life`]);
    const seq = Number(row.values[`${entity}_seq`]);
    const name = `${key}@${life}`;
    let state = this.#states.get(name);
    const known = this.#lives.get(key);
    if (this.#strict) {
      const former = known === undefined ? undefined : this.#states.get(`${key}@${known}`);
      const forgotten =
        former !== undefined && row.receivedAt - former.seen > TTL_MS[entity] && former.life < row.epoch;
      const begins = former === undefined || forgotten ? row.epoch : former.life;
      if (life !== begins) wrong.push(`life: epoch=${row.epoch} id=${row.id} ${name} must_be=${begins}`);
    }
    if (state === undefined) {
      state = newState(life);
      this.#states.set(name, state);
      this.#lives.set(key, life);
    }
    if (seq !== state.seq + 1)
      wrong.push(`gap: epoch=${row.epoch} id=${row.id} ${name} seq=${seq} must_be=${state.seq + 1}`);
    state.seq = seq;
    return state;
  }
}

function newState(life: number): State {
  return {
    life,
    seq: 0,
    clock: 0,
    seen: 0,
    recent: [],
    totalCents: 0,
    before: null,
    lastTime: null,
    newest: null,
  };
}

/** Moves the clock, drops what has left the window, adds the event where it is inside. */
function enter(state: State, event: SentEvent, row: StoredRow): void {
  const time = row.effectiveTime;
  state.clock = Math.max(state.clock, time);
  state.seen = row.receivedAt;
  const first = Math.floor((state.clock - WINDOW_MS) / HOP_MS);
  state.recent.push({ time, amount: event.amount, good: event.good });
  state.recent = state.recent.filter((one) => Math.floor(one.time / HOP_MS) >= first);
}

function playerFeatures(state: State, event: SentEvent, row: StoredRow): Record<string, number | null> {
  enter(state, event, row);
  const amounts = state.recent.flatMap(({ amount }) => (amount === null ? [] : [amount]));
  const good = state.recent.flatMap((one) => (one.good && one.amount !== null ? [one.amount] : []));
  const features = {
    player_n: state.seq,
    player_n_1m: state.recent.length,
    player_spent: sumCents(amounts) / 100,
    player_mean_good: good.length === 0 ? null : sumCents(good) / (good.length * 100),
    player_high: amounts.length === 0 ? null : Math.max(...amounts),
    player_before: state.before,
    player_quiet: state.lastTime === null ? null : row.effectiveTime - state.lastTime,
  };
  if (event.amount !== null) state.before = event.amount;
  state.lastTime = row.effectiveTime;
  return features;
}

function huntFeatures(state: State, event: SentEvent, row: StoredRow): Record<string, number | null> {
  enter(state, event, row);
  const { amount } = event;
  if (amount !== null) {
    state.totalCents += sumCents([amount]);
    if (state.newest === null || row.effectiveTime >= state.newest.time)
      state.newest = { time: row.effectiveTime, amount };
  }
  const amounts = state.recent.flatMap((one) => (one.amount === null ? [] : [one.amount]));
  return {
    hunt_n: state.seq,
    hunt_spent: state.totalCents / 100,
    hunt_low: amounts.length === 0 ? null : Math.min(...amounts),
    hunt_newest: state.newest?.amount ?? null,
  };
}

/** Amounts are whole cents over 100, so rounding finds the cents back. */
function sumCents(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + Math.round(amount * 100), 0);
}
