/**
 * The epoch protocol (docs/semantics.md §4, "no ghosts"): workers share entity tables, so what one stores may rest on what
 * another has just changed. A worker joins the running epoch before it touches state; the first that wants to end it
 * closes it to newcomers; when all that joined have arrived at its end, the epoch is over and the next one begins.
 * With one worker this is a lock and an unlock. Words: layout/control-layout.ts.
 *
 * An epoch's received_at is the time of the wall clock, as long as that runs on or jumps ahead. Where it is set back,
 * received_at runs on by the monotonic clock, a sixteenth slower, until the wall clock has caught up: an hour takes sixteen.
 * So it never falls, and what depends on it (windows of limits, ids, ttl, days) never stands still.
 */
// hot path: no allocation

import { DAY_MS } from '../base/time.ts';
import { WORD } from '../base/words.ts';
import {
  BELL_STRIDE,
  EPOCH_ACTIVE,
  EPOCH_ARRIVED,
  EPOCH_CLOCK_HIGH,
  EPOCH_CLOCK_LOW,
  EPOCH_CLOSING,
  EPOCH_DAY,
  EPOCH_HIGH,
  EPOCH_LOCK,
  EPOCH_LOW,
  EPOCH_MILLISECOND,
  EPOCH_SIXTEENTHS,
  PARTICIPANTS,
  PARTICIPANTS_RING,
  WORKER_BELL,
} from '../layout/control-layout.ts';
import { wake } from '../ring/doze.ts';
import { acquireLock, releaseLock } from '../state/lock.ts';

/** A worker that waits for the others looks again at least this often, so that a lost wake-up costs little. */
const WAIT_MS = 20;

export interface EpochTicket {
  epoch: number;
  epochLow: number;
  /** received_at of every row of the epoch, ms UTC. */
  receivedAt: number;
  /** Blocks that the epoch has; known once `arriveAtEnd` has returned. */
  participants: number;
}

export function createTicket(): EpochTicket {
  return { epoch: 0, epochLow: 0, receivedAt: 0, participants: 0 };
}

/** Before any worker runs: the number of the first epoch, and the newest received_at that is stored already. */
export function startEpochs(words: Int32Array, firstEpoch: number, receivedAtMin: number): void {
  words[EPOCH_LOW] = (firstEpoch % WORD) | 0;
  words[EPOCH_HIGH] = Math.floor(firstEpoch / WORD);
  words[EPOCH_DAY] = Math.floor(receivedAtMin / DAY_MS);
  words[EPOCH_MILLISECOND] = receivedAtMin % DAY_MS;
  words[EPOCH_SIXTEENTHS] = 0;
  words[EPOCH_CLOCK_LOW] = 0;
  words[EPOCH_CLOCK_HIGH] = 0;
}

/** The running epoch's number, for whoever has not joined it. */
export function runningEpochLow(words: Int32Array): number {
  return Atomics.load(words, EPOCH_LOW);
}

/** The running epoch's whole number. Whoever joins it learns it from its ticket. */
export function runningEpoch(words: Int32Array): number {
  acquireLock(words, EPOCH_LOCK);
  const epoch = epochUnderLock(words);
  releaseLock(words, EPOCH_LOCK);
  return epoch;
}

/**
 * The last epoch that may have changed a table until now. Under the lock: an epoch that ended between two looks would be
 * taken for one that nobody has joined.
 */
export function lastTouchedEpoch(words: Int32Array): number {
  acquireLock(words, EPOCH_LOCK);
  const epoch = words[EPOCH_ACTIVE] === 0 ? epochUnderLock(words) - 1 : epochUnderLock(words);
  releaseLock(words, EPOCH_LOCK);
  return epoch;
}

function epochUnderLock(words: Int32Array): number {
  return (words[EPOCH_LOW] >>> 0) + (words[EPOCH_HIGH] >>> 0) * WORD;
}

/** True once some worker has reached the end of the running epoch: the others should hurry there. */
export function isClosing(words: Int32Array): boolean {
  return Atomics.load(words, EPOCH_CLOSING) !== 0;
}

/**
 * Joins the running epoch, waiting out one that is closing. `now`: ms UTC, of the wall clock; `monotonic`: ms, one clock for
 * all threads.
 */
