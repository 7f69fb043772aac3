/**
 * Which accesses are ordered, by vector clocks: an atomic read comes after the atomic write whose value it sees, and a
 * thread's own accesses follow one another. Two accesses of one word by two threads, one of them a write and not both
 * atomic, that nothing orders are a race.
 */

import type { Access } from './model-memory.ts';

/** Of each thread how many of its steps are known to have been made. */
type Clock = readonly number[];

/** Of one word, for each thread four times of its own last step: plain write, plain read, atomic write, atomic read. */
type Touches = readonly number[];

export interface OrderState {
  readonly clocks: readonly Clock[];
  /** Word -> what its last atomic write knew. */
  readonly released: ReadonlyMap<number, Clock>;
  readonly touched: ReadonlyMap<number, Touches>;
}

/** Of a step under way. */
export interface OrderDraft extends OrderState {
  readonly clocks: Clock[];
  readonly released: Map<number, Clock>;
  readonly touched: Map<number, Touches>;
}

const PLAIN_WRITE = 0;
const PLAIN_READ = 1;
const ATOMIC_WRITE = 2;
const ATOMIC_READ = 3;
const KINDS = 4;

export class Order {
  readonly #threads: number;

  constructor(threads: number) {
    this.#threads = threads;
  }

  start(): OrderState {
    const none = zeros(this.#threads);
    return { clocks: none.map(() => none), released: new Map(), touched: new Map() };
  }

  draft({ clocks, released, touched }: OrderState): OrderDraft {
    return { clocks: [...clocks], released: new Map(released), touched: new Map(touched) };
  }

  /** Enters an access of a thread; returns a thread with whose access it races, or -1. `before`: the word's value. */
  note(draft: OrderDraft, thread: number, access: Access, before: number): number {
    const { kind, address, value } = access;
    const { clocks, released, touched } = draft;
    const isAtomic = kind !== 'read' && kind !== 'write';
    const writes = isWrite(kind) && (kind !== 'compareExchange' || before === value);
    const reads = kind !== 'write' && kind !== 'store';
    const known = isAtomic && reads ? released.get(address) : undefined;
    const clock = clocks[thread]!.map((time, i) => (i === thread ? time + 1 : Math.max(time, known?.[i] ?? 0)));
    clocks[thread] = clock;
    const touches = [...(touched.get(address) ?? zeros(this.#threads * KINDS))];
    const race = this.#raceWith(touches, thread, clock, isAtomic, writes);
    const place = thread * KINDS + (isAtomic ? ATOMIC_WRITE : PLAIN_WRITE);
    if (writes) touches[place] = clock[thread]!;
    if (reads) touches[place + 1] = clock[thread]!;
    touched.set(address, touches);
    if (isAtomic && writes) released.set(address, clock);
    return race;
  }

  /** Forgets what cannot matter any more: what every thread knows of races with nothing, and tells nobody anything. */
  settle({ clocks, released, touched }: OrderDraft): void {
    const known = clocks[0]!.map((_, thread) => Math.min(...clocks.map((clock) => clock[thread]!)));
    for (const [address, clock] of released)
      if (clock.every((time, thread) => time <= known[thread]!)) released.delete(address);
    for (const [address, touches] of touched) {
      const live = touches.map((time, i) => (time > known[Math.floor(i / KINDS)]! ? time : 0));
      if (live.some((time) => time > 0)) touched.set(address, live);
      else touched.delete(address);
    }
  }

  #raceWith(touches: Touches, thread: number, clock: Clock, isAtomic: boolean, writes: boolean): number {
    for (let other = 0; other < this.#threads; other++) {
      if (other === thread) continue;
      const known = clock[other]!;
      const after = (kind: number): boolean => touches[other * KINDS + kind]! > known;
      if (after(PLAIN_WRITE) || (writes && after(PLAIN_READ))) return other;
      if (!isAtomic && (after(ATOMIC_WRITE) || (writes && after(ATOMIC_READ)))) return other;
    }
    return -1;
  }

  /** Settled states of one key go on alike: of the times only their order counts. */
  keyOf({ clocks, released, touched }: OrderState): string {
    const rows: [string, readonly number[]][] = clocks.map((clock) => ['', clock]);
    for (const [address, clock] of sorted(released)) rows.push([`r${address}`, clock]);
    for (const [address, touches] of sorted(touched)) {
      for (let kind = 0; kind < KINDS; kind++)
        rows.push([`t${address}`, clocks.map((_, thread) => touches[thread * KINDS + kind]!)]);
    }
    const ranks = clocks.map((_, thread) => ranksOf(rows.map(([, times]) => times[thread]!)));
    return rows.map(([name, times]) => name + times.map((time, thread) => ranks[thread]!.get(time)).join()).join(' ');
  }
}

function ranksOf(times: readonly number[]): Map<number, number> {
  return new Map([...new Set(times)].sort((a, b) => a - b).map((time, rank) => [time, rank]));
}

function isWrite(kind: Access['kind']): boolean {
  return kind !== 'read' && kind !== 'load' && kind !== 'wait' && kind !== 'notify';
}

function sorted<T>(map: ReadonlyMap<number, T>): [number, T][] {
  return [...map].sort(([a], [b]) => a - b);
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}
