/**
 * Brings tables and ledger to the last whole epoch of the spool, version by version: a snapshot is read by the version that
 * took it, epochs are applied by those that decided them, and between two versions the tables change as they did then.
 * Called by engine/start.ts before any thread runs.
 */

import { join } from 'node:path';
import { readBlockHeader } from '../../native-free-core/columns/load-block.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { backfilledEntities } from '../../native-free-core/plan/change-plan.ts';
import { trimEntities } from '../../native-free-core/state/trim-entities.ts';
import { createSideReplayer } from '../../native-free-core/decide/side-replay.ts';
import {
  after,
  before,
  BEFORE_FIRST,
  earlier,
  entriesOf,
  isBefore,
  reaches,
  written,
  type EventLog,
  type Position,
} from '../contract/event-log.ts';
import { describeChange } from '../config/index.ts';
import { OperatingError } from '../errors.ts';
import { allocateChange, sweepTables, withoutAdoption } from '../memory/change-memory.ts';
import { replayEpochs, restoreTables, type RecoveringVersion } from './recover-tables.ts';
import { allocateMemory, describeMemory, type SharedMemory } from '../memory/regions.ts';
import { namesRoom } from '../memory/snapshot-tables.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { Log } from '../system/log.ts';
import type { PipelineVersion, PipelineVersions } from '../versions/pipeline-versions.ts';
import { ACCOUNT_FOLDER, planRebuild, rebuildTables, type Rebuilt, type RebuildStart } from './rebuild.ts';
import type { BatchLog } from '../warehouse/insert/batch-log.ts';
import { MARK_NAME } from '../spool/durable-mark.ts';
import type { SpoolExpectation } from '../spool/inspect.ts';
import { recoverSpool, type RecoveredSpool } from '../spool/recover-spool.ts';
import { restoreNewest, type LoadedSnapshot } from '../spool/snapshot-file.ts';
import { listSnapshots, snapshotPath } from '../spool/snapshot-layout.ts';
import { readSnapshotHeader } from '../spool/snapshot-load.ts';
import { nodeStorage } from '../spool/storage.ts';
import type { ClickHouse } from '../warehouse/clickhouse.ts';
import { claimStoredTables } from '../warehouse/insert/claim-tables.ts';
import { fillFromRows } from '../warehouse/rows/index.ts';
import { openTables } from '../workers/open-tables.ts';

export interface RecoveryInput {
  /** The data folder. */
  readonly data: string;
  readonly workers: number;
  readonly ingresses: number;
  readonly versions: PipelineVersions;
  readonly ledger: Ledger;
  readonly clickhouse: ClickHouse;
  readonly batchLog: BatchLog;
  readonly eventLog: EventLog;
  /** Of the log's end, which a former process had begun. */
  readonly cutBytes: number;
  readonly log: Log;
}

export interface RecoveredEngine {
  readonly plan: Plan;
  readonly memory: SharedMemory;
  readonly replayedBytes: number;
  /** Where no snapshot was left; null: there was one, or the spool holds all. */
  readonly rebuilt: Rebuilt | null;
}

/** A version as recovery goes through it. */
interface Version extends RecoveringVersion {
  readonly memory: SharedMemory;
}

/** What tells of the spool, beside the spool itself. */
export interface LogFolder {
  /** The data folder. */
  readonly data: string;
  readonly batchLog: BatchLog;
  /** Of the spool's files to come. */
  readonly segmentBytes: number;
}

/**
 * Finds out how far the spool is whole. Throws where it lacks what had been durable: before anything of the folder is
 * changed.
 */
export function recoverLog(folder: LogFolder): RecoveredSpool {
  return recoverSpool(nodeStorage, join(folder.data, 'spool'), folder.segmentBytes, expectationOf(folder));
}