export function joinEpoch(words: Int32Array, ticket: EpochTicket, now: number, monotonic: number): void {
  for (;;) {
    acquireLock(words, EPOCH_LOCK);
    if (words[EPOCH_CLOSING] === 0) break;
    const low = words[EPOCH_LOW];
    releaseLock(words, EPOCH_LOCK);
    Atomics.wait(words, EPOCH_LOW, low, WAIT_MS);
  }
  if (words[EPOCH_ACTIVE]++ === 0) {
    const sixteenths = Math.max(sixteenthsAt(words, monotonic), now * 16);
    const receivedAt = Math.floor(sixteenths / 16);
    words[EPOCH_DAY] = Math.floor(receivedAt / DAY_MS);
    words[EPOCH_MILLISECOND] = receivedAt % DAY_MS;
    words[EPOCH_SIXTEENTHS] = sixteenths % 16;
    words[EPOCH_CLOCK_LOW] = (monotonic % WORD) | 0;
    words[EPOCH_CLOCK_HIGH] = Math.floor(monotonic / WORD);
  }
  ticket.epochLow = words[EPOCH_LOW];
  ticket.epoch = epochUnderLock(words);
  ticket.receivedAt = words[EPOCH_DAY] * DAY_MS + words[EPOCH_MILLISECOND];
  releaseLock(words, EPOCH_LOCK);
}

/** received_at of an epoch that would begin now. */
export function timeNow(words: Int32Array, now: number, monotonic: number): number {
  acquireLock(words, EPOCH_LOCK);
  const sixteenths = Math.max(sixteenthsAt(words, monotonic), now * 16);
  releaseLock(words, EPOCH_LOCK);
  return Math.floor(sixteenths / 16);
}

/** How far received_at has come by the monotonic clock alone, in sixteenths of a millisecond. Under the lock. */
function sixteenthsAt(words: Int32Array, monotonic: number): number {
  const before = (words[EPOCH_DAY] * DAY_MS + words[EPOCH_MILLISECOND]) * 16 + words[EPOCH_SIXTEENTHS];
  const at = (words[EPOCH_CLOCK_LOW] >>> 0) + (words[EPOCH_CLOCK_HIGH] >>> 0) * WORD;
  return at === 0 ? before : before + Math.max(0, Math.floor(monotonic) - at) * 15;
}

/** Ends this worker's part of the epoch that it joined; returns when all others have ended theirs. */
export function arriveAtEnd(words: Int32Array, ticket: EpochTicket, worker: number, workers: number): void {
  arrive(words, worker, workers);
  awaitOthers(words, ticket);
}

/** Says that this worker has ended its part; the last one begins the next epoch. */
export function arrive(words: Int32Array, worker: number, workers: number): void {
  acquireLock(words, EPOCH_LOCK);
  const first = words[EPOCH_CLOSING] === 0;
  // Read without the lock, too (isClosing).
  if (first) Atomics.store(words, EPOCH_CLOSING, 1);
  const over = ++words[EPOCH_ARRIVED] === words[EPOCH_ACTIVE];
  if (over) beginNext(words);
  releaseLock(words, EPOCH_LOCK);
  if (over) Atomics.notify(words, EPOCH_LOW);
  else if (first) wakeOthers(words, worker, workers);
}

/** Returns when the epoch of the ticket is over. */
export function awaitOthers(words: Int32Array, ticket: EpochTicket): void {
  while (Atomics.load(words, EPOCH_LOW) === ticket.epochLow) Atomics.wait(words, EPOCH_LOW, ticket.epochLow, WAIT_MS);
  ticket.participants = words[PARTICIPANTS + (ticket.epochLow & (PARTICIPANTS_RING - 1))];
}

function beginNext(words: Int32Array): void {
  const low = words[EPOCH_LOW];
  words[PARTICIPANTS + (low & (PARTICIPANTS_RING - 1))] = words[EPOCH_ACTIVE];
  words[EPOCH_ACTIVE] = 0;
  words[EPOCH_ARRIVED] = 0;
  Atomics.store(words, EPOCH_CLOSING, 0);
  if (low === -1) words[EPOCH_HIGH]++;
  Atomics.store(words, EPOCH_LOW, (low + 1) | 0);
}

function wakeOthers(words: Int32Array, worker: number, workers: number): void {
  for (let i = 0; i < workers; i++) if (i !== worker) wake(words, WORKER_BELL + i * BELL_STRIDE);
}
