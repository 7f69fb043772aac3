/**
 * Inserts one batch exactly once (SEMANTICS.md §10): events and dead letters, each as one insert, one block, one part, under a
 * token of its own; then a line in `batches`. Whatever goes wrong is tried again for ever, after a look at what is there.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { createDeadLetterEncoder, DEAD_LETTER_COLUMNS } from '../../../native-free-core/columns/native-dead-letters.ts';
import { BATCH_COLUMNS } from '../../../native-free-core/columns/native-batch-columns.ts';
import type { NativeBlock } from '../../../native-free-core/columns/chunks.ts';
import { eachFrame, readBlockHeader } from '../../../native-free-core/columns/load.ts';
import { createNativeEncoder, type NativeEncoder } from '../../../native-free-core/columns/native.ts';
import type { Plan } from '../../../native-free-core/layout/plan.ts';
import type { Log } from '../../ops/log.ts';
import { BATCH_INSERT_SETTINGS } from '../embedded/index.ts';
import { quoteName } from '../tables/index.ts';
import type { Connection } from './connection.ts';

export interface Batch {
  readonly id: number;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  readonly rows: number;
  readonly day: number;
  readonly sealedAt: number;
}

export interface BatchContents {
  readonly rows: number;
  readonly deadLetters: number;
}

interface Reader {
  seek(epoch: number): void;
  next(throughEpoch: number): { readonly epoch: number; readonly blocks: readonly Uint8Array[] } | null;
  close(): void;
}

export interface BatchInsertOptions {
  readonly connection: Connection;
  readonly plan: Plan;
  readonly dictionary: (id: number) => Uint8Array;
  readonly openReader: () => Reader;
  readonly log: Log;
}

/** What a batch's epochs hold, from their headers. */
interface Account extends BatchContents {
  readonly frames: number;
  readonly received: number;
  readonly duplicates: number;
  readonly firstReceivedAt: number;
  readonly lastReceivedAt: number;
}

/** The client's types want 64-bit settings as text. */
const INSERT_SETTINGS = Object.fromEntries(Object.entries(BATCH_INSERT_SETTINGS).map(([name, value]) => [name, String(value)]));
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5000;

export class BatchInsert {
  retries = 0;
  readonly #options: BatchInsertOptions;
  readonly #texts;

  constructor(options: BatchInsertOptions) {
    const encoder = new TextEncoder();
    this.#options = options;
    this.#texts = { dictionary: options.dictionary, utf8: (text: string) => encoder.encode(text) };
  }

  /** null where `giveUp` said so before it was done; the batch stays open then. `isNew`: it was never sent before. */
  async insert(batch: Batch, isNew: boolean, repair: () => Promise<void>, giveUp: () => boolean): Promise<BatchContents | null> {
    let doubt = !isNew;
    const account = this.#account(batch);
    const done = await this.untilDone(
      `insert batch ${batch.id}`,
      async () => {
        if (doubt) await repair();
        const there = doubt ? await this.count(batch.id) : { rows: 0, deadLetters: 0 };
        doubt = true;
        if (account.rows > 0) await this.#insertInto('events', batch, account.rows, there.rows);
        if (account.deadLetters > 0) await this.#insertInto('dead_letters', batch, account.deadLetters, there.deadLetters);
        await this.#record(batch, account);
      },
      giveUp,
    );
    return done ? account : null;
  }

