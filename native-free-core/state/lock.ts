/**
 * A lock in one Int32 of shared memory: 0 free, 1 held, 2 held and somebody waits.
 * Held for the time of one entity's update, so a short spin nearly always gets it; a thread that was put off its
 * processor while holding one makes the others sleep instead of burning theirs. One lock at a time, so no deadlock.
 */
// hot path: no allocation

const FREE = 0;
const HELD = 1;
const CONTENDED = 2;
/** Nobody holds it, and the first look says that somebody does (`warmUpLock`). */
const WARMING_UP = 3;
/** About the length of one update: longer spinning only helps if the holder runs, and on 2 cores it may not. */
const SPINS_MAX = 64;

export function acquireLock(words: Int32Array, at: number): void {
  if (Atomics.compareExchange(words, at, FREE, HELD) === FREE) return;
  acquireContended(words, at);
}

export function releaseLock(words: Int32Array, at: number): void {
  if (Atomics.exchange(words, at, FREE) === CONTENDED) Atomics.notify(words, at, 1);
}

function acquireContended(words: Int32Array, at: number): void {
  for (let spin = 0; spin < SPINS_MAX; spin++) {
    if (Atomics.compareExchange(words, at, FREE, HELD) === FREE) return;
  }
  for (;;) {
    const before = Atomics.exchange(words, at, CONTENDED);
    if (before === FREE) return;
    if (before === WARMING_UP) Atomics.store(words, at, FREE);
    Atomics.wait(words, at, CONTENDED, 1000);
  }
}

/**
 * Takes a free lock as if another thread held it, and releases it: V8 throws compiled code away that comes upon a way which
 * was never gone, and a loop that has the lock's code within it is thrown away whole. Only where no other thread can see the
 * lock.
 */
export function warmUpLock(words: Int32Array, at: number): void {
  words[at] = WARMING_UP;
  acquireLock(words, at);
  releaseLock(words, at);
}
