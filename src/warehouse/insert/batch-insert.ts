/**
 * Inserts one batch exactly once (docs/semantics.md §10): events and dead letters, each as one insert, one block, one part,
 * under a token of its own; then a line in `batches`. Whatever goes wrong is tried again for ever, after a look at what is
 * there. Main thread.
 *
 *   clean     send, and ClickHouse says that it wrote all rows
 *   in doubt  look: whole is done; absent or partial: the same bytes again with the same token, and look
 *   mending   what is doubled, missing or refused even then goes by row (mending.ts)
 */

import type { ClickHouseSettings } from '@clickhouse/client';
import type { NativeTexts } from '../../../native-free-core/columns/native-column.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { monotonicMs } from '../../system/clock.ts';
import type { Log } from '../../system/log.ts';
import { BATCH_INSERT_SETTINGS } from '../../clickhouse-embedded/index.ts';
import { written } from '../../contract/event-log.ts';
import { EVENTS_TABLE } from '../../contract/events-source.ts';
import type { EpochTotals, Batch, OpenReader } from './batch.ts';
import { BatchEpochs } from './batch-epochs.ts';
import { deadLettersBatchTable, eventsBatchTable, type BatchTable } from './batch-table.ts';
import type { Connection } from './connection.ts';
import { Mending } from './mending.ts';
import { isWhole, lookFor, NOTHING, type Presence } from './presence.ts';
import { refusalOf } from './clickhouse-errors.ts';
import type { Retry } from './retry.ts';

export interface BatchInsertOptions {
  readonly connection: Connection;
  readonly retry: Retry;
  /** The plan of a version that has sealed blocks. */
  readonly planOf: (pipelineNumber: number) => Plan;
  readonly dictionary: (id: number) => Uint8Array;
  readonly openReader: OpenReader;
  readonly log: Log;
}

/** Rows of a batch as they ended: `refused` are events that stand in `dead_letters`. */
export interface Stored {
  readonly events: number;
  readonly deadLetters: number;
  readonly refused: number;
}

/** What has been tried with a batch and a table since this start. */
interface Attempt {
  readonly readAt: number | null;
  /** Rows may be there. */
  inDoubt: boolean;
  /** The whole body has been answered, so that sending it again changes nothing. */
  answered: boolean;
}

/** So long bytes that were written or checked are still in memory, most likely; later they are checked again. */
const JUST_READ_MS_MAX = 10_000;

/** The client's types want 64-bit settings as text. */
const INSERT_SETTINGS: ClickHouseSettings = Object.fromEntries(
  Object.entries(BATCH_INSERT_SETTINGS).map(([name, value]) => [name, String(value)]),
);

export class BatchInsert {
  /** Times that ClickHouse was asked what it has, and batches that were mended by row. */
  readonly figures = { looks: 0, mendings: 0 };
  readonly mending: Mending;
  readonly #options: BatchInsertOptions;
  /** As the version has it that sealed the last batch. */
  #events: { readonly pipelineNumber: number; readonly stored: string; readonly table: BatchTable } | null = null;
  readonly #texts: NativeTexts;
  readonly #deadLetters: BatchTable;
  readonly #epochs: { readonly events: BatchEpochs; readonly dead_letters: BatchEpochs };

  constructor(options: BatchInsertOptions) {
    const { connection, log, openReader } = options;
    const encoder = new TextEncoder();
    this.#texts = { dictionary: options.dictionary, utf8: (text: string) => encoder.encode(text) };
    this.#options = options;
    this.#epochs = { events: new BatchEpochs(openReader), dead_letters: new BatchEpochs(openReader) };
    this.#deadLetters = deadLettersBatchTable(this.#texts, this.#epochs.dead_letters);
    this.mending = new Mending({ connection, insertSettings: INSERT_SETTINGS, log });
  }

