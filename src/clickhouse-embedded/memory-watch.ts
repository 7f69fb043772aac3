/**
 * Keeps the process within its memory. The engine counts what its queries hold and refuses what goes beyond; what they have
 * given back stays with the allocator for 30 s (allocator.ts), and is counted by nobody: with queries that end one after
 * another the process took twice its bound (measured: 2.9 GiB of 1.5). So the resident size is looked at, and pages without
 * use go back at once where they are needed. Child process.
 */

import { readFileSync } from 'node:fs';
import type { ChdbEngine } from './chdb.ts';

/**
 * Of the bound: what the engine's own count may reach. The rest is for what it does not count: this process, stacks,
 * fragments.
 */
export const COUNTED_SHARE = 0.7;
/** From here on pages are given back. */
const PURGE_SHARE = 0.75;
/** The engine takes some 2 GB/s at the most: no look is needed before it could have reached the mark. */
const BYTES_PER_MS_MAX = 2e6;
/** A look costs 0.3 ms on a busy machine: twenty a second were most of what an idle engine took. */
const LOOK_MS_MIN = 50;
const LOOK_MS_MAX = 1000;
/** A purge took 0.4 s for 700 MB (measured), on a thread of its own. */
const PAUSE_MS = 200;
const PAGE_BYTES = 4096;
const TELL_MS = 60_000;

export interface MemoryWatch {
  stop(): void;
}

export function watchMemory(
  engine: ChdbEngine,
  bytesMax: number,
  log: (level: 'warn', message: string, fields: Record<string, unknown>) => void,
): MemoryWatch {
  const connection = engine.connect(new Map());
  let purging: Promise<unknown> | null = null;
  let purgedAt = -Infinity;
  let toldAt = -Infinity;
  let timer: NodeJS.Timeout;
  const look = (): void => {
    const bytes = anonymousBytes();
    timer = setTimeout(look, msUntilLook(bytes, bytesMax * PURGE_SHARE));
    const now = performance.now();
    if (bytes > bytesMax && now - toldAt > TELL_MS) {
      toldAt = now;
      log('warn', 'the embedded ClickHouse takes more memory than it may; pages are given back', { bytes, bytesMax });
    }
    if (bytes < bytesMax * PURGE_SHARE || purging !== null || now - purgedAt < PAUSE_MS) return;
    purging = connection
      .run('SYSTEM JEMALLOC PURGE')
      .catch((error: unknown) => log('warn', 'memory could not be given back', { error: String(error) }))
      .finally(() => {
        purging = null;
        purgedAt = performance.now();
      });
  };
  look();
  return {
    stop() {
      clearTimeout(timer);
      if (purging === null) connection.close();
    },
  };
}

/** So soon `bytes` may have grown to `mark`. */
export function msUntilLook(bytes: number, mark: number): number {
  return Math.max(LOOK_MS_MIN, Math.min(LOOK_MS_MAX, (mark - bytes) / BYTES_PER_MS_MAX));
}

/** Resident, without files: what no other process can have meanwhile. */
function anonymousBytes(): number {
  const [, resident = '0', shared = '0'] = readFileSync('/proc/self/statm', 'latin1').split(' ');
  return (Number(resident) - Number(shared)) * PAGE_BYTES;
}
