/**
 * The engine: wires the stages in flow order, the only file that sees them all. Called by cli/serve.ts and the tests.
 *
 *   recover  spool, batch log and snapshot -> shared tables
 *   start    ClickHouse, spool thread, warehouse, decision workers, ingress; then a rehearsal, so that code is compiled
 *   run      snapshots and trimming; whoever dies takes the process with it, and the next start recovers
 */

import { join } from 'node:path';
import type { Plan } from '../native-free-core/layout/plan.ts';
import { serverAddress } from './client/address.ts';
import { rehearse } from './client/rehearse.ts';
import { loadPipelineFile, parseList } from './config/index.ts';
import { OperatingError } from './errors.ts';
import { explainRequests } from './explain/requests.ts';
import { startIngress } from './ingress/start.ts';
import { controlWords, type ControlWords } from './memory/control-words.ts';
import { enterLedger, recoverTables } from './memory/recover-tables.ts';
import { allocateMemory, allocateRehearsal, describeMemory } from './memory/regions.ts';
import { SnapshotKeeper } from './memory/snapshot-keeper.ts';
import { controlRequests } from './ops/control-requests.ts';
import { lockFolder } from './ops/folder-lock.ts';
import { Ledger } from './ops/ledger.ts';
import { Lists, withoutEntries } from './ops/lists.ts';
import type { Log } from './ops/log.ts';
import { keepTrimmed } from './ops/trimming.ts';
import { openBatchLog } from './spool/batch-log.ts';
import { openSpoolReader } from './spool/reader.ts';
import { recoverSpool, type RecoveredSpool } from './spool/recover.ts';
import { createSnapshot, loadSnapshot } from './spool/snapshot-file.ts';
import { startSpool, SEGMENT_BYTES_DEFAULT } from './spool/spool.ts';
import { nodeStorage } from './spool/storage.ts';
import { openClickHouse } from './warehouse/clickhouse.ts';
import { createWarehouse } from './warehouse/warehouse.ts';
import { dictionaryBytes, openTables } from './workers/open-tables.ts';
import { startWorkers } from './workers/pool.ts';

export interface EngineOptions {
  readonly pipeline: string;
  readonly data: string;
  /** `host:port`; port 0 takes any free one. */
  readonly listen: string;
  readonly clickhouseListen: string;
  /** URL of a ClickHouse to use instead of the embedded one. */
  readonly clickhouse?: string;
  readonly workers: number;
  readonly ingresses: number;
  readonly keys: readonly string[];
  readonly spoolBytesMax: number;
  readonly batchAgeMs: number;
  readonly log: Log;
}

export interface Engine {
  readonly url: string;
  readonly clickhouse: { readonly url: string; readonly database: string };
  readonly plan: Plan;
  /** Rejects when a stage dies: the process must end and start again. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Shortest time between two epochs that a worker ends of its own accord: bounds the cost of small epochs. */
const EPOCH_INTERVAL_MS = 1;

export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { log } = options;
  const started = performance.now();
  const { plan: loaded, importMap } = await loadPipelineFile(options.pipeline);
  const plan = withoutEntries(loaded);
  const unlock = lockFolder(options.data);
  const failure = failureSignal();
  const folder = (name: string): string => join(options.data, name);
  const memory = allocateMemory(loaded, options.workers, options.ingresses);
  log('info', 'shared memory reserved', describeMemory(memory, plan));
  const clickhouse = await openClickHouse({ ...options, data: folder('clickhouse') });

  const tables = openTables(memory);
  const control = controlWords(memory);
  const ledger = new Ledger();
  const lists = new Lists({
    lists: plan.lists ?? [],
    keys: tables.lists ?? [],
    directory: folder('lists'),
    read: parseList,
    log,
  });
  const { recovered, replayedBytes } = recover(options, plan, tables, ledger, control, folder);
  const spool = startSpool({
    controlBuffer: memory.control,
    laneBuffers: memory.blockLanes,
    ingressCount: memory.ingresses,
    directory: folder('spool'),
    segmentBytes: SEGMENT_BYTES_DEFAULT,
    spoolBytesMax: options.spoolBytesMax,
    recovered,
    fromEpoch: recovered.lastEpoch + 1,
    log: (level, message) => log(level, message),
    onFailure: failure.raise,
  });
  await spool.ready;

  const warehouse = createWarehouse({
    clickhouse,
    plan,
    batchLog: openBatchLog(nodeStorage, folder('batches')),
    openReader: () => openSpoolReader(nodeStorage, folder('spool')),
    durableEpoch: control.durableEpoch,
    publishStored: control.publishStored,
    onEpoch: (epoch, blocks) => {
      if (epoch > ledger.epoch) enterLedger(ledger, epoch, blocks);
    },
    dictionary: (id) => dictionaryBytes(tables, id),
    batchAgeMs: options.batchAgeMs,
    log,
  });
  await warehouse.start();

  const workers = startWorkers({ plan, memory }, allocateRehearsal, EPOCH_INTERVAL_MS);
  workers.finished.catch(failure.raise);
  const snapshots = new SnapshotKeeper({
    plan,
    tables,
    ledger,
    create: (fromEpoch) =>
      createSnapshot(nodeStorage, folder('snapshots'), { fromEpoch, pipelineVersion: plan.version, sections: {} }),
    durableEpoch: control.durableEpoch,
    touchedEpoch: control.touchedEpoch,
    whenDurable: control.whenDurable,
  });
  const trimming = keepTrimmed({
    spool,
    snapshots,
    replayedBytes,
    ledger,
    confirmedOnDisk: () => warehouse.confirmedOnDiskEpoch(),
    log,
  });

