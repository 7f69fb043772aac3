/**
 * How long tests wait on a busy machine. A bound in a test is for a machine that runs nothing else; where others run, too,
 * it grows by the share of the processor that is left. Read anew for each bound, since the others come and go.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';

/** Beyond this a test that waits has hung. */
const SLOWNESS_MAX = 20;
/** A spin of fixed work: its time on the machine where the bounds were chosen. */
const SPIN_STEPS = 2_000_000;
const SPIN_MS_REFERENCE = 2;

/** Milliseconds on a quiet machine, as milliseconds on this one as it is now. */
export function patient(ms: number): number {
  return Math.ceil(ms * Math.min(SLOWNESS_MAX, Math.max(1, slowness) * Math.max(1, demand())));
}

/** How much slower one core is than that of the reference, with nobody else on it: the best of several spins. */
const slowness = Math.min(...Array.from({ length: 5 }, spin)) / SPIN_MS_REFERENCE;

function spin(): number {
  const begun = performance.now();
  let x = 1;
  for (let i = 0; i < SPIN_STEPS; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  return performance.now() - begun + (x === 0 ? 1 : 0);
}

/** Threads that want a core, for each core: of the last minute or of this moment, whichever is more. */
function demand(): number {
  return Math.max(loadavg()[0]!, runnable()) / availableParallelism();
}

function runnable(): number {
  try {
    return Number(/ (\d+)\/\d+ /.exec(readFileSync('/proc/loadavg', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
