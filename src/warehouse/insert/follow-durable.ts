/**
 * Keeps the follower at the heels of the spool: looks every LOOK_MS while something becomes durable, and not at all while
 * nothing does, until what has come is due. Wakes whoever inserts. Main thread, for warehouse.ts.
 */

import { setImmediate as soon, setTimeout as pause } from 'node:timers/promises';
import { BEFORE_FIRST, isBefore, type Position } from '../../contract/event-log.ts';
import type { EpochFollower } from './epoch-follower.ts';

/** Each look has a fixed cost, and a row is visible so much later. */
const LOOK_MS = 20;
/** Nothing becomes durable: a lost wake-up costs no more than this. */
const IDLE_MS = 1000;

export interface DurableSource {
  readonly durableEpoch: () => Position;
  /** Resolves once an epoch beyond this one is durable, or after so many ms. */
  readonly whenDurableMoves: (beyond: Position, msMax: number) => Promise<void>;
}

export class DurableFollowing {
  readonly #source: DurableSource;
  readonly #follower: EpochFollower;
  #stopping = false;
  /** End the wait of this loop, and of whoever inserts, where there is one. */
  #wake: () => void = () => undefined;
  #tellDue: () => void = () => undefined;

  constructor(source: DurableSource, follower: EpochFollower) {
    this.#source = source;
    this.#follower = follower;
  }

  /** Ends when nothing is to be followed any more. */
  async run(isOver: () => boolean): Promise<void> {
    let before = BEFORE_FIRST;
    while (!isOver()) {
      const through = this.#source.durableEpoch();
      const isCaughtUp = this.#follower.follow();
      const dueMs = this.#follower.msUntilDue();
      if (dueMs === 0 || this.#stopping) this.#tellDue();
      if (!isCaughtUp) await soon();
      else if (this.#stopping || isBefore(before, through)) await pause(LOOK_MS);
      else await this.#untilMoved(through, dueMs);
      before = through;
    }
    this.#tellDue();
  }

  /** A range may be due, or there is nothing more to wait for. */
  whenDue(): Promise<void> {
    return new Promise((resolve) => (this.#tellDue = resolve));
  }

  /** From now on it waits for nothing: what is durable is to be inserted soon. */
  hurry(): void {
    this.#stopping = true;
    this.#wake();
  }

  async #untilMoved(through: Position, dueMs: number): Promise<void> {
    const msMax = Math.max(LOOK_MS, Math.min(IDLE_MS, dueMs));
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    await Promise.race([this.#source.whenDurableMoves(through, msMax), woken]);
  }
}
