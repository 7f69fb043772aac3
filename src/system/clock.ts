/**
 * The two clocks. Whoever measures how long something takes asks the one that never goes back; the wall clock only tells
 * what time it is for people and for received_at, and may jump by hours either way at any moment. Any thread.
 * test/tidy.test.ts holds who may ask it.
 */

/** ms UTC */
export function wallMs(): number {
  return Date.now();
}

export function wallTime(): string {
  return new Date(wallMs()).toISOString();
}

/** ms since some moment, the same one for all threads of the process; never falls. */
export function monotonicMs(): number {
  return performance.now() + THREAD_BEGAN_AT;
}

/** `performance.now()` counts from the start of its thread. */
const THREAD_BEGAN_AT = machineMs() - performance.now();

function machineMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
