/**
 * The way from the spool into ClickHouse: follows the durable epochs, seals batches by rows or age within one arrival day,
 * inserts each exactly once, and says how far SQL can see. Main thread; called by engine.ts.
 *
 * A batch's range is durable before its first insert, so that it can be made again byte for byte. After any doubt ClickHouse
 * is asked which rows it has before anything is sent again (SEMANTICS.md §10).
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { Plan } from '../../native-free-core/layout/plan.ts';
import { readBlockHeader } from '../../native-free-core/columns/load.ts';
import type { Log } from '../ops/log.ts';
import type { ClickHouse } from './clickhouse.ts';
import { BatchInsert, type Batch, type BatchContents } from './insert/batch-insert.ts';
import { Connection } from './insert/connection.ts';
import { DecisionLookup, type DecisionRequest } from './insert/decision-lookup.ts';
import { createTables, recordPipeline } from './tables/index.ts';

export interface EpochBlocks {
  readonly epoch: number;
  readonly blocks: readonly Uint8Array[];
}

/** The spool's reader (spool/reader.ts). */
export interface EpochReader {
  seek(epoch: number): void;
  next(throughEpoch: number): EpochBlocks | null;
  close(): void;
}

/** The durable account of batches (spool/batch-log.ts). */
export interface BatchLog {
  readonly confirmedEpoch: number;
  readonly sealedEpoch: number;
  openBatches(): Batch[];
  seal(range: Omit<Batch, 'id'>): Batch;
  confirm(id: number): void;
  flush(): number;
  close(): void;
}

export interface WarehouseOptions {
  readonly clickhouse: ClickHouse;
  readonly plan: Plan;
  readonly batchLog: BatchLog;
  readonly openReader: () => EpochReader;
  readonly durableEpoch: () => number;
  readonly publishStored: (epoch: number) => void;
  /** Every durable epoch from the first unconfirmed one on, once and in order. */
  readonly onEpoch: (epoch: number, blocks: readonly Uint8Array[]) => void;
  readonly dictionary: (id: number) => Uint8Array;
  readonly batchAgeMs: number;
  readonly log: Log;
}

export interface StoredTotals {
  readonly epoch: number;
  readonly events: number;
  readonly deadLetters: number;
}

export interface Warehouse {
  start(): Promise<void>;
  /** Inserts what is durable, for a bounded time; what is left is inserted after the next start. */
  stop(): Promise<void>;
  stored(): StoredTotals;
  counters(): object;
  /** Confirmed epochs whose rows are on ClickHouse's disk. */
  confirmedOnDiskEpoch(): Promise<number>;
  /** The answer to a frame that was answered before. */
  lookupDecisions(request: DecisionRequest): Promise<Uint8Array>;
}

/** A batch closes at so many rows: about a second of the largest load. */
const BATCH_ROWS_MAX = 1_000_000;
/** Spool bytes of one batch: bounds what one insert costs in memory on both sides. */
const BATCH_BYTES_MAX = 512 << 20;
const LOOK_MS = 10;
const STOP_MS = 20_000;
const DAY_MS = 86_400_000;

/** Epochs gathered for the next batch. */
interface Range {
  firstEpoch: number;
  lastEpoch: number;
  rows: number;
  bytes: number;
  day: number;
  openedAt: number;
}