  const ingress = await startIngress({
    plan,
    memory,
    listen: options.listen,
    keys: options.keys,
    log,
    onFailure: failure.raise,
  });
  const server = (): object => ({
    pid: process.pid,
    uptimeSeconds: Math.round(performance.now() / 1000),
    pipeline: { name: plan.pipeline, version: plan.version },
    data: options.data,
    workers: memory.workers,
    ingresses: memory.ingresses,
    clickhouse: clickhouse.describe(),
    epochs: { durable: control.durableEpoch(), stored: control.storedEpoch() },
    spool: spool.figures(),
    snapshots: snapshots.figures,
    warehouse: warehouse.counters(),
  });
  const controls = controlRequests({
    plan,
    importMap,
    ledger,
    lists,
    producerName: (id) => new TextDecoder().decode(dictionaryBytes(tables, id)),
    ingressCounters: ingress.counters,
    stored: warehouse.stored,
    server,
  });
  const explanations = explainRequests({
    live: () => ({ plan, tables, control: control.words }),
    planOf: () => undefined,
    store: {
      ask: warehouse.rows,
      events: `\`${clickhouse.database}\`.events`,
      batches: `\`${clickhouse.database}\`.batches`,
      durableEpoch: control.durableEpoch,
      storedEpoch: control.storedEpoch,
    },
  });
  ingress.onRequest((request) => explanations(request) ?? controls(request));
  ingress.onLookup(warehouse.lookupDecisions);
  await rehearse(serverAddress(ingress.url, options.keys[0]));
  ingress.setReady(true);
  log('info', 'ready', { seconds: Number(((performance.now() - started) / 1000).toFixed(3)), url: ingress.url });

  return {
    url: ingress.url,
    clickhouse: { url: clickhouse.url, database: clickhouse.database },
    plan,
    failed: failure.promise,
    /** Against the flow: nothing comes in any more, what came in is stored, the tables are saved. */
    async stop() {
      ingress.setReady(false);
      await ingress.stop();
      control.stop();
      await workers.stop();
      await trimming.stop();
      await snapshots
        .take()
        .catch((error: unknown) =>
          log('warn', 'no snapshot at stop; the next start replays more', { error: String(error) }),
        );
      await spool.stop();
      await warehouse.stop();
      await clickhouse.stop();
      unlock();
    },
  };
}

/** Brings tables and ledger to the last whole epoch of the spool and numbers the next one. */
function recover(
  options: EngineOptions,
  plan: Plan,
  tables: ReturnType<typeof openTables>,
  ledger: Ledger,
  control: ControlWords,
  folder: (name: string) => string,
): { recovered: RecoveredSpool; replayedBytes: number } {
  const begun = performance.now();
  const recovered = recoverSpool(nodeStorage, folder('spool'), SEGMENT_BYTES_DEFAULT);
  const snapshot = loadSnapshot(nodeStorage, folder('snapshots'), (message) => options.log('warn', message));
  if (snapshot !== null) checkSnapshot(snapshot, recovered.lastEpoch, plan, options.data);
  const reader = openSpoolReader(nodeStorage, folder('spool'));
  const counts = recoverTables(plan, tables, ledger, snapshot?.chunks() ?? [], (ledgerEpoch) => {
    const from = snapshot === null ? recovered.firstEpoch : Math.min(snapshot.fromEpoch, ledgerEpoch + 1);
    reader.seek(from);
    return reader.through(recovered.lastEpoch);
  });
  reader.close();
  control.begin(recovered.lastEpoch, ledger.receivedAt);
  const seconds = Number(((performance.now() - begun) / 1000).toFixed(3));
  options.log('info', 'recovered', {
    ...counts,
    seconds,
    lastEpoch: recovered.lastEpoch,
    cutBytes: recovered.cutBytes,
  });
  return { recovered, replayedBytes: counts.bytes };
}

/** A snapshot of another pipeline would be read with the wrong layout; one from beyond the spool's end has lost its epochs. */
function checkSnapshot(
  snapshot: { readonly pipelineVersion: string; readonly atEpoch: number },
  lastEpoch: number,
  plan: Plan,
  data: string,
): void {
  if (snapshot.pipelineVersion !== plan.version) {
    throw new OperatingError(
      'pipeline_changed',
      `the data folder was written by another version of the pipeline: data=${data} its_version=${snapshot.pipelineVersion} this_version=${plan.version}; ` +
        'start with the pipeline file that wrote it, or choose another --data',
    );
  }
  if (snapshot.atEpoch <= lastEpoch) return;
  throw new OperatingError(
    'spool_behind_snapshot',
    `the spool ends before the snapshot: data=${data} last_epoch=${lastEpoch} snapshot_epoch=${snapshot.atEpoch}; files of the spool are missing: restore the folder from a copy`,
  );
}

/** The first stage that dies rejects the promise; whoever runs the engine ends the process then. */
function failureSignal(): { promise: Promise<never>; raise: (error: unknown) => void } {
  let raise: (error: unknown) => void = () => undefined;
  const promise = new Promise<never>((_, reject) => (raise = reject));
  promise.catch(() => undefined);
  return { promise, raise };
}
