/**
 * How many queries run at once, by kind: a fixed set of slots and a bounded queue in front of them; a full queue is an
 * answer (503), not a longer wait. Child process.
 */
import { EngineFailure } from './engine-failure.ts';
import { WAITING_REQUESTS_MAX } from './child-bounds.ts';

export interface QuerySlots<Slot> {
  /** Runs the work with a slot of its own. Throws TOO_MANY_SIMULTANEOUS_QUERIES when too many wait already. */
  with<Result>(work: (slot: Slot) => Promise<Result>): Promise<Result>;
  readonly running: number;
}

export function createQuerySlots<Slot>(name: string, slots: readonly Slot[]): QuerySlots<Slot> {
  const free = [...slots];
  const waiting: ((slot: Slot) => void)[] = [];

  const take = (): Promise<Slot> => {
    const slot = free.pop();
    if (slot !== undefined) return Promise.resolve(slot);
    if (waiting.length >= WAITING_REQUESTS_MAX) {
      throw new EngineFailure(
        202,
        'TOO_MANY_SIMULTANEOUS_QUERIES',
        `Too many simultaneous queries: kind=${name} running=${slots.length} waiting=${waiting.length}. Try again later`,
      );
    }
    return new Promise((resolve) => waiting.push(resolve));
  };
  const give = (slot: Slot): void => {
    const next = waiting.shift();
    if (next === undefined) free.push(slot);
    else next(slot);
  };

  return {
    async with(work) {
      const slot = await take();
      try {
        return await work(slot);
      } finally {
        give(slot);
      }
    },
    get running() {
      return slots.length - free.length;
    },
  };
}
