/**
 * A start with `--accept-loss` on a data folder whose spool is damaged: decides what goes on, moves the damaged files aside,
 * writes down what is gone, and leaves a folder that recovers like any other. Called by engine/recovered.ts, before anything
 * else is read.
 *
 *   enough is left    a snapshot, and whole epochs from it through all that ClickHouse has: both stay, later epochs are gone
 *   otherwise         what ClickHouse has is what goes on, and all state is rebuilt from it; epochs of the spool that it lacks are gone
 *                     even where they can be read, since they name strings by numbers that only the missing ones explain
 *
 * Epochs that are gone are numbered anew. Nothing is deleted. A start that ends in the middle of this leaves a folder that
 * is still damaged, and can be started so again.
 */

import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Totals } from '../../native-free-core/layout/log-totals.ts';
import {
  after,
  before,
  BEFORE_FIRST,
  isBefore,
  LAST,
  later,
  positionOf,
  reaches,
  written,
  type Position,
} from '../contract/event-log.ts';
import { wallTime } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Losses } from '../audit/losses.ts';
import { ACCOUNT_FOLDER } from './rebuild.ts';
import type { BatchLog } from '../warehouse/insert/batch-log.ts';
import { MARK_NAME } from '../spool/durable-mark.ts';
import { describeDamage, inspectSpool, type SpoolExpectation, type SpoolInspection } from '../spool/inspect.ts';
import { moveAside, promiseAnew, salvageSpool, wholeRuns, type WholeRun } from '../spool/salvage.ts';
import { listSnapshots, snapshotPath } from '../spool/snapshot-layout.ts';
import { readSnapshotHeader } from '../spool/snapshot-load.ts';
import { nodeStorage } from '../spool/storage.ts';
import type { ClickHouse } from '../warehouse/clickhouse.ts';
import { settleOpenBatches, type StoredSums } from '../warehouse/insert/lost-batches.ts';

export interface AcceptLossInput {
  /** The data folder. */
  readonly data: string;
  readonly segmentBytes: number;
  readonly batchLog: BatchLog;
  readonly clickhouse: ClickHouse;
  readonly losses: Losses;
  readonly log: Log;
}

/** What goes on. */
interface Rest {
  /** Of the spool; null: nothing of it. */
  readonly run: WholeRun | null;
  readonly lastEpoch: Position;
  /** Whether snapshots up to that epoch stay. */
  readonly withSnapshots: boolean;
}

const SNAPSHOTS = 'snapshots';

/** Does nothing where nothing is damaged. */
export async function acceptLoss(input: AcceptLossInput, expected: SpoolExpectation): Promise<void> {
  const { data, log, batchLog, segmentBytes } = input;
  const spool = join(data, 'spool');
  nodeStorage.makeDirectory(spool);
  const inspection = inspectSpool(nodeStorage, spool, segmentBytes, { ...expected, verifiedFrom: after(BEFORE_FIRST) });
  if (inspection.damages.length === 0) {
    log('info', 'nothing is lost: every epoch that had been durable is there');
    return;
  }
  const found = inspection.damages.map(describeDamage);
  const folderId = inspection.folderId || batchLog.knownLogNumber || 1;
  batchLog.nameLog(folderId);
  const stored = await settleOpenBatches(
    input.clickhouse,
    batchLog,
    positionOf(inspection.segments.at(-1)?.scan.lastEpoch ?? 0),
    log,
  );
  const rest = choose(data, inspection, batchLog.confirmedEpoch);
  const { lastEpoch } = rest;
  const totals = totalsThrough(inspection, rest, stored);
  const keptIn = join(data, `damaged-${wallTime().replaceAll(':', '-')}`);
  const mark = typeof inspection.mark === 'string' ? null : inspection.mark;
  const receivedAt = Math.max(mark?.mark.receivedAt ?? 0, stored.receivedAt);
  const salvage = { run: rest.run, lastEpoch, totals, folderId, receivedAt, segmentBytes };
  const isLater = (name: string): boolean => !rest.withSnapshots || isBefore(lastEpoch, epochOf(name));
  for (const name of [SNAPSHOTS, ACCOUNT_FOLDER]) {
    nodeStorage.makeDirectory(join(data, name));
    moveAside(nodeStorage, join(data, name), join(keptIn, name), isLater);
  }
  salvageSpool(nodeStorage, spool, join(keptIn, 'spool'), inspection, salvage);
  batchLog.cutTo(lastEpoch);
  writeDown(input, inspection, { lastEpoch, totals, found, keptIn });
  promiseAnew(nodeStorage, join(data, MARK_NAME), salvage);
}

