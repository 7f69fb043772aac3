/**
 * Whether the server does what it is for: answer frames, store what it answered, let it be asked in SQL. Looked at once a
 * second on the main thread; `/readyz` says it, with a reason in words for each part that fails, and the log says when it
 * changes.
 *
 *   answers   the workers run, the disk takes what they decided, and the spool has room
 *   storing   batches go into ClickHouse, or there is nothing to store
 *   queries   ClickHouse answers a SELECT from the engine's table in time; asked every five seconds while it does
 */

import { after, BEFORE_FIRST, reaches, written, type Position } from '../contract/event-log.ts';
import {
  NOT_READY_STARTING,
  NOT_READY_STOPPING,
  type Failing,
  type Readiness,
  type ReadyPart,
} from '../contract/readiness.ts';
import type { Log } from '../system/log.ts';

export interface ReadinessSources {
  readonly durableEpoch: () => Position;
  /** The last epoch that has begun. */
  readonly touchedEpoch: () => Position;
  readonly spool: () => { readonly full: boolean; readonly liveBytes: number; readonly diskFull: boolean } | null;
  readonly spoolBytesMax: number;
  /** Who keeps the log from being trimmed, and why. */
  readonly logHeldBy: () => { readonly why: string };
  /** null: all goes well. */
  readonly storing: () => { readonly what: string; readonly error: string; readonly sinceMs: number } | null;
  /** How long nothing has been stored although rows wait for it, ms. */
  readonly stalledMs: () => number;
  /** Rejects where ClickHouse does not answer a SELECT. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  readonly announce: (readiness: Readiness) => void;
  readonly log: Log;
}

export interface ReadinessWatch {
  readonly now: Readiness;
  /** From now on it is looked at; resolves after the first look. */
  begin(): Promise<void>;
  stop(): void;
}

const LOOK_MS = 1000;
/** While it goes well: a SELECT takes some 5 ms of CPU here and in ClickHouse, most of what an idle server took in all. */
const PROBE_EVERY_MS = 5000;
/** ClickHouse answers within milliseconds; under the heaviest queries beside it, within a second. */
const PROBE_MS_MAX = 5000;
/** An fsync takes some ms; on a disk that is as busy as it can be, a second. */
const DURABLE_MS_MAX = 5000;
/** An insert may fail once, while the child is started again. */
const STORING_MS_MAX = 2000;
/** The insert of the largest batch, with merges in its way, takes some seconds. */
const STALLED_MS_MAX = 15_000;
const GIB = 2 ** 30;

export function watchReadiness(sources: ReadinessSources): ReadinessWatch {
  let state = NOT_READY_STARTING;
  const queries = watchQueries(sources.probe);
  let stuckEpoch: Position = BEFORE_FIRST;
  let stuckSince = performance.now();
  const answers = (): string | null => {
    const durable = sources.durableEpoch();
    if (durable !== stuckEpoch || reaches(durable, sources.touchedEpoch())) {
      stuckEpoch = durable;
      stuckSince = performance.now();
    }
    const spool = sources.spool();
    if (spool?.diskFull === true) return 'the disk is full: new frames are refused until it has room';
    if (spool?.full === true) {
      const size = `live=${(spool.liveBytes / GIB).toFixed(2)} GiB max=${(sources.spoolBytesMax / GIB).toFixed(2)} GiB`;
      return `the spool is full and new frames are refused: ${size}; ${sources.logHeldBy().why}`;
    }
    const waited = performance.now() - stuckSince;
    return waited > DURABLE_MS_MAX
      ? `frames wait for the disk: epoch=${written(after(durable))} seconds=${Math.round(waited / 1000)}`
      : null;
  };
  const storing = (): string | null => {
    const failing = sources.storing();
    if (failing !== null && failing.sinceMs > STORING_MS_MAX)
      return `could not ${failing.what} for ${Math.round(failing.sinceMs / 1000)} s: ${failing.error}`;
    const stalled = sources.stalledMs();
    return stalled > STALLED_MS_MAX ? `rows wait and none are stored: seconds=${Math.round(stalled / 1000)}` : null;
  };
  const look = (): void => {
    queries.look();
    const found: [ReadyPart, string | null][] = [
      ['answers', answers()],
      ['storing', storing()],
      ['queries', queries.failing],
    ];
    const failing = found.flatMap(([part, reason]) => (reason === null ? [] : [{ part, reason }]));
    tellChange(sources.log, state, failing);
    state = { ready: failing.length === 0, failing };
    sources.announce(state);
  };
  let timer: NodeJS.Timeout | null = null;
  return {
    get now() {
      return state;
    },
    async begin() {
      await queries.ask();
      look();
      timer = setInterval(look, LOOK_MS);
    },
    stop() {
      if (timer !== null) clearInterval(timer);
      state = NOT_READY_STOPPING;
      sources.announce(state);
    },
  };
}

interface QueriesWatch {
  readonly failing: string | null;
  /** Asks ClickHouse; resolves once it has answered or should have. */
  ask(): Promise<void>;
  /** Once a second: asks where it is time to. */
  look(): void;
}

function watchQueries(probe: ReadinessSources['probe']): QueriesWatch {
  let failing: string | null = null;
  let asking: Promise<void> | null = null;
  let askedAt = 0;
  const ask = async (): Promise<void> => {
    askedAt = performance.now();
    try {
      await probe(AbortSignal.timeout(PROBE_MS_MAX));
      failing = null;
    } catch (error) {
      failing = `ClickHouse does not answer a SELECT: ${reasonOf(error)}`;
    }
  };
  return {
    get failing() {
      return failing;
    },
    ask,
    look() {
      // The timer may come a little early.
      const isDue = failing !== null || performance.now() - askedAt > PROBE_EVERY_MS - LOOK_MS / 2;
      if (isDue) asking ??= ask().finally(() => (asking = null));
    },
  };
}

/** One line for each part that began or ceased to fail; a reason whose numbers grow is not new. */
function tellChange(log: Log, before: Readiness, failing: readonly Failing[]): void {
  const failed = new Set(before.failing.map(({ part }) => part));
  for (const { part, reason } of failing) if (!failed.has(part)) log('warn', 'not ready', { part, reason });
  for (const { part } of before.failing) {
    if (part !== 'start' && !failing.some((one) => one.part === part)) log('info', 'ready again', { part });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${PROBE_MS_MAX} ms`;
  const cause = error.cause instanceof Error ? error.cause.message || error.cause.name : '';
  return [error.message, cause]
    .filter((text) => text !== '')
    .join(': ')
    .slice(0, 500);
}