export async function recoverEngine(input: RecoveryInput, given: PipelineVersion): Promise<RecoveredEngine> {
  const { ledger, versions, eventLog, log } = input;
  const begun = performance.now();
  const { snapshot, chunks, rebuild, ...first } = restoreSnapshot(input, given);
  const { plan, memory } = first;
  log('info', 'shared memory reserved', describeMemory(memory, plan));
  // The versions whose tables recovery goes through, by their plan.
  const memories = new Map<Plan, SharedMemory>([[plan, memory]]);
  const change = async (from: RecoveringVersion, number: number, epoch: Position): Promise<Version> => {
    const version = await changeTables(input, { ...from, memory: memories.get(from.plan)! }, number, before(epoch));
    versions.found(number, before(epoch));
    memories.set(version.plan, version.memory);
    return version;
  };
  const rebuilt = rebuild === null ? null : await rebuildTables(input, rebuild, first);
  const firstEpoch = firstReplayed(rebuild, eventLog);
  // What either the tables or the ledger lack.
  const from = snapshot === null ? firstEpoch : earlier(snapshot.fromEpoch, after(ledger.epoch));
  const { epochs, rows, bytes, ...last } = await replayEpochs(
    first,
    ledger,
    entriesOf(eventLog, from, eventLog.last),
    change,
  );
  const active = versions.activations().at(-1);
  const isBehind =
    active !== undefined && active.number !== last.plan.versionNumber && reaches(active.afterEpoch, eventLog.last);
  const { plan: running } = isBehind ? await change(last, active.number, after(eventLog.last)) : last;
  const { entities, limits = [] } = openTables(memories.get(running)!);
  for (const table of [...entities, ...limits]) trimEntities(table, written(eventLog.last));
  const seconds = Number(((performance.now() - begun) / 1000).toFixed(3));
  log('info', 'recovered', {
    chunks,
    epochs,
    rows,
    bytes,
    seconds,
    lastEpoch: eventLog.last,
    cutBytes: input.cutBytes,
    version: running.version,
  });
  return { plan: running, memory: memories.get(running)!, replayedBytes: bytes, rebuilt };
}

/** What the spool must hold, by all that was written down elsewhere. */
export function expectationOf({ data, batchLog }: LogFolder): SpoolExpectation {
  const confirmed = batchLog.confirmedEpoch;
  const promised = [{ epoch: batchLog.sealedEpoch, by: 'the batch log' }];
  let neededFrom = after(confirmed);
  for (const name of ['snapshots', ACCOUNT_FOLDER]) {
    const folder = join(data, name);
    nodeStorage.makeDirectory(folder);
    const newest = listSnapshots(nodeStorage, folder).flatMap((atEpoch) => {
      const header = readSnapshotHeader(nodeStorage, snapshotPath(folder, atEpoch));
      return header === null ? [] : [{ ...header, atEpoch }];
    })[0];
    if (newest === undefined) continue;
    promised.push({ epoch: newest.atEpoch, by: name });
    if (name === 'snapshots') neededFrom = earlier(neededFrom, newest.fromEpoch);
  }
  return {
    markFile: join(data, MARK_NAME),
    folderId: batchLog.knownLogNumber,
    promised,
    neededFrom,
    storedEpoch: confirmed,
    verifiedFrom: after(confirmed),
  };
}

interface Restored extends Version {
  readonly snapshot: LoadedSnapshot | null;
  readonly chunks: number;
  /** Where there is none, and the spool has been trimmed: how the tables are to be filled. */
  readonly rebuild: RebuildStart | null;
}

/** The tables of the version that took the newest whole snapshot, as it has them; empty ones where there is none. */
function restoreSnapshot(input: RecoveryInput, given: PipelineVersion): Restored {
  const { data, eventLog, ledger, log } = input;
  const restore = (snapshot: LoadedSnapshot | null): Restored => {
    if (snapshot !== null) checkSnapshot(snapshot, eventLog, data);
    const rebuild = snapshot === null && isBefore(after(BEFORE_FIRST), eventLog.first) ? planRebuild(input) : null;
    const firstEpoch = firstReplayed(rebuild, eventLog);
    const plan = firstVersion(input, given, snapshot, firstEpoch);
    const saved = snapshot?.chunks() ?? rebuild?.account?.chunks;
    const names = saved === undefined ? undefined : namesRoom(plan, saved);
    const memory = allocateMemory(plan, input.workers, input.ingresses, names);
    const tables = openTables(memory);
    const chunks = snapshot === null ? 0 : restoreTables({ plan, tables }, ledger, snapshot.chunks());
    return { plan, memory, tables, snapshot, chunks, rebuild };
  };
  return (
    restoreNewest(nodeStorage, join(data, 'snapshots'), restore, (message) => log('warn', message)) ?? restore(null)
  );
}

