/**
 * Keeps the log short: takes a snapshot when enough has been written since the last one, and trims below the position that
 * the slowest of the log's consumers still needs. Main thread, once a second.
 */

import { BEFORE_FIRST, isBefore, type LogConsumer, type Position } from '../contract/event-log.ts';
import type { Log } from '../system/log.ts';

export interface TrimmingSources {
  readonly eventLog: {
    figures(): { readonly liveBytes: number; readonly bytes: number; readonly full: boolean } | null;
    trim(below: Position): void;
  };
  readonly snapshots: {
    readonly figures: object;
    take(): Promise<void>;
    stop(): Promise<void>;
  };
  /** Spool that this start has replayed: the last snapshot is older by so much. */
  readonly replayedBytes: number;
  /** Whoever still needs what the log holds; those that it costs something to ask come last. */
  readonly consumers: readonly LogConsumer[];
  /** So much spool since the last snapshot is a few seconds of replay at start. */
  readonly snapshotAfterBytes?: number;
  /** Beyond it frames are refused: snapshots come early enough, and at once where it is reached all the same. */
  readonly spoolBytesMax: number;
  readonly log: Log;
}

export interface Trimming {
  /** Takes one with the next look, whatever has been written since the last one. */
  takeSnapshot(): void;
  /** No snapshot is begun and nothing trimmed until the returned function is called; resolves when none is under way. */
  hold(): Promise<() => void>;
  /** Who keeps the log from being shorter, and why, in words. */
  heldBy(): Holder;
  stop(): Promise<void>;
}

/** The slowest consumer. */
export interface Holder {
  readonly consumer: string;
  /** The first position that it needs. */
  readonly from: Position;
  readonly why: string;
}

const SNAPSHOT_AFTER_BYTES = 1 << 30;
/** A quiet server takes one so often where anything has come in at all. */
const SNAPSHOT_AFTER_MS = 300_000;
const LOOK_MS = 1000;
/** Between two snapshots there is room for one that is being taken, and for what ClickHouse has not stored yet. */
const SPOOL_SHARE = 1 / 4;
/** A snapshot that fails is tried again after so long, and later each time. */
const RETRY_MS_MIN = 2000;
const RETRY_MS_MAX = 60_000;

export function keepTrimmed(sources: TrimmingSources): Trimming {
  const { eventLog, snapshots, spoolBytesMax, log } = sources;
  const snapshotAfterBytes = fittingBytes(sources);
  let snapshotAt = performance.now();
  // Crashes in a row must not make each replay longer than the one before.
  let snapshotBytes = -sources.replayedBytes;
  let written = 0;
  let lastTrim = BEFORE_FIRST;
  let running: Promise<void> | null = null;
  let holds = 0;
  let wanted = false;
  let slowest: { readonly consumer: LogConsumer; readonly from: Position } | null = null;
  const attempts = snapshotAttempts(() => snapshots.take());
  const look = async (): Promise<void> => {
    const figures = eventLog.figures();
    written = figures?.bytes ?? written;
    const now = performance.now();
    const isFull = figures?.full === true && figures.liveBytes >= spoolBytesMax;
    const due = isFull || written - snapshotBytes > snapshotAfterBytes || now - snapshotAt > SNAPSHOT_AFTER_MS;
    if ((wanted || (due && written > snapshotBytes)) && attempts.mayBegin(now)) {
      const through = written;
      await attempts.begin();
      wanted = false;
      snapshotBytes = through;
      snapshotAt = performance.now();
      log('info', 'snapshot taken', snapshots.figures);
    }
    slowest = await slowestOf(sources.consumers, lastTrim);
    if (slowest === null || !isBefore(lastTrim, slowest.from)) return;
    lastTrim = slowest.from;
    eventLog.trim(lastTrim);
  };
  const timer = setInterval(() => {
    if (holds > 0) return;
    running ??= look()
      // Nothing is lost by a spool that stays long for a while: the next look tries again.
      .catch((error: unknown) => log('error', 'the spool could not be trimmed; trying again', { error: String(error) }))
      .finally(() => (running = null));
  }, LOOK_MS);
  return {
    takeSnapshot() {
      wanted = true;
    },
    heldBy() {
      const { consumer, from } = slowest ?? { consumer: sources.consumers[0]!, from: lastTrim };
      return { consumer: consumer.name, from, why: consumer.waitsFor(from) };
    },
    async hold() {
      holds++;
      await running;
      let held = true;
      return () => {
        if (held) holds--;
        held = false;
      };
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

/** Nobody is asked any more once one needs what is trimmed next. */
async function slowestOf(consumers: readonly LogConsumer[], lastTrim: Position) {
  let slowest: { readonly consumer: LogConsumer; readonly from: Position } | null = null;
  for (const consumer of consumers) {
    const from = await consumer.neededFrom();
    if (slowest === null || isBefore(from, slowest.from)) slowest = { consumer, from };
    if (!isBefore(lastTrim, from)) break;
  }
  return slowest;
}

interface SnapshotAttempts {
  /** False for a while after one that failed, and longer each time. */
  mayBegin(now: number): boolean;
  begin(): Promise<void>;
}

function snapshotAttempts(take: () => Promise<unknown>): SnapshotAttempts {
  let retryMs = RETRY_MS_MIN;
  let retryAt = 0;
  return {
    mayBegin: (now) => now >= retryAt,
    async begin() {
      try {
        await take();
        retryMs = RETRY_MS_MIN;
      } catch (error) {
        retryAt = performance.now() + retryMs;
        retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
        throw error;
      }
    },
  };
}

/** So much spool between two snapshots as its bound allows, whatever was asked for. */
function fittingBytes({ snapshotAfterBytes = SNAPSHOT_AFTER_BYTES, spoolBytesMax, log }: TrimmingSources): number {
  const most = Math.floor(spoolBytesMax * SPOOL_SHARE);
  if (snapshotAfterBytes > most) {
    const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
    log('info', 'snapshots are taken earlier than asked for, so that the spool does not reach its bound between two', {
      askedMiB: mib(snapshotAfterBytes),
      afterMiB: mib(most),
      spoolMaxMiB: mib(spoolBytesMax),
    });
  }
  return Math.min(snapshotAfterBytes, most);
}
