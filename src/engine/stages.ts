/**
 * The third part of a start: the stages' threads and the watches beside them, in the order of the flow against its
 * direction, so that each finds the next one running. Called by start.ts; ingress comes last, since from then on frames come
 * in.
 */

import { copyEntry } from '../../native-free-core/state/dictionary.ts';
import { after, isBefore, written, type LogConsumer } from '../contract/event-log.ts';
import { startIngress, type Ingress } from '../ingress/start-ingress.ts';
import { allocateWarmUp } from '../memory/regions.ts';
import { copyAccount, copyTables } from '../memory/snapshot-tables.ts';
import { ACCOUNT_FOLDER } from '../recovery/rebuild.ts';
import { enterLedger } from '../recovery/recover-tables.ts';
import { SnapshotKeeper, withAccount } from '../recovery/snapshot-keeper.ts';
import { createSnapshot } from '../spool/snapshot-file.ts';
import { nodeStorage } from '../spool/storage.ts';
import { noteThreads } from '../system/end-process.ts';
import { withoutEntries } from '../versions/running-lists.ts';
import { probeQueries } from '../warehouse/probe.ts';
import { createWarehouse, type Warehouse } from '../warehouse/warehouse.ts';
import { startWorkers, type WorkerPool } from '../workers/pool.ts';
import { failureSignal, type FailureSignal } from './failure-signal.ts';
import type { OpenFolder } from './open-folder.ts';
import type { EngineOptions } from './engine-options.ts';
import { watchReadiness, type ReadinessWatch } from './watch-readiness.ts';
import type { Recovered } from './recovered.ts';
import { keepTrimmed, type Trimming } from './trimming.ts';
import { watchBounds, type BoundsWatch } from './watch-bounds.ts';

/** All that the stages are started with. */
export interface StageInput {
  readonly options: EngineOptions;
  readonly opened: OpenFolder;
  readonly recovered: Recovered;
}

export type Snapshots = ReturnType<typeof withAccount>;

export interface Stages {
  readonly failure: FailureSignal;
  readonly warehouse: Warehouse;
  readonly workers: WorkerPool;
  readonly snapshots: Snapshots;
  readonly trimming: Trimming;
  readonly ingress: Ingress;
  readonly bounds: BoundsWatch;
  readonly readiness: ReadinessWatch;
}

/** Shortest time between two epochs that a worker ends of its own accord: bounds the cost of small epochs. */
const EPOCH_INTERVAL_MS = 1;

export async function startStages(input: StageInput): Promise<Stages> {
  const { options, recovered } = input;
  const { log } = options;
  const { running, memory, eventLog } = recovered;
  const failure = failureSignal(log);
  await eventLog.append(memory, failure.of('the spool thread'));
  const warehouse = openWarehouse(input, failure);
  await warehouse.start();
  const workers = startWorkers({ plan: withoutEntries(running.plan), memory }, allocateWarmUp, EPOCH_INTERVAL_MS);
  workers.finished.catch(failure.of('a decision worker'));
  const snapshots = keepSnapshots(input);
  const trimming = keepTrimmed({
    eventLog,
    snapshots,
    replayedBytes: recovered.replayedBytes,
    consumers: consumersOf(recovered, snapshots, warehouse),
    spoolBytesMax: options.spoolBytesMax,
    ...(options.snapshotAfterBytes === undefined ? {} : { snapshotAfterBytes: options.snapshotAfterBytes }),
    log,
  });
  noteThreads();
  const ingress = await startIngressStage(input, failure);
  const bounds = watchBounds({ running: () => running, absences: recovered.control.absences, log });
  const readiness = watchStages(input, { warehouse, trimming, ingress });
  return { failure, warehouse, workers, snapshots, trimming, ingress, bounds, readiness };
}

