/**
 * The way from the spool into ClickHouse: follows the durable epochs, seals batches by rows or age within one arrival day,
 * inserts each exactly once, and says how far SQL can see. Main thread; called by engine/start.ts.
 *
 *   follow    durable epochs -> ranges          every 20 ms while some come, however slow ClickHouse is (insert/follow-durable.ts)
 *   insert    range -> seal -> insert -> confirm     one at a time (insert/batch-insert.ts)
 *
 * A batch's range is durable before its first insert, so that it can be made again byte for byte. After any doubt ClickHouse
 * is asked which rows it has before anything is sent again (docs/semantics.md §10).
 */

import { after, BEFORE_FIRST, isBefore, positionOf, reaches, written, type Position } from '../contract/event-log.ts';
import type { ClientQuestion } from '../contract/named-queries.ts';
import type { WarehouseFigures } from '../contract/figures.ts';
import type { ColumnRename } from '../../native-free-core/plan/change-plan.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { OperatingError } from '../errors.ts';
import type { AuditEntry } from '../audit/audit-trail.ts';
import { monotonicMs, wallMs } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { askForClient } from './client-question.ts';
import type { ClickHouse } from './clickhouse.ts';
import { storeAudit } from './insert/audit-log.ts';
import { epochTotalsOf, type EpochTotals, type Batch, type OpenReader } from './insert/batch.ts';
import type { BatchLog } from './insert/batch-log.ts';
import { batchBounds } from './insert/batch-bounds.ts';
import { BatchInsert } from './insert/batch-insert.ts';
import { checkConfirmed, claimTables } from './insert/claim-tables.ts';
import { Connection } from './insert/connection.ts';
import { DecisionLookup, type DecisionRequest } from './insert/decision-lookup.ts';
import { EpochFollower, type Range } from './insert/epoch-follower.ts';
import { DurableFollowing } from './insert/follow-durable.ts';
import { isAboutCredentials, messageOf } from './insert/clickhouse-errors.ts';
import { Retry } from './insert/retry.ts';
import { readStored, type StoredTotals } from './insert/stored-totals.ts';
import { MergePause } from './merge-pause.ts';
import { createTables, recordPipeline, storedPlan, type PipelineRecord, type StoredColumns } from './tables/index.ts';

export type { StoredTotals } from './insert/stored-totals.ts';

export interface WarehouseOptions {
  readonly clickhouse: ClickHouse;
  /** The version that runs at start. */
  readonly plan: Plan;
  /** The plan of any version that has sealed blocks; default: there is one only. */
  readonly planOf?: (pipelineNumber: number) => Plan;
  readonly batchLog: BatchLog;
  readonly openReader: OpenReader;
  /** For counting epochs: blocks may come without their columns. Default: `openReader`. */
  readonly openHeads?: OpenReader;
  readonly durableEpoch: () => Position;
  /** Resolves once an epoch beyond this one is durable, or after so many ms. */
  readonly whenDurableMoves: (beyond: Position, msMax: number) => Promise<void>;
  readonly publishStored: (epoch: Position) => void;
  /** Every durable epoch from the first unsealed one on, once and in order. */
  readonly onEpoch: (epoch: Position, blocks: readonly Uint8Array[]) => void;
  readonly dictionary: (id: number) => Uint8Array;
  /** Longest that a row waits for its batch; default: by how many come (insert/batch-bounds.ts). */
  readonly batchAgeMs?: number;
  /** Bounds of a batch; the default is about half a second of the largest load, so that an insert takes little memory. */
  readonly batchRowsMax?: number;
  readonly batchBytesMax?: number;
  /** Silence after which a request to ClickHouse is given up. */
  readonly requestMsMax?: number;
  /** Something that no repetition mends, a spool that cannot be read; default: thrown, which ends the process. */
  readonly onFailure?: (error: unknown) => void;
  readonly log: Log;
}

/** An activation that `pipelines` has; `at`: ms UTC. */
interface RecordedChange {
  readonly number: number;
  readonly afterEpoch: Position;
  readonly at: number;
}

