/**
 * The engine: wires the stages in flow order; it sees them all. Called by cli/serve.ts and the tests.
 *
 *   recover  spool, batch log and snapshot -> shared tables
 *   start    ClickHouse, spool thread, warehouse, decision workers, ingress; then a rehearsal, so that code is compiled
 *   run      snapshots and trimming; whoever dies takes the process with it, and the next start recovers
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { producersOf, type Plan } from '../../native-free-core/plan/plan.ts';
import { copyEntry } from '../../native-free-core/state/dictionary.ts';
import type { AccessSettings } from '../access/door.ts';
import { keyDigests } from '../access/keys.ts';
import { acceptLoss } from '../recovery/accept-loss.ts';
import { startBackfill } from '../versions/backfill.ts';
import { serverAddress } from '../../client/src/address.ts';
import { rehearse } from '../client/rehearse.ts';
import { compileSources, describeChange, loadPipelineFile, setRuleDisabled, withShadow } from '../config/index.ts';
import { Deployer, type DescribedChange } from '../versions/deployer.ts';
import { recordActivations } from '../versions/record-activations.ts';
import { pipelineRequests } from '../versions/requests.ts';
import { changeToGiven } from '../versions/at-start.ts';
import { explainRequests } from '../explain/requests.ts';
import { chooseTransport, type WantedTransport } from '../http/choose-transport.ts';
import type { TransportKind } from '../http/transport.ts';
import type { ProxiedRequest } from '../ingress/messages.ts';
import { probeAddresses } from '../ingress/listen-address.ts';
import { startIngress } from '../ingress/start.ts';
import { controlWords } from '../memory/control-words.ts';
import { enterLedger } from '../recovery/recover-tables.ts';
import { allocateRehearsal, BLOCK_LANE_BYTES } from '../memory/regions.ts';
import { SnapshotKeeper, withAccount } from '../recovery/snapshot-keeper.ts';
import { copyAccount, copyTables } from '../memory/snapshot-tables.ts';
import { AuditTrail } from '../audit/audit-trail.ts';
import { audited } from '../audit/audited-requests.ts';
import { wallMs } from '../system/clock.ts';
import { controlRequests } from './control-requests.ts';
import { connectionBounds } from '../system/descriptors.ts';
import { openDataFolder } from '../system/data-folder.ts';
import { noteThreads } from '../system/end-process.ts';
import { failureSignal } from './failure-signal.ts';
import { lockFolder } from '../system/folder-lock.ts';
import { Ledger } from '../audit/ledger.ts';
import { withoutEntries } from '../versions/lists.ts';
import { Losses } from '../audit/losses.ts';
import type { Log } from '../system/log.ts';
import { PipelineVersions, type PipelineVersion, type SourceTexts } from '../versions/pipeline-versions.ts';
import { watchReadiness } from './readiness.ts';
import { keepTrimmed } from './trimming.ts';
import { watchBounds } from './watch-bounds.ts';
import { ACCOUNT_FOLDER, type Rebuilt } from '../recovery/rebuild.ts';
import { expectationOf, recoverEngine, recoverLog } from '../recovery/recover.ts';
import { createRunning } from '../versions/running.ts';
import { openBatchLog } from '../warehouse/insert/batch-log.ts';
import { MARK_NAME, hasHeldEpochs } from '../spool/durable-mark.ts';
import { openSpoolReader } from '../spool/reader.ts';
import { createSnapshot } from '../spool/snapshot-file.ts';
import { settleSegmentBytes } from '../spool/segment-bytes.ts';
import { startSpool } from '../spool/spool.ts';
import { nodeStorage } from '../spool/storage.ts';
import { openClickHouse } from '../warehouse/clickhouse.ts';
import { probeQueries } from '../warehouse/probe.ts';
import { createWarehouse } from '../warehouse/warehouse.ts';
import { openTables } from '../workers/open-tables.ts';
import { startWorkers } from '../workers/pool.ts';

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
  /** Which library serves; default auto: uWebSockets.js where it loads. */
  readonly transport?: WantedTransport;
  /** Empty: whoever reaches the ports may do everything. */
  readonly keys: readonly string[];
  /** Names and web pages beyond the server's own (access/hosts.ts, access/origins.ts). */
  readonly allowHosts?: readonly string[];
  readonly allowOrigins?: readonly string[];
  /** Of one WebSocket connection; over HTTP of one producer, where requests that name none count as one; 0 or nothing: no limit. */
  readonly framesPerSecondMax?: number;
  readonly spoolBytesMax: number;
  /** Bytes of one file of the spool: it is trimmed file by file. */
  readonly segmentBytes?: number;
  /** Spool after which a snapshot is taken. */
  readonly snapshotAfterBytes?: number;
  readonly batchAgeMs: number;
  /** Goes on where the spool has lost answered events, and writes down which (accept-loss.ts). */
  readonly acceptLoss?: boolean;
  readonly log: Log;
}