/** A lake is one more. What ClickHouse has on its disk costs a sync to know, so it comes last. */
function consumersOf({ ledger }: Recovered, snapshots: Snapshots, warehouse: Warehouse): LogConsumer[] {
  return [
    {
      name: 'snapshots',
      neededFrom: () => snapshots.neededFrom,
      waitsFor: () => (snapshots.running ? 'a snapshot is being taken' : 'a snapshot is due'),
    },
    {
      name: 'ledger',
      neededFrom: () => after(ledger.epoch),
      waitsFor: (epoch) => `epochs are not entered yet from ${written(epoch)} on`,
    },
    {
      name: 'ClickHouse',
      neededFrom: async () => after(await warehouse.confirmedOnDiskEpoch()),
      waitsFor: (epoch) => `ClickHouse has not stored the epochs from ${written(epoch)} on`,
    },
  ];
}

function openWarehouse({ options, opened, recovered }: StageInput, failure: FailureSignal): Warehouse {
  const { clickhouse, control, eventLog, ledger, running } = recovered;
  const dictionary = (id: number): Uint8Array => copyEntry(running.tables.dictionary, id);
  return createWarehouse({
    clickhouse,
    plan: running.plan,
    planOf: (number) => opened.versions.planOf(number),
    batchLog: opened.batchLog,
    openReader: eventLog.read,
    openHeads: eventLog.readHeads,
    durableEpoch: eventLog.durable,
    whenDurableMoves: control.whenDurableMoves,
    publishStored: control.publishStored,
    onEpoch: (epoch, blocks) => {
      if (isBefore(ledger.epoch, epoch)) enterLedger(ledger, epoch, blocks, dictionary);
    },
    dictionary,
    ...(options.batchAgeMs === undefined ? {} : { batchAgeMs: options.batchAgeMs }),
    onFailure: failure.of('the way into ClickHouse'),
    log: options.log,
  });
}

function keepSnapshots({ opened, recovered }: StageInput): Snapshots {
  const { control, eventLog, ledger, running } = recovered;
  const keeper = (name: string, copy: typeof copyTables): SnapshotKeeper =>
    new SnapshotKeeper({
      running: () => running,
      ledger,
      copy,
      create: (fromEpoch, paced) =>
        createSnapshot(
          nodeStorage,
          opened.path(name),
          { fromEpoch, pipelineVersion: running.plan.version, folderId: eventLog.number, sections: {} },
          paced ? {} : { bytesPerSecondMax: Infinity },
        ),
      durableEpoch: eventLog.durable,
      touchedEpoch: control.touchedEpoch,
      whenDurable: eventLog.whenDurable,
    });
  return withAccount(keeper('snapshots', copyTables), keeper(ACCOUNT_FOLDER, copyAccount));
}

function startIngressStage({ options, opened, recovered }: StageInput, failure: FailureSignal): Promise<Ingress> {
  const { memory, running, connections } = recovered;
  return startIngress({
    plan: running.plan,
    memory,
    listen: options.listen,
    access: opened.access,
    limits: {
      framesPerSecondMax: options.framesPerSecondMax ?? 0,
      connectionsMax: Math.floor(connections.events / memory.ingresses),
    },
    transport: opened.transport.kind,
    log: options.log,
    onFailure: failure.of('an ingress thread'),
  });
}

function watchStages(
  { options, recovered }: StageInput,
  { warehouse, trimming, ingress }: Pick<Stages, 'warehouse' | 'trimming' | 'ingress'>,
): ReadinessWatch {
  const { control, clickhouse, eventLog } = recovered;
  return watchReadiness({
    durableEpoch: eventLog.durable,
    touchedEpoch: control.touchedEpoch,
    spool: eventLog.figures,
    spoolBytesMax: options.spoolBytesMax,
    logHeldBy: () => trimming.heldBy(),
    storing: warehouse.failing,
    stalledMs: warehouse.stalledMs,
    probe: (signal) => probeQueries(clickhouse, signal),
    announce: (state) => ingress.setReady(state),
    log: options.log,
  });
}