export interface Warehouse {
  start(): Promise<void>;
  /** Inserts what is durable, for a bounded time; what is left is inserted after the next start. */
  stop(waitMsMax?: number): Promise<void>;
  stored(): StoredTotals;
  figures(): WarehouseFigures;
  /** What could not be done and is tried again; null: all goes well. */
  failing(): ReturnType<Retry['failing']>;
  /** How long nothing has been stored although rows wait for it; 0: none waits. */
  stalledMs(): number;
  /** Confirmed epochs whose rows are on ClickHouse's disk. */
  confirmedOnDiskEpoch(): Promise<Position>;
  /** Brings the tables to what another version of the pipeline needs, too; the running one goes on. */
  prepare(plan: Plan, renames?: readonly ColumnRename[]): Promise<void>;
  /** From now on this version decides. */
  activate(plan: Plan): void;
  /** Rows of a SELECT; one attempt. */
  rows<Row>(sql: string): Promise<Row[]>;
  /** What `pipelines` has, by version number, epoch and time. */
  recordedChanges(): Promise<readonly RecordedChange[]>;
  /** Notes in `pipelines` which version decides from when on; tried again until ClickHouse has it. */
  recordChange(record: PipelineRecord): Promise<void>;
  /** Notes changes in `audit_log`, each once; tried again until it is on ClickHouse's disk. */
  storeAudit(entries: readonly AuditEntry[]): Promise<void>;
  /** The answer to a frame that was answered before. */
  lookupDecisions(request: DecisionRequest): Promise<Uint8Array>;
  /** A client's question; throws an OperatingError that says what ClickHouse has against it. */
  readForClient(sql: string, question: ClientQuestion): Promise<Uint8Array>;
}

const STOP_MS = 20_000;

export function createWarehouse(options: WarehouseOptions): Warehouse {
  const warehouse = new RunningWarehouse(options);
  return {
    start: () => warehouse.start(),
    stop: (waitMsMax) => warehouse.stop(waitMsMax),
    stored: () => warehouse.totals,
    figures: () => warehouse.figures(),
    failing: () => warehouse.failing(),
    stalledMs: () => warehouse.stalledMs(),
    confirmedOnDiskEpoch: () => warehouse.confirmedOnDiskEpoch(),
    prepare: (plan, renames) => warehouse.prepare(plan, renames),
    activate: (plan) => warehouse.activate(plan),
    rows: (sql) => warehouse.rows(sql),
    recordedChanges: () => warehouse.recordedChanges(),
    recordChange: (record) => warehouse.recordChange(record),
    storeAudit: (entries) => warehouse.storeAudit(entries),
    lookupDecisions: (request) => warehouse.lookup.answer(request),
    readForClient: (sql, question) => warehouse.readForClient(sql, question),
  };
}

class RunningWarehouse {
  readonly lookup: DecisionLookup;
  totals: StoredTotals = { epoch: BEFORE_FIRST, batch: 0, events: 0, deadLetters: 0, receivedAt: 0 };
  readonly #options: WarehouseOptions;
  readonly #connection: Connection;
  readonly #retry: Retry;
  readonly #insert: BatchInsert;
  readonly #figures = { batches: 0, rows: 0, deadLetters: 0, refused: 0, insertSeconds: 0, lastBatchRows: 0 };
  readonly #merges: MergePause;
  /** Whose decisions are looked up, and whose columns the tables have. */
  #plan: Plan;
  #tablesPlan: Plan;
  /** Between that plan and the one before; and how the table's columns are stored. */
  #renames: readonly ColumnRename[] = [];
  #stored: StoredColumns = new Map();
  #follower: EpochFollower | null = null;
  #following: DurableFollowing | null = null;
  #running: Promise<unknown> = Promise.resolve();
  #stopping = false;
  /** After `stop`: nothing durable is left to insert. */
  #allStored = false;
  #confirmedOnDisk = BEFORE_FIRST;
  /** When something was stored, or nothing waited. */
  #movedAt = performance.now();

