/**
 * Keeps the spool short: takes a snapshot when enough has been written since the last one, and gives back the segments
 * that neither a snapshot nor ClickHouse needs any more. Main thread, once a second.
 */

import type { Log } from '../system/log.ts';

export interface TrimmingSources {
  readonly spool: {
    figures(): { readonly liveBytes: number; readonly bytes: number; readonly full: boolean } | null;
    trim(belowEpoch: number): void;
  };
  readonly snapshots: {
    readonly running: boolean;
    readonly neededFrom: number;
    readonly figures: object;
    take(): Promise<void>;
    stop(): Promise<void>;
  };
  /** Spool that this start has replayed: the last snapshot is older by so much. */
  readonly replayedBytes: number;
  readonly ledger: { readonly epoch: number };
  /** Epochs up to this one are in ClickHouse, and on its disk. */
  readonly confirmedOnDisk: () => Promise<number>;
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
  /** What keeps the spool from being shorter, in words. */
  heldBy(): string;
  stop(): Promise<void>;
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
  const { spool, snapshots, spoolBytesMax, log } = sources;
  const snapshotAfterBytes = fittingBytes(sources);
  let snapshotAt = performance.now();
  // Crashes in a row must not make each replay longer than the one before.
  let snapshotBytes = -sources.replayedBytes;
  let written = 0;
  let lastTrim = 0;
  let running: Promise<void> | null = null;
  let holds = 0;
  let wanted = false;
  let confirmed = 0;
  let retryMs = RETRY_MS_MIN;
  let retryAt = 0;
  const takeOne = async (): Promise<void> => {
    try {
      await snapshots.take();
      retryMs = RETRY_MS_MIN;
    } catch (error) {
      retryAt = performance.now() + retryMs;
      retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
      throw error;
    }
    wanted = false;
  };
  const look = async (): Promise<void> => {
    const figures = spool.figures();
    written = figures?.bytes ?? written;
    const now = performance.now();
    const isFull = figures?.full === true && figures.liveBytes >= spoolBytesMax;
    const due = isFull || written - snapshotBytes > snapshotAfterBytes || now - snapshotAt > SNAPSHOT_AFTER_MS;
    if ((wanted || (due && written > snapshotBytes)) && now >= retryAt) {
      const through = written;
      await takeOne();
      snapshotBytes = through;
      snapshotAt = performance.now();
      log('info', 'snapshot taken', snapshots.figures);
    }
    const needed = Math.min(snapshots.neededFrom, sources.ledger.epoch + 1);
    if (needed <= lastTrim) return;
    confirmed = await sources.confirmedOnDisk();
    const below = Math.min(needed, confirmed + 1);
    if (below <= lastTrim) return;
    lastTrim = below;
    spool.trim(below);
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
      const needed = snapshots.neededFrom;
      if (confirmed + 1 < needed) return `ClickHouse has not stored the epochs from ${confirmed + 1} on`;
      return snapshots.running ? 'a snapshot is being taken' : 'a snapshot is due';
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
