/**
 * A start of the engine on a disk that forgets, as src/engine/start.ts does it: spool and snapshot into shared tables, then
 * the spool writer. The memory is small: it is made anew for every start, and its lanes fill up.
 */

import { layOutRecord } from '../../native-free-core/features/record-layout.ts';
import { CONTROL_VERSION, CONTROL_WORDS } from '../../native-free-core/layout/control-layout.ts';
import { REGION_CONTROL, createRegion } from '../../native-free-core/layout/region.ts';
import { layOutLimits } from '../../native-free-core/policy/limit-layout.ts';
import { createDictionary } from '../../native-free-core/state/dictionary.ts';
import { createEntityRegions } from '../../native-free-core/state/entity-table.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { createLane, openLane, type Lane } from '../../native-free-core/ring/lane.ts';
import { createReplayer, replayEpoch, type Replayer } from '../../native-free-core/decide/replay.ts';
import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import { ID_ENTRY_WORDS, createIdWindow } from '../../native-free-core/state/id-window.ts';
import { PRODUCER_ROW_BYTES, ROW_ENTRIES } from '../../native-free-core/layout/producer-layout.ts';
import { createProducers } from '../../native-free-core/state/producers.ts';
import { controlWords, type ControlWords } from '../../src/memory/control-words.ts';
import { enterLedger, replayEpochs, restoreTables } from '../../src/recovery/recover-tables.ts';
import { createList, tableShape, type EntityMemory, type SharedMemory } from '../../src/memory/regions.ts';
import { copyTables } from '../../src/memory/snapshot-tables.ts';
import { Ledger } from '../../src/audit/ledger.ts';
import { openSpoolReader } from '../../src/spool/reader.ts';
import { recoverSpool } from '../../src/spool/recover-spool.ts';
import type { RecoveredSpool } from '../../src/spool/recover-spool.ts';
import { restoreNewest } from '../../src/spool/snapshot-file.ts';
import { segmentBytesMin } from '../../src/spool/segment-bytes.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { limitState } from '../policy/limit-world.ts';
import type { LossyStorage } from '../spool/lossy-storage.ts';
import { durableEpoch } from '../spool/simulated-workers.ts';
import {
  after,
  BEFORE_FIRST,
  earlier,
  isBefore,
  LAST,
  positionOf,
  written,
  type LogEntry,
  type Position,
} from '../../src/contract/event-log.ts';

export const SPOOL = '/data/spool';
export const MARK = '/data/durable.mark';
export const SNAPSHOTS = '/data/snapshots';
/** All that the mark promises must be there, whatever the power cut has left. */
const EXPECTED = {
  markFile: MARK,
  promised: [],
  storedEpoch: BEFORE_FIRST,
  neededFrom: LAST,
  verifiedFrom: after(BEFORE_FIRST),
};
/** Producers and places. */
const NAMES_MAX = 1024;
const FRAME_LANE_BYTES = 1 << 16;
/** Takes a block of all frames that the clients may have in flight; the log's segments are as small as this allows. */
const BLOCK_LANE_BYTES = 1 << 16;

export interface Recovered {
  readonly memory: SharedMemory;
  readonly tables: Tables;
  readonly control: ControlWords;
  readonly ledger: Ledger;
  readonly spool: RecoveredSpool;
  /** Epochs that were still in the log, copied. */
  readonly epochs: readonly LogEntry[];
  readonly withSnapshot: boolean;
}

export function smallMemory(plan: Plan, workers: number): SharedMemory {
  const lanes = (bytes: number): SharedArrayBuffer[][] => Array.from({ length: workers }, () => [createLane(bytes)]);
  const table = (max: number, rowBytes: number): EntityMemory => {
    const shape = tableShape(max, rowBytes, workers);
    return { shape, regions: createEntityRegions(shape) };
  };
  return {
    workers,
    ingresses: 1,
    control: createRegion(REGION_CONTROL, CONTROL_VERSION, CONTROL_WORDS * 4),
    frameLanes: lanes(FRAME_LANE_BYTES),
    durableLanes: lanes(FRAME_LANE_BYTES),
    storedLanes: lanes(FRAME_LANE_BYTES),
    blockLanes: lanes(BLOCK_LANE_BYTES).flat(),
    headLane: createLane(4096),
    entities: plan.entities.map((entity) => table(entity.max, layOutRecord(entity).rowBytes)),
    limits: layOutLimits(plan).map(({ entity, rowBytes }) => table(plan.entities[entity].max, rowBytes)),
    lists: (plan.lists ?? []).map(createList),
    producers: createProducers(NAMES_MAX),
    ids: createIdWindow(plan.dedupIdsMax, plan.dedupWindowMs),
    dictionary: createDictionary(NAMES_MAX, NAMES_MAX * 48),
  };
}