export interface Engine {
  readonly url: string;
  readonly clickhouse: { readonly url: string; readonly database: string };
  readonly plan: Plan;
  /** What this start had to get from ClickHouse; null: nothing. */
  readonly rebuilt: Rebuilt | null;
  /** Rejects when a stage dies: the process must end and start again. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Shortest time between two epochs that a worker ends of its own accord: bounds the cost of small epochs. */
const EPOCH_INTERVAL_MS = 1;

export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { log } = options;
  const started = performance.now();
  const transport = transportFor(options);
  const segmentBytes = settleSegmentBytes(
    options,
    Array.from({ length: options.workers }, () => BLOCK_LANE_BYTES),
  );
  const given = await loadPipelineFile(options.pipeline);
  for (const warning of given.warnings) log('warn', warning);
  openDataFolder(options.data);
  const unlock = lockFolder(options.data);
  await probeAddresses({
    listen: options.listen,
    clickhouseListen: options.clickhouse === undefined ? options.clickhouseListen : null,
    isFirstStart: !existsSync(join(options.data, 'clickhouse')),
  });
  const failure = failureSignal(log);
  const access: AccessSettings = {
    keyDigests: keyDigests(options.keys),
    allowHosts: options.allowHosts ?? [],
    allowOrigins: options.allowOrigins ?? [],
  };
  const folder = (name: string): string => join(options.data, name);
  const versions = new PipelineVersions(folder('pipelines'));
  versions.check();
  const losses = new Losses(options.data);
  const batchLog = openBatchLog(nodeStorage, folder('batches'), hasHeldEpochs(nodeStorage, folder(MARK_NAME)));
  const logFolder = { data: options.data, batchLog, segmentBytes };
  // What is damaged is said before anything is started.
  const whole = options.acceptLoss === true ? null : recoverLog(logFolder);
  const clickhouse = await openClickHouse({ ...options, access, transport, data: folder('clickhouse') });
  const connections = connectionBounds();
  log('info', 'connections at once, as the system gives descriptors', connections);
  if (whole === null) await acceptLoss({ ...logFolder, clickhouse, losses, log }, expectationOf(logFolder));
  const recovered = whole ?? recoverLog(logFolder);
  const ledger = new Ledger();
  ledger.producersMax = producersOf(given.plan).max;
  const { replayedBytes, rebuilt, memory, plan } = await recoverEngine(
    { ...options, versions, ledger, clickhouse, batchLog, recovered },
    given,
  );
  const control = controlWords(memory);
  control.begin(recovered.lastEpoch, Math.max(ledger.receivedAt, recovered.receivedAt));
  const running = createRunning({ ...versions.find(plan.versionNumber)!, plan, memory }, folder('lists'), log);
  if (versions.activations().length === 0) {
    const origin = { kind: 'start', actor: '', reason: 'the first start of this data folder' } as const;
    versions.activate({ ...origin, number: plan.versionNumber, afterEpoch: recovered.lastEpoch, at: wallMs() });
  }

  const spool = startSpool({
    controlBuffer: memory.control,
    laneBuffers: memory.blockLanes,
    ingressCount: memory.ingresses,
    directory: folder('spool'),
    markFile: folder(MARK_NAME),
    segmentBytes,
    spoolBytesMax: options.spoolBytesMax,
    recovered,
    fromEpoch: recovered.lastEpoch + 1,
    log: (level, message) => log(level, message),
    onFailure: failure.of('the spool thread'),
  });
  await spool.ready;