export function createWarehouse(options: WarehouseOptions): Warehouse {
  const { batchLog, log, plan } = options;
  const connection = new Connection(options.clickhouse, log);
  const insert = new BatchInsert({ connection, plan, dictionary: options.dictionary, openReader: options.openReader, log });
  const lookup = new DecisionLookup({ connection, plan, log });
  let reader: EpochReader | null = null;
  let pending: EpochBlocks | null = null;
  let range: Range | null = null;
  let totals: StoredTotals = { epoch: 0, events: 0, deadLetters: 0 };
  const counters = { batches: 0, rows: 0, insertSeconds: 0, retries: 0, lastBatchRows: 0 };
  let stopping = false;
  let stopBy = Infinity;
  let running: Promise<void> = Promise.resolve();

  const setUp = async (): Promise<void> => {
    const changes = await createTables(plan, connection, connection.database);
    if (changes.created.length > 0) log('info', 'tables created', { tables: changes.created });
    if (changes.added.length > 0) log('info', 'columns added', { columns: changes.added });
  };

  /** Extends the range by what is durable; true once it must close. */
  const gather = (): boolean => {
    const durable = options.durableEpoch();
    for (;;) {
      pending ??= reader!.next(durable);
      if (pending === null) break;
      const header = readBlockHeader(pending.blocks[0]!);
      const day = Math.floor(header.receivedAt / DAY_MS);
      if (range !== null && range.day !== day) return true;
      range ??= { firstEpoch: pending.epoch, lastEpoch: pending.epoch, rows: 0, bytes: 0, day, openedAt: performance.now() };
      range.lastEpoch = pending.epoch;
      for (const block of pending.blocks) {
        range.rows += readBlockHeader(block).rows;
        range.bytes += block.length;
      }
      options.onEpoch(pending.epoch, pending.blocks);
      pending = null;
      if (range.rows >= BATCH_ROWS_MAX || range.bytes >= BATCH_BYTES_MAX) return true;
    }
    return range !== null && (stopping || performance.now() - range.openedAt >= options.batchAgeMs);
  };

  const store = async (batch: Batch, isNew: boolean): Promise<void> => {
    const begun = performance.now();
    const contents: BatchContents | null = await insert.insert(batch, isNew, setUp, () => performance.now() > stopBy);
    if (contents === null) return;
    batchLog.confirm(batch.id);
    counters.batches++;
    counters.rows += contents.rows;
    counters.lastBatchRows = contents.rows;
    counters.insertSeconds += (performance.now() - begun) / 1000;
    counters.retries = insert.retries;
    totals = { epoch: batch.lastEpoch, events: totals.events + contents.rows, deadLetters: totals.deadLetters + contents.deadLetters };
    options.publishStored(batch.lastEpoch);
    lookup.stored(batch.lastEpoch);
  };

  const run = async (): Promise<void> => {
    for (const batch of batchLog.openBatches()) {
      // Read for the ledger as well; it passes over what it has.
      await store(batch, false);
      if (performance.now() > stopBy) return;
    }
    while (!stopping || options.durableEpoch() > totals.epoch) {
      if (performance.now() > stopBy) return;
      if (!gather()) {
        if (stopping && range === null) return;
        await pause(LOOK_MS);
        continue;
      }
      const { firstEpoch, lastEpoch, rows, day } = range!;
      range = null;
      await store(batchLog.seal({ firstEpoch, lastEpoch, rows, day, sealedAt: Date.now() }), true);
    }
  };

  return {
    async start() {
      await insert.untilDone('create the tables', setUp, () => false);
      await insert.untilDone('record the pipeline', () => recordOnce(plan, connection), () => false);
      const counted = await connection.rows<{ events: string; letters: string }>(
        `SELECT (SELECT count() FROM ${connection.table('events')}) AS events, (SELECT count() FROM ${connection.table('dead_letters')}) AS letters`,
      );
      const open = batchLog.openBatches();
      totals = { epoch: batchLog.confirmedEpoch, events: Number(counted[0]!.events), deadLetters: Number(counted[0]!.letters) };
      for (const batch of open) {
        const part = await insert.count(batch.id);
        totals = { ...totals, events: totals.events - part.rows, deadLetters: totals.deadLetters - part.deadLetters };
      }
      options.publishStored(totals.epoch);
      lookup.stored(totals.epoch);
      reader = options.openReader();
      reader.seek(batchLog.sealedEpoch + 1);
      running = run();
      running.catch((error: unknown) => log('error', 'the warehouse stopped', { error: String(error) }));
    },
    async stop() {
      stopping = true;
      stopBy = performance.now() + STOP_MS;
      await running.catch(() => undefined);
      reader?.close();
      batchLog.flush();
      batchLog.close();
      await connection.close();
    },
    stored: () => totals,
    counters: () => ({ ...counters, insertSeconds: Number(counters.insertSeconds.toFixed(3)) }),
    async confirmedOnDiskEpoch() {
      const confirmed = batchLog.flush();
      await connection.reachDisk();
      return confirmed;
    },
    lookupDecisions: (request) => lookup.answer(request),
  };
}

async function recordOnce(plan: Plan, connection: Connection): Promise<void> {
  const last = await connection.rows<{ number: number }>(
    `SELECT number FROM ${connection.table('pipelines')} ORDER BY activated_at DESC LIMIT 1`,
  );
  if (Number(last[0]?.number) !== plan.versionNumber) await recordPipeline(plan, connection, Date.now(), connection.database);
}
