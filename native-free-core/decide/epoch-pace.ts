/**
 * How long a worker lets its block grow before it ends the epoch. Every epoch costs a write, a sync and a wake-up of three
 * threads, however small it is. So where many small frames come one after another, the interval grows from the one that
 * the worker is given to INTERVAL_MS_MAX. Owned by the worker; run.ts goes by it, complete-block.ts tells it of each block.
 *
 *   base --(STEADY_BLOCKS small blocks in a row, many frames a ms)--> grown --(few frames, many rows, or none came late)--> base
 *
 * Clients that wait for their answers before they send on gain nothing from a longer block: all their frames come at its
 * begin. The newest frame's age tells, and each time the interval has grown in vain it takes twice as many blocks to grow.
 */
// hot path: no allocation

import type { Block } from './block.ts';

/** p99 of an answer stays below 5 ms: this, the sync, and what a wake-up takes on a busy machine. */
const INTERVAL_MS_MAX = 3;
/** Fewer frames a ms cost little as they are, and whoever sends them wants an answer soon. */
const FRAMES_PER_MS_MIN = 3;
/** A block of so many frames has its fixed costs spread: it need not grow on. */
const FRAMES_ENOUGH = 100;
/** A block of so many events costs more by its rows than by being a block. */
const EVENTS_ENOUGH = 500;
/** Nothing came in the last ms or two of the block, by the wall clock's whole ms. */
const STALE_MS = 2;
const STEADY_BLOCKS = 8;
const STEADY_BLOCKS_MAX = 1024;

export interface EpochPace {
  /** Least time between two epochs that this worker ends of its own accord, ms. */
  intervalMs: number;
  /** Small blocks in a row, and how many it takes for the interval to grow. */
  steady: number;
  steadyNeeded: number;
}

/** What of a decider tells its pace. */
interface Paced {
  readonly pace: EpochPace;
  readonly block: Pick<Block, 'answers' | 'newestAt'>;
  readonly lastSealedAt: number;
  readonly input: {
    readonly epochIntervalMs: number;
    readonly workers: number;
    readonly now: () => number;
    readonly monotonic: () => number;
  };
}

export function createPace(baseMs: number): EpochPace {
  return { intervalMs: baseMs, steady: 0, steadyNeeded: STEADY_BLOCKS };
}

/** After each block, before it is emptied. The workers take about as many frames each. */
export function keepPace(d: Paced): void {
  const { epochIntervalMs, workers } = d.input;
  const { answers, newestAt } = d.block;
  const elapsedMs = Math.max(d.input.monotonic() - d.lastSealedAt, epochIntervalMs);
  const staleMs = isGrown(d) ? d.input.now() - newestAt : 0;
  adapt(d.pace, epochIntervalMs, (answers.count * workers) / elapsedMs, answers.events, staleMs);
}

/** Whether the block may take longer than the interval that the worker was given: small frames come one after another. */
export function isGrown(d: Paced): boolean {
  return d.pace.intervalMs > d.input.epochIntervalMs;
}

/** `events`: of the block; `staleMs`: since its newest frame was admitted. */
export function adapt(pace: EpochPace, baseMs: number, framesPerMs: number, events: number, staleMs: number): void {
  const wasGrown = pace.intervalMs > baseMs;
  if (framesPerMs < FRAMES_PER_MS_MIN || events > EVENTS_ENOUGH || (wasGrown && staleMs >= STALE_MS)) {
    if (wasGrown) pace.steadyNeeded = Math.min(STEADY_BLOCKS_MAX, pace.steadyNeeded * 2);
    pace.steady = 0;
    pace.intervalMs = baseMs;
    return;
  }
  if (wasGrown) pace.steadyNeeded = STEADY_BLOCKS;
  if (++pace.steady < pace.steadyNeeded) return;
  pace.intervalMs = Math.max(baseMs, Math.min(INTERVAL_MS_MAX, FRAMES_ENOUGH / framesPerMs));
}
