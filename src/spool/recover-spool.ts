/**
 * Finds out what a former process left in the log: which epochs are whole, and where the torn tail begins. What had been
 * durable and is not there any more stops the start (inspect.ts says how that is known). Called once by the main thread at
 * start, before the spool thread; the result is plain data and goes to that thread.
 *
 * Why nothing behind the cut comes back later: the spool's next start writes and syncs a RUN record at the cut (or a new
 * segment) with a higher run number before it takes the first epoch, and records of another run are not believed.
 */

import { randomInt } from 'node:crypto';

import type { Totals } from '../../native-free-core/layout/log-totals.ts';
import { BEFORE_FIRST, LAST, positionOf, written, type Position } from '../contract/event-log.ts';
import { OperatingError } from '../errors.ts';
import { describeDamage, inspectSpool, totalsThrough } from './inspect.ts';
import type { SpoolDamage, SpoolExpectation, SpoolInspection } from './inspect.ts';
import { slotPath } from './segment-pool.ts';
import type { SegmentInfo } from './segment-pool.ts';
import type { Storage } from './storage.ts';

/** Plain data: structured clone carries it to the spool thread. */
export interface RecoveredSpool {
  /** The oldest epoch still in the log; the one after `lastEpoch` where the log holds none. */
  readonly firstEpoch: Position;
  /** The last whole epoch ever committed, trimmed ones included; BEFORE_FIRST where there never was one. */
  readonly lastEpoch: Position;
  readonly totals: Totals;
  /** Bytes of epochs that were begun behind the last whole one, and are cut off. */
  readonly cutBytes: number;
  /** Highest run number found. */
  readonly run: number;
  /** Stands in every file of this log, so that one of another folder is known. */
  readonly folderId: number;
  /** Of the newest durable epoch as far as the mark knows, ms UTC. */
  readonly receivedAt: number;
  /** Oldest first; the last one is where writing goes on, at `position`. */
  readonly segments: readonly SegmentInfo[];
  readonly position: number;
  readonly spareSlots: readonly number[];
  readonly slotMax: number;
}

const NOTHING_EXPECTED: SpoolExpectation = {
  promised: [],
  storedEpoch: BEFORE_FIRST,
  neededFrom: LAST,
  verifiedFrom: LAST,
};
const FOLDER_ID_END = 2 ** 32;

/** `segmentBytes`: size of the segments to come; left-over files of another size are removed. */
export function recoverSpool(
  storage: Storage,
  directory: string,
  segmentBytes: number,
  expected: SpoolExpectation = NOTHING_EXPECTED,
): RecoveredSpool {
  storage.makeDirectory(directory);
  const inspection = inspectSpool(storage, directory, segmentBytes, expected);
  if (inspection.damages.length > 0) throw spoolDamaged(directory, inspection, expected.storedEpoch);
  return takeOver(storage, directory, inspection, expected.folderId ?? 0);
}

/** Makes sure of what was found whole, and removes the files that are of no use. */
function takeOver(
  storage: Storage,
  directory: string,
  inspection: SpoolInspection,
  expectedId: number,
): RecoveredSpool {
  const { segments, mark, spareSlots, unusedSlots, slotMax, cutBytes } = inspection;
  const last = segments.at(-1);
  if (last !== undefined) {
    // What a killed process had written and not synced is whole in memory only: it counts from here on, so it must stay.
    const file = storage.open(slotPath(directory, last.header.info.slot));
    file.fdatasync();
    file.close();
  }
  for (const slot of unusedSlots) storage.unlink(slotPath(directory, slot));
  storage.fsyncDirectory(directory);
  const lastEpoch = last?.scan.lastEpoch ?? 0;
  return {
    firstEpoch: positionOf(segments[0]?.header.info.firstEpoch ?? lastEpoch + 1),
    lastEpoch: positionOf(lastEpoch),
    totals: totalsThrough(segments),
    cutBytes,
    run: last?.scan.run ?? 0,
    folderId: inspection.folderId || expectedId || randomInt(1, FOLDER_ID_END),
    receivedAt: typeof mark === 'string' ? 0 : mark.mark.receivedAt,
    segments: segments.map(({ header }) => header.info),
    position: last?.scan.position ?? 0,
    spareSlots,
    slotMax,
  };
}

/** One line: what is missing, how it is known, what to do. */
function spoolDamaged(directory: string, { damages }: SpoolInspection, storedEpoch: Position): OperatingError {
  const missing = damages.filter(({ firstEpoch, lastEpoch }) => firstEpoch <= lastEpoch);
  const text = damages.map(describeDamage).join('; ');
  const sum = missing.length === 0 ? 'missing_epochs=none' : describeMissing(missing);
  return new OperatingError(
    'spool_corrupt',
    `the spool is damaged: folder=${directory} ${sum} stored_in_clickhouse_through_epoch=${written(storedEpoch)}: ${text}; restore the folder from a copy, ` +
      'or start once with --accept-loss, which writes down what is gone and goes on without it',
  );
}

function describeMissing(missing: readonly SpoolDamage[]): string {
  const ranges = missing.map(({ firstEpoch, lastEpoch }) => `${firstEpoch}-${lastEpoch}`).join(',');
  const known = missing.every(({ events }) => events !== null);
  const events = missing.reduce((sum, damage) => sum + (damage.events ?? 0), 0);
  return `missing_epochs=${ranges} events_in_them=${known ? events : 'unknown'}`;
}
