/**
 * Which accesses are ordered, by vector clocks: an atomic read comes after the atomic write whose value it sees, and a
 * thread's own accesses follow one another. Two accesses of one word by two threads, one of them a write and not both atomic, that
 * nothing orders are a race.
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

  /** Enters a step of a thread into `holder.order`; returns a thread with whose access it races, or -1. `before`: the word's value. */
  note(holder: { order: OrderState }, thread: number, access: Access, before: number): number {
    const { kind, address, value } = access;
    const isAtomic = kind !== 'read' && kind !== 'write';
    const writes = isWrite(kind) && (kind !== 'compareExchange' || before === value);
    const reads = kind !== 'write' && kind !== 'store';
    const { clocks, released, touched } = holder.order;
    let clock = [...clocks[thread]!];
    clock[thread]!++;
    if (isAtomic && reads) clock = joined(clock, released.get(address));
    const touches = touched.get(address) ?? zeros(this.#threads * KINDS);
    const race = this.#raceWith(touches, thread, clock, isAtomic, writes);
    const noted = [...touches];
    const place = thread * KINDS + (isAtomic ? ATOMIC_WRITE : PLAIN_WRITE);
    if (writes) noted[place] = clock[thread]!;
    if (reads) noted[place + 1] = clock[thread]!;
    holder.order = {
      clocks: clocks.map((one, i) => (i === thread ? clock : one)),
      released: isAtomic && writes ? new Map(released).set(address, clock) : released,
      touched: new Map(touched).set(address, noted),
    };
    return race;
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

  /** States of one key go on alike: touches that every thread knows of cannot race any more. */
  keyOf({ clocks, released, touched }: OrderState): string {
    const parts = clocks.map((clock) => clock.join());
    for (const [address, clock] of sorted(released)) parts.push(`r${address}:${clock.join()}`);
    for (const [address, touches] of sorted(touched)) {
      const live = touches.map((time, i) => {
        const thread = Math.floor(i / KINDS);
        return clocks.every((clock) => clock[thread]! >= time) ? 0 : time;
      });
      if (live.some((time) => time > 0)) parts.push(`t${address}:${live.join()}`);
    }
    return parts.join(' ');
  }
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

function isWrite(kind: Access['kind']): boolean {
  return kind !== 'read' && kind !== 'load' && kind !== 'wait' && kind !== 'notify';
}

function joined(clock: Clock, other: Clock | undefined): number[] {
  return clock.map((time, i) => Math.max(time, other?.[i] ?? 0));
}

function sorted<T>(map: ReadonlyMap<number, T>): [number, T][] {
  return [...map].sort(([a], [b]) => a - b);
}
