/**
 * Doorbells wake a thread that sleeps for want of work. Waking costs a system call, so the producer rings only when
 * the sleeper has said that it sleeps.
 *
 * A bell is two Int32 in shared memory, side by side:
 *   word 0  rings     grows by one with each ring   written by any producer
 *   word 1  sleeping  how many sleepers there are   written by the sleepers
 *
 * Sleeper: `ticket = prepareSleep(...)`, look for work once more, then `sleep(...)` or `cancelSleep(...)`.
 * The look between the two closes the gap in which a ring would be lost.
 */
// hot path: no allocation

export function ring(words: Int32Array, bell: number): void {
  Atomics.add(words, bell, 1);
  if (Atomics.load(words, bell + 1) !== 0) Atomics.notify(words, bell);
}

export function prepareSleep(words: Int32Array, bell: number): number {
  Atomics.add(words, bell + 1, 1);
  return Atomics.load(words, bell);
}

export function cancelSleep(words: Int32Array, bell: number): void {
  Atomics.sub(words, bell + 1, 1);
}

/** Blocks this thread until a ring after `ticket`, at most `milliseconds`. */
export function sleep(words: Int32Array, bell: number, ticket: number, milliseconds: number): void {
  Atomics.wait(words, bell, ticket, milliseconds);
  Atomics.sub(words, bell + 1, 1);
}