  const dictionary = (id: number): Uint8Array => copyEntry(running.tables.dictionary, id);
  const warehouse = createWarehouse({
    clickhouse,
    plan,
    planOf: (number) => versions.planOf(number),
    batchLog,
    openReader: () => openSpoolReader(nodeStorage, folder('spool')),
    durableEpoch: control.durableEpoch,
    publishStored: control.publishStored,
    onEpoch: (epoch, blocks) => {
      if (epoch > ledger.epoch) enterLedger(ledger, epoch, blocks, dictionary);
    },
    dictionary,
    batchAgeMs: options.batchAgeMs,
    onFailure: failure.of('the way into ClickHouse'),
    log,
  });
  await warehouse.start();

  const workers = startWorkers({ plan: withoutEntries(plan), memory }, allocateRehearsal, EPOCH_INTERVAL_MS);
  workers.finished.catch(failure.of('a decision worker'));
  const keeper = (name: string, copy: typeof copyTables): SnapshotKeeper =>
    new SnapshotKeeper({
      running: () => running,
      ledger,
      copy,
      create: (fromEpoch, paced) =>
        createSnapshot(
          nodeStorage,
          folder(name),
          { fromEpoch, pipelineVersion: running.plan.version, folderId: recovered.folderId, sections: {} },
          paced ? {} : { bytesPerSecondMax: Infinity },
        ),
      durableEpoch: control.durableEpoch,
      touchedEpoch: control.touchedEpoch,
      whenDurable: control.whenDurable,
    });
  const snapshots = withAccount(keeper('snapshots', copyTables), keeper(ACCOUNT_FOLDER, copyAccount));
  const trimming = keepTrimmed({
    spool,
    snapshots,
    replayedBytes,
    ledger,
    confirmedOnDisk: () => warehouse.confirmedOnDiskEpoch(),
    spoolBytesMax: options.spoolBytesMax,
    ...(options.snapshotAfterBytes === undefined ? {} : { snapshotAfterBytes: options.snapshotAfterBytes }),
    log,
  });