  constructor(options: WarehouseOptions) {
    const { clickhouse, plan, log, requestMsMax } = options;
    this.#options = options;
    this.#plan = plan;
    this.#tablesPlan = plan;
    this.#connection = new Connection({ clickhouse, log, ...(requestMsMax === undefined ? {} : { requestMsMax }) });
    this.#retry = new Retry(this.#connection, () => this.#createTables(), log);
    const planOf = (pipelineNumber: number): Plan => storedPlan(options.planOf?.(pipelineNumber) ?? plan, this.#stored);
    this.#insert = new BatchInsert({ ...options, planOf, connection: this.#connection, retry: this.#retry });
    this.#merges = new MergePause({
      connection: this.#connection,
      insertSeconds: () => this.#figures.insertSeconds,
      behindMs: () => this.#follower?.overdueMs() ?? 0,
      log,
    });
    this.lookup = new DecisionLookup({
      connection: this.#connection,
      logNumber: options.batchLog.logNumber,
      plan: () => this.#plan,
      retry: this.#retry,
    });
  }

  async start(): Promise<void> {
    const { batchLog, openReader, openHeads = openReader, durableEpoch, onEpoch, log } = this.#options;
    const connection = this.#connection;
    await this.#retry.untilDone('look where the tables come from', () =>
      this.#letIn(() => claimTables(connection, batchLog, log)),
    );
    await this.#retry.untilDone('create the tables', () => this.#createTables());
    await this.#retry.untilDone('drop what a mended batch left', () => this.#insert.mending.dropStaging());
    const open = batchLog.openBatches();
    await this.#retry.untilDone('look what ClickHouse has', () => checkConfirmed(connection, batchLog, log));
    const stored = await this.#retry.untilDone('count what is stored', () =>
      readStored(connection, batchLog.logNumber, open),
    );
    this.#advance({ ...stored, epoch: batchLog.confirmedEpoch });
    const reader = openHeads();
    reader.seek(after(batchLog.sealedEpoch));
    this.#follower = new EpochFollower({
      reader,
      durableEpoch,
      onEpoch,
      sealing: batchBounds(this.#options),
      monotonic: monotonicMs,
    });
    this.#following = new DurableFollowing(this.#options, this.#follower);
    this.#running = Promise.all([
      this.#following.run(() => this.#allStored || this.#connection.signal.aborted),
      this.#insertAll(open, this.#follower, this.#following),
    ]);
    this.#running.catch((error: unknown) => this.#fail(error));
    if (this.#connection.embedded) this.#merges.start();
  }

  async stop(waitMsMax = STOP_MS): Promise<void> {
    const { batchLog, log } = this.#options;
    this.#stopping = true;
    this.#following?.hurry();
    this.#merges.stop();
    const timer = setTimeout(() => {
      log('warn', 'ClickHouse takes too long; what is left is inserted after the next start', { waitMsMax });
      this.#connection.end();
    }, waitMsMax);
    await this.#running.catch(() => undefined);
    clearTimeout(timer);
    this.#connection.end();
    this.#follower?.close();
    this.#insert.close();
    batchLog.close();
    await this.#connection.close();
  }

  figures(): WarehouseFigures {
    const { insertSeconds, ...figures } = this.#figures;
    return {
      ...figures,
      insertSeconds: Number(insertSeconds.toFixed(3)),
      retries: this.#retry.failures,
      ...this.#insert.figures,
      openBatches: this.#options.batchLog.openBatches().length,
      waitingRows: this.#follower?.waitingRows() ?? 0,
      mergesPaused: this.#merges.paused,
      watermark: this.totals.receivedAt,
    };
  }

  async prepare(plan: Plan, renames: readonly ColumnRename[] = []): Promise<void> {
    this.#tablesPlan = plan;
    this.#renames = renames;
    try {
      await this.#retry.untilDone('bring the tables to the new version', () => this.#createTables());
    } catch (error) {
      this.#tablesPlan = this.#plan;
      this.#renames = [];
      throw error;
    }
  }

  activate(plan: Plan): void {
    this.#plan = plan;
    this.#tablesPlan = plan;
  }

  async recordedChanges(): Promise<RecordedChange[]> {
    const connection = this.#connection;
    const rows = await this.#retry.untilDone('read which versions are recorded', () =>
      connection.rows<{ number: number; after_epoch: string; at: string }>(
        `SELECT number, after_epoch, toUnixTimestamp64Milli(activated_at) AS at FROM ${connection.table('pipelines')}`,
      ),
    );
    return rows.map(({ number, after_epoch, at }) => ({
      number,
      afterEpoch: positionOf(Number(after_epoch)),
      at: Number(at),
    }));
  }

  recordChange(record: PipelineRecord): Promise<void> {
    const connection = this.#connection;
    return this.#retry.untilDone('record the pipeline', () => recordPipeline(record, connection, connection.database));
  }

  storeAudit(entries: readonly AuditEntry[]): Promise<void> {
    return this.#retry.untilDone('write the audit log', () => storeAudit(this.#connection, entries));
  }

  readForClient(sql: string, question: ClientQuestion): Promise<Uint8Array> {
    return askForClient(this.#connection, sql, question);
  }

  rows<Row>(sql: string): Promise<Row[]> {
    return this.#connection.rows<Row>(sql);
  }

  async confirmedOnDiskEpoch(): Promise<Position> {
    const confirmed = this.#options.batchLog.flush();
    if (isBefore(this.#confirmedOnDisk, confirmed) && (await this.#connection.reachDisk()))
      this.#confirmedOnDisk = confirmed;
    return this.#confirmedOnDisk;
  }

  failing(): ReturnType<Retry['failing']> {
    return this.#retry.failing();
  }

  stalledMs(): number {
    const waits = (this.#follower?.waitingRows() ?? 0) > 0 || this.#options.batchLog.openBatches().length > 0;
    const now = performance.now();
    if (!waits) this.#movedAt = now;
    return now - this.#movedAt;
  }

  async #createTables(): Promise<void> {
    const { log } = this.#options;
    const changes = await this.#letIn(() =>
      createTables(this.#tablesPlan, this.#connection, {
        database: this.#connection.database,
        syncs: !this.#connection.embedded,
        logNumber: this.#options.batchLog.logNumber,
        renames: this.#renames,
      }),
    );
    this.#stored = changes.stored;
    if (changes.created.length > 0) log('info', 'tables created', { tables: changes.created });
    if (changes.added.length > 0) log('info', 'columns added', { columns: changes.added });
    if (changes.widened.length > 0) log('info', 'columns widened', { columns: changes.widened });
  }

  /** Wrong credentials are no passing trouble. */
  async #letIn<Result>(action: () => Promise<Result>): Promise<Result> {
    try {
      return await action();
    } catch (cause) {
      if (!isAboutCredentials(cause)) throw cause;
      const { url, username } = this.#options.clickhouse;
      const message = `ClickHouse lets this user not in: url=${url} user=${username}: ${messageOf(cause)}; check --clickhouse`;
      throw new OperatingError('clickhouse_credentials', message, { cause });
    }
  }

  async #insertAll(open: readonly Batch[], follower: EpochFollower, following: DurableFollowing): Promise<void> {
    for (const batch of open) await this.#store(batch, epochTotalsOf(this.#options.openReader, batch), null);
    for (;;) {
      const range = follower.take(this.#stopping);
      if (range !== null) {
        await this.#store(await this.#seal(range), range.account, range.begunAt);
      } else if (this.#stopping && reaches(this.totals.epoch, this.#options.durableEpoch())) break;
      else await following.whenDue();
      this.#connection.signal.throwIfAborted();
    }
    this.#allStored = true;
  }

  /** A full disk passes; a batch log that could not be synced has closed itself and says so. */
  #seal({ firstEpoch, lastEpoch, day, account }: Range): Promise<Batch> {
    const range = { firstEpoch, lastEpoch, rows: account.rows, day };
    return this.#retry.untilDone('record a batch', async () =>
      this.#options.batchLog.seal({ ...range, sealedAt: Math.max(wallMs(), account.lastReceivedAt) }),
    );
  }

  async #store(batch: Batch, account: EpochTotals, readAt: number | null): Promise<void> {
    const { batchLog, publishStored } = this.#options;
    const begun = performance.now();
    const stored = await this.#insert.insert(batch, account, readAt);
    await this.#retry.untilDone('record that a batch is in', async () => batchLog.confirm(batch.id));
    const figures = this.#figures;
    figures.batches++;
    figures.rows += stored.events;
    figures.deadLetters += stored.deadLetters;
    figures.refused += stored.refused;
    figures.lastBatchRows = account.rows;
    figures.insertSeconds += (performance.now() - begun) / 1000;
    this.#advance({
      epoch: batch.lastEpoch,
      batch: batch.id,
      events: this.totals.events + account.rows,
      deadLetters: this.totals.deadLetters + account.deadLetters,
      receivedAt: Math.max(this.totals.receivedAt, account.lastReceivedAt),
    });
    publishStored(batch.lastEpoch);
  }

  #advance(totals: StoredTotals): void {
    this.#movedAt = performance.now();
    this.totals = totals;
    this.lookup.stored(written(totals.epoch), totals.batch);
    this.#options.clickhouse.showWatermark(totals.receivedAt);
  }

  #fail(error: unknown): void {
    if (this.#connection.signal.aborted) return;
    const { log, onFailure } = this.#options;
    log('error', 'the warehouse stopped', { error: messageOf(error) });
    this.#connection.end();
    if (onFailure !== undefined) onFailure(error);
    else
      setImmediate(() => {
        throw error;
      });
  }
}