  /** Runs an action until it succeeds, with growing pauses; false where `giveUp` ended it. */
  async untilDone(what: string, action: () => Promise<void>, giveUp: () => boolean): Promise<boolean> {
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(RETRY_MS_MAX, waitMs * 2)) {
      try {
        await action();
        return true;
      } catch (error) {
        this.retries++;
        this.#options.log('error', `could not ${what}; trying again`, { error: String(error), waitMs });
      }
      if (giveUp()) return false;
      await pause(waitMs * (0.75 + Math.random() / 2));
    }
  }

  /** Rows that ClickHouse has of a batch. */
  async count(batch: number): Promise<BatchContents> {
    const { connection } = this.#options;
    const found = await connection.rows<{ rows: string; letters: string }>(
      `SELECT (SELECT count() FROM ${connection.table('events')} WHERE _batch = {batch:UInt64}) AS rows,
        (SELECT count() FROM ${connection.table('dead_letters')} WHERE _batch = {batch:UInt64}) AS letters`,
      { batch },
    );
    return { rows: Number(found[0]!.rows), deadLetters: Number(found[0]!.letters) };
  }

  async #insertInto(table: 'events' | 'dead_letters', batch: Batch, rows: number, there: number): Promise<void> {
    if (there === rows) return;
    const { connection } = this.#options;
    if (there > 0) await this.#removePart(table, batch.id);
    const names = table === 'events' ? this.#options.plan.columns : DEAD_LETTER_COLUMNS;
    const columns = [...BATCH_COLUMNS, ...names].map(({ name }) => quoteName(name)).join(', ');
    await connection.insert(`INSERT INTO ${connection.table(table)} (${columns}) FORMAT Native`, this.#body(table, batch), {
      ...INSERT_SETTINGS,
      // After rows were removed the first token stands for nothing that is still there.
      insert_deduplication_token: `${table}-${batch.id}${there > 0 ? `-again-${Date.now()}` : ''}`,
    });
    const now = await this.count(batch.id);
    const got = table === 'events' ? now.rows : now.deadLetters;
    if (got !== rows) throw new Error(`ClickHouse has ${got} of ${rows} rows of batch ${batch.id} in ${table}`);
  }

  /** A batch that is there in part, or more than once, is taken out whole before it is sent again. */
  async #removePart(table: string, batch: number): Promise<void> {
    const { connection, log } = this.#options;
    log('warn', 'a batch is there in part or doubled and is sent again whole', { table, batch });
    await connection.execute(`ALTER TABLE ${connection.table(table)} DELETE WHERE _batch = ${batch} SETTINGS mutations_sync = 2`);
  }

  /** The batch in ClickHouse's Native format, made anew from the spool, the same bytes each time. */
  *#body(table: string, batch: Batch): Generator<Uint8Array> {
    const ready: NativeBlock[] = [];
    const options = { sink: (block: NativeBlock) => void ready.push(block) };
    const encoder: NativeEncoder =
      table === 'events' ? createNativeEncoder(this.#options.plan, this.#texts, options) : createDeadLetterEncoder(this.#texts, options);
    encoder.begin(batch.id);
    for (const { epoch, blocks } of this.#epochs(batch)) {
      for (const block of blocks) encoder.appendBlock(block, epoch);
      while (ready.length > 0) yield* ready.shift()!.chunks;
    }
    encoder.finish();
    while (ready.length > 0) yield* ready.shift()!.chunks;
  }

  *#epochs(batch: Batch): Generator<{ readonly epoch: number; readonly blocks: readonly Uint8Array[] }> {
    const reader = this.#options.openReader();
    try {
      reader.seek(batch.firstEpoch);
      for (let found = reader.next(batch.lastEpoch); found !== null; found = reader.next(batch.lastEpoch)) yield found;
    } finally {
      reader.close();
    }
  }

  #account(batch: Batch): Account {
    const sum = { rows: 0, deadLetters: 0, frames: 0, received: 0, duplicates: 0, firstReceivedAt: 0, lastReceivedAt: 0 };
    for (const { blocks } of this.#epochs(batch)) {
      for (const block of blocks) {
        const header = readBlockHeader(block);
        sum.rows += header.rows;
        sum.deadLetters += header.deadLetters;
        sum.frames += header.frames;
        sum.firstReceivedAt ||= header.receivedAt;
        sum.lastReceivedAt = header.receivedAt;
        eachFrame(block, (frame) => {
          sum.received += frame.received;
          sum.duplicates += frame.duplicates;
        });
      }
    }
    return sum;
  }

  async #record(batch: Batch, account: Account): Promise<void> {
    const { connection } = this.#options;
    const time = (ms: number): string => `fromUnixTimestamp64Milli(toInt64(${Math.floor(ms)}), 'UTC')`;
    await connection.execute(
      `INSERT INTO ${connection.table('batches')} (batch, first_epoch, last_epoch, day, first_received_at, last_received_at,
        rows, dead_letters, frames, received, duplicates, sealed_at)
       SELECT ${batch.id}, ${batch.firstEpoch}, ${batch.lastEpoch}, toDate(${batch.day}), ${time(account.firstReceivedAt)},
        ${time(account.lastReceivedAt)}, ${account.rows}, ${account.deadLetters}, ${account.frames}, ${account.received},
        ${account.duplicates}, ${time(batch.sealedAt)}`,
    );
  }
}