  noteThreads();
  const ingress = await startIngress({
    plan,
    memory,
    listen: options.listen,
    access,
    limits: {
      framesPerSecondMax: options.framesPerSecondMax ?? 0,
      connectionsMax: Math.floor(connections.events / memory.ingresses),
    },
    transport,
    log,
    onFailure: failure.of('an ingress thread'),
  });
  const bounds = watchBounds({ running: () => running, log });
  const readiness = watchReadiness({
    durableEpoch: control.durableEpoch,
    touchedEpoch: control.touchedEpoch,
    spool: () => spool.figures(),
    spoolBytesMax: options.spoolBytesMax,
    spoolHeldBy: () => trimming.heldBy(),
    storing: warehouse.failing,
    stalledMs: warehouse.stalledMs,
    probe: (signal) => probeQueries(clickhouse, signal),
    announce: (state) => ingress.setReady(state),
    log,
  });
  const record = (): Promise<void> =>
    recordActivations({
      versions,
      recorded: warehouse.recordedChanges,
      record: warehouse.recordChange,
      diff: (from, to) => describeForDeploy(from, to, true).diff,
    });
  const compile = (sources: SourceTexts): PipelineVersion => ({ ...compileSources(sources), sources });
  const deployer = new Deployer({
    versions,
    control,
    running: () => running.version,
    compile,
    setRuleDisabled,
    withShadow,
    describe: (from, to, rollback) => describeForDeploy(from, to, rollback, earlierPlans(versions)),
    workers: {
      prepare: (version) => workers.prepare({ ...version, plan: withoutEntries(version.plan) }),
      tidy: () => workers.tidy(),
    },
    startBackfill: (input) =>
      startBackfill({ ...input, clickhouse, spool: folder('spool'), throughEpoch: control.storedEpoch() }),
    prepareTables: (next) => warehouse.prepare(next, describeChange(running.plan, next, { rollback: true }).renames),
    openTables,
    announce: (next) => ingress.changeTo(next),
    activate(version) {
      running.changeTo(version);
      warehouse.activate(version.plan);
    },
    settle: (settled) => running.settle(settled),
    holdSpool: () => trimming.hold(),
    takeSnapshot: () => snapshots.take(),
    fail: failure.of('the change of the pipeline'),
    record,
    log,
  });
  const server = (): object => ({
    pid: process.pid,
    uptimeSeconds: Math.round(performance.now() / 1000),
    pipeline: { name: running.plan.pipeline, version: running.plan.version },
    data: options.data,
    workers: memory.workers,
    ingresses: memory.ingresses,
    transport,
    clickhouse: clickhouse.describe(),
    epochs: { durable: control.durableEpoch(), stored: control.storedEpoch() },
    ready: readiness.now,
    bounds: bounds.describe(),
    spool: spool.figures(),
    snapshots: snapshots.figures,
    warehouse: warehouse.counters(),
  });
  const controls = controlRequests({
    running: () => running,
    ledger,
    losses,
    ingressCounters: ingress.counters,
    stored: warehouse.stored,
    server,
    pipelines: pipelineRequests({
      deployer,
      versions,
      running: () => running.version,
      differences: (from, to) => describeChange(from, to, { rollback: true }),
    }),
  });
  const explanations = explainRequests({
    live: () => ({ plan: running.plan, tables: running.tables, control: control.words }),
    planOf: (number) => versions.find(number)?.plan,
    store: {
      ask: warehouse.rows,
      database: clickhouse.database,
      storedBatch: () => warehouse.stored().batch,
      durableEpoch: control.durableEpoch,
      storedEpoch: control.storedEpoch,
    },
  });
  const audit = new AuditTrail({ data: options.data, store: warehouse.storeAudit, log });
  const serve = (request: ProxiedRequest) => explanations(request) ?? controls(request);
  ingress.onRequest((request) =>
    audited(
      audit,
      request,
      () => serve(request),
      () => deployer.over(),
    ),
  );
  ingress.onRefusedChange((attempt, message) => audit.refused(attempt, message));
  ingress.onLookup(warehouse.lookupDecisions);
  await rehearse(serverAddress(ingress.url, options.keys[0]));
  await record();
  audit.recover(({ version, time }) => versions.wasActivated(version, time));
  await changeToGiven({ deployer, versions, given, compile, audit, log }, running.plan);
  await readiness.begin();
  // The next start is quick again.
  if (rebuilt !== null) trimming.takeSnapshot();
  log('info', 'ready', { seconds: Number(((performance.now() - started) / 1000).toFixed(3)), url: ingress.url });

  return {
    url: ingress.url,
    clickhouse: { url: clickhouse.url, database: clickhouse.database },
    get plan() {
      return running.plan;
    },
    rebuilt,
    failed: failure.promise,
    /** Against the flow: nothing comes in any more, what came in is stored, the tables are saved. */
    async stop() {
      readiness.stop();
      bounds.stop();
      await deployer.stop();
      await ingress.stop();
      control.stop();
      await workers.stop();
      snapshots.hurry();
      await trimming.stop();
      await snapshots
        .take(false)
        .catch((error: unknown) =>
          log('warn', 'no snapshot at stop; the next start replays more', { error: String(error) }),
        );
      await spool.stop();
      await audit.stop();
      await warehouse.stop();
      await clickhouse.stop();
      unlock();
    },
  };
}

function transportFor({ transport, ingresses, log }: EngineOptions): TransportKind {
  const { kind, warning } = chooseTransport(transport ?? 'auto', ingresses);
  if (warning !== null) log('warn', warning);
  return kind;
}

/** Of all versions whose rows are in the table. */
function earlierPlans(versions: PipelineVersions): Plan[] {
  const numbers = new Set(versions.activations().map(({ number }) => number));
  return [...numbers].flatMap((number) => versions.find(number)?.plan ?? []);
}

function describeForDeploy(from: Plan, to: Plan, rollback: boolean, earlier: readonly Plan[] = []): DescribedChange {
  const { change, ...diff } = describeChange(from, to, { rollback, earlier });
  const refused = diff.edits.filter((edit) => edit.class === 'refused');
  return { change, refusals: refused.map(({ path, text }) => `${path}: ${text}`), diff };
}
