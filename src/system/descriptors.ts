/**
 * How many connections a process may have, from the descriptors that the system gives it: whoever runs out of them can open
 * neither a file of the spool nor a part of a table. Read at start, by the main thread and by the child process of
 * ClickHouse.
 */

import { readFileSync } from 'node:fs';
import { OperatingError } from '../errors.ts';

/**
 * Measured on Node 20 with one worker and one ingress thread: 47 idle; each thread more has 4, and a snapshot and a batch
 * open some.
 */
const MAIN_RESERVE = 128;
/** ClickHouse has 115 idle; a merge or a query of wide parts opens a file for each column of each part. */
const CLICKHOUSE_RESERVE = 192;
/** What the kernel gives by default is 1,024 and more. */
const DESCRIPTORS_MIN = 256;
/** The rest is for what is not foreseen. */
const MAIN_SHARE = 3 / 4;
const CLICKHOUSE_SHARE = 1 / 2;

/** Beyond these, where descriptors are no bound. */
const EVENTS_MAX = 65_536;
const CLICKHOUSE_MAX = 16_384;

export interface ConnectionBounds {
  /** On the events' port, over all ingress threads. */
  readonly events: number;
  readonly clickhouse: number;
  /** Files that this process may have open; null: as many as it likes. */
  readonly descriptors: number | null;
}

/** Throws where there are so few that the process would end of it sooner or later. */
export function connectionBounds(limit = descriptorLimit()): ConnectionBounds {
  if (limit < DESCRIPTORS_MIN) {
    throw new OperatingError(
      'too_few_descriptors',
      `too few files may be open at once: limit=${limit} needed=${DESCRIPTORS_MIN}; raise it (ulimit -n 4096, or LimitNOFILE= of the service)`,
    );
  }
  return {
    events: Math.min(EVENTS_MAX, Math.floor((limit - MAIN_RESERVE) * MAIN_SHARE)),
    clickhouse: Math.min(CLICKHOUSE_MAX, Math.floor((limit - CLICKHOUSE_RESERVE) * CLICKHOUSE_SHARE)),
    descriptors: Number.isFinite(limit) ? limit : null,
  };
}

/** The limit of this process; Node has raised it as far as it may. Infinity where the system has none, or does not say. */
function descriptorLimit(): number {
  let text: string;
  try {
    text = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return Infinity;
  }
  const found = /^Max open files\s+(\d+|unlimited)/m.exec(text);
  return found === null || found[1] === 'unlimited' ? Infinity : Number(found[1]);
}
