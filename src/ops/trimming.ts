/**
 * Keeps the spool short: takes a snapshot when enough has been written since the last one, and gives back the segments
 * that neither a snapshot nor ClickHouse needs any more. Main thread, once a second.
 */

import type { Log } from './log.ts';

export interface TrimmingSources {
  readonly spool: {
    figures(): { readonly liveBytes: number; readonly bytes: number } | null;
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
  readonly log: Log;
}

export interface Trimming {
  /** Takes one with the next look, whatever has been written since the last one. */
  takeSnapshot(): void;
  /** No snapshot is begun and nothing trimmed until the returned function is called; resolves when none is under way. */
  hold(): Promise<() => void>;
  stop(): Promise<void>;
}

const SNAPSHOT_AFTER_BYTES = 1 << 30;
/** A quiet server takes one so often where anything has come in at all. */
const SNAPSHOT_AFTER_MS = 300_000;
const LOOK_MS = 1000;

export function keepTrimmed(sources: TrimmingSources): Trimming {
  const { spool, snapshots, snapshotAfterBytes = SNAPSHOT_AFTER_BYTES, log } = sources;
  let snapshotAt = performance.now();
  // Crashes in a row must not make each replay longer than the one before.
  let snapshotBytes = -sources.replayedBytes;
  let written = 0;
  let lastTrim = 0;
  let running: Promise<void> | null = null;
  let holds = 0;
  let wanted = false;
  const look = async (): Promise<void> => {
    const figures = spool.figures();
    written = figures?.bytes ?? written;
    const due = written - snapshotBytes > snapshotAfterBytes || performance.now() - snapshotAt > SNAPSHOT_AFTER_MS;
    if (wanted || (due && written > snapshotBytes)) {
      snapshotBytes = written;
      await snapshots.take();
      wanted = false;
      snapshotAt = performance.now();
      log('info', 'snapshot taken', snapshots.figures);
    }
    const needed = Math.min(snapshots.neededFrom, sources.ledger.epoch + 1);
    if (needed <= lastTrim) return;
    const below = Math.min(needed, (await sources.confirmedOnDisk()) + 1);
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