  /**
   * Resolves once all of it is in. `readAt`: when the follower read and checked its first epoch, by the monotonic clock;
   * null where that was before this start, so that some of it may have been sent.
   */
  async insert(batch: Batch, account: EpochTotals, readAt: number | null): Promise<Stored> {
    const { retry } = this.#options;
    const { refused } = await this.#place(this.#eventsOf(account), batch, account.rows, readAt);
    await this.#place(this.#deadLetters, batch, account.deadLetters, readAt);
    await retry.untilDone(`record batch ${batch.id}`, () => this.#record(batch, account, refused));
    return { events: account.rows - refused, deadLetters: account.deadLetters + refused, refused };
  }

  close(): void {
    this.#epochs.events.close();
    this.#epochs.dead_letters.close();
  }

  #eventsOf({ pipelineNumber }: EpochTotals): BatchTable {
    const plan = this.#options.planOf(pipelineNumber);
    // How a version is stored changes once the tables are ready for the next one.
    const stored = plan.columns.map(({ name, storedNullable = false }) => `${name} ${storedNullable}`).join();
    if (this.#events?.pipelineNumber !== pipelineNumber || this.#events.stored !== stored)
      this.#events = { pipelineNumber, stored, table: eventsBatchTable(plan, this.#texts, this.#epochs.events) };
    return this.#events.table;
  }

  async #place(table: BatchTable, batch: Batch, expected: number, readAt: number | null): Promise<Presence> {
    if (expected === 0) {
      // Few batches have dead letters: until the next one no file is held open for them.
      this.#epochs[table.name].close();
      return NOTHING;
    }
    const attempt: Attempt = { readAt, inDoubt: readAt === null, answered: false };
    return this.#options.retry.untilDone(`insert batch ${batch.id} into ${table.name}`, () =>
      this.#attempt(table, batch, expected, attempt),
    );
  }

  async #attempt(table: BatchTable, batch: Batch, expected: number, attempt: Attempt): Promise<Presence> {
    let found = NOTHING;
    if (attempt.inDoubt) {
      found = await this.#look(table, batch);
      if (isWhole(found, expected)) return found;
    }
    if (found.distinct < expected && found.refused === 0 && !attempt.answered) {
      const isFirst = !attempt.inDoubt;
      attempt.inDoubt = true;
      const written = await this.#send(table, batch, isFirst && isJustRead(attempt));
      attempt.answered = true;
      if (isFirst && written === expected) return NOTHING;
      found = await this.#look(table, batch);
      if (isWhole(found, expected)) return found;
    }
    this.figures.mendings++;
    await this.mending.mend(table, batch, expected, found);
    found = await this.#look(table, batch);
    if (isWhole(found, expected)) return found;
    throw new Error(
      `a batch is not whole after mending: table=${table.name} batch=${batch.id} expected=${expected} found=${JSON.stringify(found)}`,
    );
  }

  #look(table: BatchTable, batch: Batch): Promise<Presence> {
    this.figures.looks++;
    return lookFor(this.#options.connection, table, batch);
  }

  /** Returns the rows that ClickHouse says it wrote; -1 where it refused some. */
  async #send(table: BatchTable, batch: Batch, justRead: boolean): Promise<number> {
    const { connection, log } = this.#options;
    try {
      return await connection.insertBlocks(
        `INSERT INTO ${connection.table(table.name)} (${table.columnList}) FORMAT Native`,
        table.blocks(batch, justRead),
        { ...INSERT_SETTINGS, insert_deduplication_token: `${table.name}-${batch.token}` },
      );
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null || table.name !== EVENTS_TABLE) throw error;
      log('error', 'ClickHouse refuses rows of a batch; they are looked for', { batch: batch.id, refusal });
      return -1;
    }
  }

  async #record(batch: Batch, account: EpochTotals, refused: number): Promise<void> {
    const { connection } = this.#options;
    const time = (ms: number): string => `fromUnixTimestamp64Milli(toInt64(${Math.floor(ms)}), 'UTC')`;
    await connection.execute(
      `INSERT INTO ${connection.table('batches')} (log, batch, first_epoch, last_epoch, day, first_received_at, last_received_at,
        rows, dead_letters, frames, received, duplicates, sealed_at)
       SELECT ${batch.log}, ${batch.id}, ${written(batch.firstEpoch)}, ${written(batch.lastEpoch)}, toDate(${batch.day}), ${time(account.firstReceivedAt)},
        ${time(account.lastReceivedAt)}, ${account.rows - refused}, ${account.deadLetters + refused}, ${account.frames},
        ${account.received}, ${account.duplicates}, ${time(batch.sealedAt)}`,
    );
  }
}

function isJustRead({ readAt }: Attempt): boolean {
  return readAt !== null && monotonicMs() - readAt < JUST_READ_MS_MAX;
}