/** Blocks of this version name their producers themselves. */
export const noText = (id: number): never => {
  throw new Error(`a producer is known by a dictionary id: id=${id}`);
};

export function segmentBytesOf(memory: SharedMemory): number {
  return segmentBytesMin(memory.blockLanes);
}

export function openOwnLane(lanes: readonly (readonly SharedArrayBuffer[])[], worker: number): Lane {
  return openLane(lanes[worker][0]);
}

/** The log alone. */
export function recoverLog(disk: LossyStorage, plan: Plan, workers: number): RecoveredSpool {
  return recoverSpool(disk, SPOOL, segmentBytesOf(smallMemory(plan, workers)), EXPECTED);
}

/** `recover` of src/engine/start.ts, on this disk. */
export async function recover(disk: LossyStorage, plan: Plan, workers: number): Promise<Recovered> {
  const memory = smallMemory(plan, workers);
  const tables = openTables(memory);
  const control = controlWords(memory);
  const ledger = new Ledger();
  const spool = recoverSpool(disk, SPOOL, segmentBytesOf(memory), EXPECTED);
  const restored = restoreNewest(
    disk,
    SNAPSHOTS,
    (found) => {
      restoreTables({ plan, tables }, ledger, found.chunks());
      return found;
    },
    (message) => {
      throw new Error(message);
    },
  );
  if (restored !== null && isBefore(spool.lastEpoch, restored.atEpoch)) {
    throw new Error(
      `the snapshot is ahead of the spool: at=${written(restored.atEpoch)} last=${written(spool.lastEpoch)}`,
    );
  }
  const reader = openSpoolReader(disk, SPOOL);
  reader.seek(restored === null ? spool.firstEpoch : earlier(restored.fromEpoch, after(ledger.epoch)));
  await replayEpochs({ plan, tables }, ledger, reader.through(spool.lastEpoch), () =>
    Promise.reject(new Error('there is one version only')),
  );
  reader.close();
  control.begin(spool.lastEpoch, ledger.receivedAt);
  const epochs = readEpochs(disk, spool.firstEpoch, spool.lastEpoch);
  return { memory, tables, control, ledger, spool, epochs, withSnapshot: restored !== null };
}

/** As the log of a running engine says it (src/spool/spool-log.ts). */
export function durableOf({ control }: Pick<Recovered, 'control'>): Position {
  return positionOf(durableEpoch(control.words));
}

export function readEpochs(disk: LossyStorage, from: Position, through: Position): LogEntry[] {
  const reader = openSpoolReader(disk, SPOOL);
  reader.seek(from);
  const epochs: LogEntry[] = [];
  for (const { epoch, blocks } of reader.through(through)) {
    epochs.push({ epoch, blocks: blocks.map((block) => block.slice()) });
  }
  reader.close();
  return epochs;
}

/** Tables and ledger as epoch after epoch makes them, without a snapshot and without a disk. */
export class Reference {
  readonly tables: Tables;
  readonly ledger = new Ledger();
  readonly #replayer: Replayer;

  constructor(plan: Plan) {
    this.tables = openTables(smallMemory(plan, 1));
    this.#replayer = createReplayer(plan, this.tables);
  }

  follow(epochs: readonly LogEntry[]): void {
    for (const { epoch, blocks } of epochs.slice(written(this.ledger.epoch))) {
      replayEpoch(this.#replayer, blocks, written(epoch));
      enterLedger(this.ledger, epoch, blocks, noText);
    }
  }
}

/** What the tables hold, whatever its place in them: lines that can be compared. */
export function describeTables(plan: Plan, tables: Tables): Record<string, string[]> {
  const lines: Record<string, string[]> = {};
  for (const { name, bytes } of copyTables(plan, tables)) {
    // Their cells have no place of their own.
    if (name.startsWith('limits:')) continue;
    const entity = plan.entities.findIndex((one) => name === `entity:${one.name}`);
    let width = bytes.length;
    if (entity >= 0) width = tables.entities[entity].shape.rowBytes;
    else if (name === 'ids') width = ID_ENTRY_WORDS * 4;
    else if (name === 'named producers') width = PRODUCER_ROW_BYTES;
    const into = (lines[name] ??= []);
    for (let at = 0; at < bytes.length; at += width) {
      const row = Buffer.from(bytes.subarray(at, at + width));
      // When a producer was last seen moves with frames that are not kept: repeated ones.
      // What it has used up of dictionary and dead letters is not in the log.
      if (name === 'named producers') row.fill(0, 16, 24).fill(0, ROW_ENTRIES * 4);
      into.push(row.toString('hex'));
    }
  }
  lines['limits'] = [...limitState(plan, tables)].map(([key, cells]) => `${key} ${cells.join()}`);
  for (const into of Object.values(lines)) into.sort();
  return lines;
}