/**
 * The newest snapshot from which whole epochs lead through everything that ClickHouse has; or what ClickHouse has, alone.
 */
function choose(data: string, inspection: SpoolInspection, confirmedEpoch: Position): Rest {
  const runs = wholeRuns(inspection);
  const folder = join(data, SNAPSHOTS);
  nodeStorage.makeDirectory(folder);
  const begins = listSnapshots(nodeStorage, folder).flatMap((atEpoch) => {
    const header = readSnapshotHeader(nodeStorage, snapshotPath(folder, atEpoch));
    return header === null ? [] : [{ fromEpoch: header.fromEpoch, atEpoch }];
  });
  for (const { fromEpoch, atEpoch } of [...begins, { fromEpoch: after(BEFORE_FIRST), atEpoch: BEFORE_FIRST }]) {
    const run = runs.find((one) => reaches(fromEpoch, one.firstEpoch) && reaches(after(one.lastEpoch), fromEpoch));
    const lastEpoch = run?.lastEpoch ?? before(fromEpoch);
    const isStored =
      reaches(confirmedEpoch, lastEpoch) || (run !== undefined && reaches(after(confirmedEpoch), run.firstEpoch));
    if (reaches(lastEpoch, atEpoch) && reaches(lastEpoch, confirmedEpoch) && isStored)
      return { run: run ?? null, lastEpoch, withSnapshots: true };
  }
  return { run: null, lastEpoch: confirmedEpoch, withSnapshots: false };
}

/** `snapshot-<epoch>.bin` */
function epochOf(name: string): Position {
  const epoch = /^snapshot-(\d+)\.bin$/.exec(name)?.[1];
  return epoch === undefined ? LAST : positionOf(Number(epoch));
}

function totalsThrough(inspection: SpoolInspection, { run, lastEpoch }: Rest, stored: StoredSums): Totals {
  const { mark, segments } = inspection;
  if (run !== null) return run.segments.at(-1)!.scan.totals;
  if (typeof mark !== 'string' && positionOf(mark.mark.epoch) === lastEpoch) return mark.mark.totals;
  const behind = segments.find(({ header }) => positionOf(header.info.firstEpoch) === after(lastEpoch));
  if (behind !== undefined) return behind.header.totals;
  const { rows, frames, received, duplicates, deadLettered } = stored;
  return { rows, frames, received, duplicates, deadLettered, blockBytes: 0 };
}

interface Outcome {
  readonly lastEpoch: Position;
  readonly totals: Totals;
  readonly found: readonly string[];
  readonly keptIn: string;
}

function writeDown(
  { losses, log }: AcceptLossInput,
  { durableEpoch, mark, segments }: SpoolInspection,
  { lastEpoch, totals, found, keptIn }: Outcome,
): void {
  if (reaches(lastEpoch, durableEpoch) && typeof mark !== 'string') {
    log('warn', 'the spool was damaged where nothing is needed any more; no event is lost', { found, keptIn });
    return;
  }
  // Whoever knows of the latest epoch knows the sums.
  const known = segments.map(({ scan }) => ({ epoch: positionOf(scan.lastEpoch), totals: scan.totals }));
  if (typeof mark !== 'string') known.push({ epoch: positionOf(mark.mark.epoch), totals: mark.mark.totals });
  const last = known.reduce((best, one) => (isBefore(best.epoch, one.epoch) ? one : best), {
    epoch: lastEpoch,
    totals,
  });
  const loss = {
    at: wallTime(),
    by: `${userInfo().username}@${hostname()}`,
    firstEpoch: written(after(lastEpoch)),
    lastEpoch: written(later(durableEpoch, lastEpoch)),
    events: Math.max(0, last.totals.received - totals.received),
    accepted: Math.max(0, last.totals.rows - totals.rows),
    isAtLeast: isBefore(last.epoch, durableEpoch) || typeof mark === 'string',
    found,
    markCount: typeof mark === 'string' ? 0 : mark.count,
    keptIn,
  };
  losses.add(loss);
  log('error', 'events that had been answered are lost, and it was accepted', loss);
}
