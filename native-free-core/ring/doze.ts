/**
 * Dozing: a thread that has nothing to do before some time waits at its doorbell without saying that it sleeps. So a ring
 * (doorbell.ts) costs whoever rings no system call, and does not end the doze. `wake` does: for what cannot wait.
 *
 * Dozer: load the bell's word as the ticket, look once more for what `wake` tells of, then `doze`.
 */
// hot path: no allocation

/** As a ring, and ends a doze, too. */
export function wake(words: Int32Array, bell: number): void {
  Atomics.add(words, bell, 1);
  Atomics.notify(words, bell);
}

/** Blocks this thread until a `wake`, at most `milliseconds`; returns at once where something has rung since `ticket`. */
export function doze(words: Int32Array, bell: number, ticket: number, milliseconds: number): void {
  Atomics.wait(words, bell, ticket, milliseconds);
}