/** Without a snapshot. Where nothing of the spool is applied, the version that begins is the one that runs. */
function firstReplayed(rebuild: RebuildStart | null, { first }: EventLog): Position {
  return rebuild === null ? first : after(rebuild.throughEpoch);
}

/** The version that wrote what is oldest of what is read; that of the given file where nothing is there yet. */
function firstVersion(
  { versions, data, eventLog }: RecoveryInput,
  given: PipelineVersion,
  snapshot: LoadedSnapshot | null,
  firstEpoch: Position,
): Plan {
  const oldest = snapshot === null ? oldestNumber(eventLog, firstEpoch) : numberOf(snapshot.pipelineVersion);
  const number = oldest ?? versions.activations().at(-1)?.number ?? given.plan.versionNumber;
  if (number === given.plan.versionNumber) {
    const { plan, importMap, sources } = given;
    versions.keep({ plan, importMap, sources });
    // Its lists are as the files have them now.
    return plan;
  }
  const known = versions.find(number);
  if (known !== null) return known.plan;
  throw new OperatingError(
    'pipeline_changed',
    `the data folder was written by a version of the pipeline that it does not know: data=${data} its_version=${number.toString(16)} this_version=${given.plan.version}; ` +
      'start with the pipeline file that wrote it, or choose another --data',
  );
}

/** A version's number is the begin of its hash. */
function numberOf(version: string): number {
  return Number.parseInt(version.slice(0, 8), 16);
}

function oldestNumber(eventLog: EventLog, first: Position): number | null {
  for (const { blocks } of entriesOf(eventLog, first, earlier(first, eventLog.last)))
    return readBlockHeader(blocks[0]!).pipelineNumber;
  return null;
}

/** Tables of another version, from those of the one before it as they stand after `afterEpoch`. */
async function changeTables(
  input: RecoveryInput,
  from: Version,
  number: number,
  afterEpoch: Position,
): Promise<Version> {
  const { versions, eventLog, clickhouse, log } = input;
  const plan = versions.planOf(number);
  const { change, edits } = describeChange(from.plan, plan, { rollback: true });
  if (change === null) {
    throw new OperatingError(
      'change_refused',
      `a change of the pipeline cannot be repeated: from=${from.plan.version} to=${plan.version}\n${edits.map(({ path, text }) => `${path}: ${text}`).join('\n')}`,
    );
  }
  const { memory, side } = allocateChange(from.memory, from.plan, plan, change);
  if (backfilledEntities(change).length > 0) {
    const { logNumber, confirmedEpoch } = input.batchLog;
    const throughEpoch = earlier(afterEpoch, confirmedEpoch);
    await claimStoredTables(clickhouse, input.batchLog, log);
    const tables = openTables(side);
    await fillFromRows({ clickhouse, logNumber, plan, change, tables, living: from.tables, throughEpoch });
    const replayer = createSideReplayer(from.plan, plan, change, tables);
    for (const { epoch, blocks } of entriesOf(eventLog, after(throughEpoch), afterEpoch))
      replayer.replay(blocks, written(epoch));
  }
  const swept = openTables(memory);
  for (const _ of sweepTables(swept));
  log('info', 'the pipeline changed here', { from: from.plan.version, to: plan.version, afterEpoch });
  const settled = withoutAdoption(memory);
  return { plan, memory: settled, tables: openTables(settled) };
}

/** One from beyond the spool's end has lost its epochs; one of another folder is as good as damaged. */
function checkSnapshot(snapshot: LoadedSnapshot, { last, number }: EventLog, data: string): void {
  if ((snapshot.folderId ?? number) !== number)
    throw new OperatingError('snapshot_corrupt', `it belongs to another data folder than data=${data}`);
  if (reaches(last, snapshot.atEpoch)) return;
  throw new OperatingError(
    'spool_behind_snapshot',
    `the spool ends before the snapshot: data=${data} last_epoch=${written(last)} snapshot_epoch=${written(snapshot.atEpoch)}; files of the spool are missing: restore the folder from a copy`,
  );
}
