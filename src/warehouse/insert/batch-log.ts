/**
 * The durable account of batches: which ranges of epochs were sealed into which batch, and which ClickHouse has confirmed.
 * Owned by the main thread. A seal is on the disk before the first insert of its batch is sent, so a restart makes the same
 * batches again, byte for byte; a confirmation may be lost, and then the batch is looked up again.
 *
 *   batches.log   records of layout/batch-record.ts, with their checksum, back to back; the file begins with BASE and is
 *                 replaced as a whole when it grows long
 */

import path from 'node:path';
import { crc32 } from 'node:zlib';

import { fail } from '../../../native-free-core/base/fail.ts';
import {
  BATCH_BASE,
  BATCH_CONFIRM,
  BATCH_LOG,
  BATCH_MAGIC,
  BATCH_OPEN,
  BATCH_RECORD_BYTES,
  BATCH_SEAL,
  readBatchRecord,
  writeBatchRecord,
  type BatchRecord,
} from '../../../native-free-core/layout/batch-record.ts';
import {
  CHECKED_FROM,
  readChecksum,
  readMagic,
  writeChecksum,
} from '../../../native-free-core/layout/checked-record.ts';
import {
  after,
  before,
  BEFORE_FIRST,
  earlier,
  isBefore,
  positionOf,
  written,
  type Position,
} from '../../contract/event-log.ts';
import { OperatingError } from '../../errors.ts';
import type { Storage, StorageFile } from '../../spool/storage.ts';
import type { Batch, BatchRange } from './batch.ts';

interface SealedBatch extends BatchRange {
  /** 1, 2, 3… */
  readonly id: number;
}

/** At a batch a second and two records each, the file is replaced about every half hour. */
const RECORDS_MAX = 4096;
const FILE_NAME = 'batches.log';
const TEMPORARY_NAME = 'batches.tmp';
const NO_BATCH: SealedBatch = {
  id: 0,
  firstEpoch: BEFORE_FIRST,
  lastEpoch: BEFORE_FIRST,
  rows: 0,
  day: 0,
  sealedAt: 0,
};

/** Recovers the account in `directory` and makes it ready. `mustExist`: epochs have been durable, so that there was one. */
export function openBatchLog(storage: Storage, directory: string, mustExist = false): BatchLog {
  storage.makeDirectory(directory);
  if (mustExist && !storage.list(directory).includes(FILE_NAME)) {
    throw new OperatingError(
      'batch_log_missing',
      `nothing says which epochs ClickHouse has: file=${path.join(directory, FILE_NAME)} is missing, and the spool has held epochs; restore the folder from a copy`,
    );
  }
  return new BatchLog(storage, directory);
}

export class BatchLog {
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #open = new Map<number, SealedBatch>();
  /** Open batches from before the log had a number: their tokens stay as they were. */
  readonly #unnamed = new Set<number>();
  /** 0: it has none yet. */
  #logNumber = 0;
  readonly #bytes = new Uint8Array(BATCH_RECORD_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #file: StorageFile | null = null;
  #records = 0;
  #syncedRecords = 0;
  #last = NO_BATCH;
  #confirmedEpochDurable = BEFORE_FIRST;

  constructor(storage: Storage, directory: string) {
    this.#storage = storage;
    this.#directory = directory;
    if (storage.list(directory).includes(FILE_NAME)) this.#recover();
    // Also cuts a torn tail off for good.
    this.#replace();
  }

  /** Number of the log whose epochs are accounted for; 0: nobody has told it yet. */
  get knownLogNumber(): number {
    return this.#logNumber;
  }

  get logNumber(): number {
    if (this.#logNumber === 0) fail('batch_log_unnamed', this.#last.id);
    return this.#logNumber;
  }

  /** Tells it the number of its log, for good. Before this no batch can be had. */
  nameLog(logNumber: number): void {
    if (this.#logNumber === logNumber) return;
    if (this.#logNumber !== 0) {
      throw new OperatingError(
        'batch_log_foreign',
        `the batch log belongs to another spool: directory=${this.#directory} its_log=${this.#logNumber} spool_log=${logNumber}; restore the data folder from one copy`,
      );
    }
    for (const id of this.#open.keys()) this.#unnamed.add(id);
    this.#logNumber = logNumber;
    this.#replace();
  }

  get nextBatchId(): number {
    return this.#last.id + 1;
  }

  /** The last epoch that is in a batch; the one before the first where there is none. */
  get sealedEpoch(): Position {
    return this.#last.lastEpoch;
  }

  /** All epochs up to this one are confirmed. */
  get confirmedEpoch(): Position {
    let epoch = this.#last.lastEpoch;
    for (const batch of this.#open.values()) epoch = earlier(epoch, before(batch.firstEpoch));
    return epoch;
  }

  /** Sealed and not confirmed, oldest first. After a restart ClickHouse must be asked about each. */
  openBatches(): Batch[] {
    return [...this.#open.values()].map((record) => this.#named(record));
  }

  /**
   * Records the next batch. It is durable on return: the insert may be sent. A full disk is thrown, and can be tried again.
   */
  seal(range: BatchRange): Batch {
    const { firstEpoch, lastEpoch, rows, day, sealedAt } = range;
    if (this.#last.id !== 0 && firstEpoch !== after(this.#last.lastEpoch))
      fail('batch_not_contiguous', written(firstEpoch));
    if (isBefore(lastEpoch, firstEpoch)) fail('batch_range', written(lastEpoch));
    const record = { id: this.nextBatchId, firstEpoch, lastEpoch, rows, day, sealedAt };
    const confirmed = this.confirmedEpoch;
    const batch = this.#named(record);
    this.#append(BATCH_SEAL, record);
    this.#sync();
    this.#last = record;
    this.#open.set(record.id, record);
    this.#confirmedEpochDurable = confirmed;
    return batch;
  }

  /** ClickHouse has the batch, on its disk. Not synced: a lost confirmation costs a look-up. */
  confirm(id: number): void {
    const batch = this.#open.get(id);
    if (batch === undefined) fail('batch_not_open', id);
    this.#append(BATCH_CONFIRM, batch);
    this.#forget(id);
  }

  /**
   * Takes back what was sealed and not confirmed beyond this epoch: those epochs are lost, and ClickHouse has nothing of
   * them.
   */
  cutTo(epoch: Position): void {
    const lost = this.openBatches().filter(({ lastEpoch }) => isBefore(epoch, lastEpoch));
    const first = lost[0];
    if (first === undefined) return;
    for (const { id } of lost) this.#forget(id);
    this.#last = { ...NO_BATCH, id: first.id - 1, lastEpoch: before(first.firstEpoch) };
    this.#replace();
  }

  /** Makes all confirmations durable. Returns the epoch up to which all are: the spool may be trimmed to there. */
  flush(): Position {
    if (this.#syncedRecords < this.#records) {
      this.#sync();
      this.#confirmedEpochDurable = this.confirmedEpoch;
    }
    if (this.#records > RECORDS_MAX) this.#replace();
    return this.#confirmedEpochDurable;
  }

  close(): void {
    this.flush();
    this.#file?.close();
    this.#file = null;
  }

  #named(batch: SealedBatch): Batch {
    const log = this.logNumber;
    const token = `${batch.id}-${batch.sealedAt}`;
    return { ...batch, log, token: this.#unnamed.has(batch.id) ? token : `${log}-${token}` };
  }

  #append(kind: number, batch: SealedBatch): void {
    encodeRecord(this.#bytes, this.#view, 0, { ...recordOf(batch), kind, syncedRecords: this.#syncedRecords });
    this.#current().writev([this.#bytes], this.#records * BATCH_RECORD_BYTES);
    this.#records++;
  }

  /** After a failed sync nobody knows what the file holds: the log closes, and the process must start again. */
  #sync(): void {
    const file = this.#current();
    this.#file = null;
    try {
      file.fdatasync();
    } catch (cause) {
      throw new OperatingError(
        'batch_log_sync',
        `fdatasync failed: file=${file.path}; look at the disk, then start again`,
        { cause },
      );
    }
    this.#file = file;
    this.#syncedRecords = this.#records;
  }

  #current(): StorageFile {
    if (this.#file !== null) return this.#file;
    throw new OperatingError('batch_log_closed', `the batch log is closed: directory=${this.#directory}; start again`);
  }

  /**
   * Writes the account anew, short, and puts it in the old file's place. Where the new one cannot be written, the old one
   * stays.
   */
  #replace(): void {
    const temporary = path.join(this.#directory, TEMPORARY_NAME);
    if (this.#storage.list(this.#directory).includes(TEMPORARY_NAME)) this.#storage.unlink(temporary);
    const open = [...this.#open.values()].map((batch) => ({ kind: BATCH_OPEN, batch }));
    const named = open.filter(({ batch }) => !this.#unnamed.has(batch.id));
    const entries = [
      { kind: BATCH_BASE, batch: this.#last },
      ...open.filter(({ batch }) => this.#unnamed.has(batch.id)),
      ...(this.#logNumber === 0 ? [] : [{ kind: BATCH_LOG, batch: { ...NO_BATCH, id: this.#logNumber } }]),
      ...named,
    ];
    const records = entries.length;
    const bytes = new Uint8Array(records * BATCH_RECORD_BYTES);
    const view = new DataView(bytes.buffer);
    const file = this.#storage.create(temporary);
    for (const [i, { kind, batch }] of entries.entries())
      encodeRecord(bytes, view, i * BATCH_RECORD_BYTES, { ...recordOf(batch), kind, syncedRecords: 0 });
    file.writev([bytes], 0);
    file.fdatasync();
    this.#file?.close();
    this.#file = null;
    this.#storage.rename(temporary, path.join(this.#directory, FILE_NAME));
    this.#storage.fsyncDirectory(this.#directory);
    this.#file = file;
    this.#records = records;
    this.#syncedRecords = records;
    this.#confirmedEpochDurable = this.confirmedEpoch;
  }

  #recover(): void {
    const file = this.#storage.open(path.join(this.#directory, FILE_NAME));
    const bytes = new Uint8Array(file.size());
    const end = file.read(bytes, 0, bytes.length, 0);
    file.close();
    const view = new DataView(bytes.buffer);
    let cutAt = -1;
    for (let index = 0; (index + 1) * BATCH_RECORD_BYTES <= end; index++) {
      const record = decodeRecord(bytes, view, index * BATCH_RECORD_BYTES);
      if (record === null) cutAt = cutAt < 0 ? index : cutAt;
      else if (cutAt < 0) this.#apply(record.kind, batchOf(record));
      else if (record.syncedRecords > cutAt) throw this.#damaged(file, cutAt);
    }
    if (cutAt === 0 || end < BATCH_RECORD_BYTES) throw this.#damaged(file, 0);
  }

  #apply(kind: number, batch: SealedBatch): void {
    if (kind === BATCH_LOG) {
      this.#logNumber = batch.id;
      for (const id of this.#open.keys()) this.#unnamed.add(id);
    }
    if (kind === BATCH_BASE || kind === BATCH_SEAL) this.#last = batch;
    if (kind === BATCH_OPEN || kind === BATCH_SEAL) this.#open.set(batch.id, batch);
    if (kind === BATCH_CONFIRM) this.#forget(batch.id);
  }

  #forget(id: number): void {
    this.#open.delete(id);
    this.#unnamed.delete(id);
  }

  #damaged(file: StorageFile, record: number): OperatingError {
    return new OperatingError(
      'batch_log_corrupt',
      `batches that had been recorded are unreadable: file=${file.path} record=${record}; the disk lost data: restore the folder from a copy`,
    );
  }
}

/** `record`: with its checksum. */
function encodeRecord(bytes: Uint8Array, view: DataView, at: number, record: BatchRecord): void {
  writeBatchRecord(view, at, record);
  writeChecksum(view, at, checksumOf(bytes, at));
}

/** null where no undamaged record stands. */
function decodeRecord(bytes: Uint8Array, view: DataView, at: number): BatchRecord | null {
  if (readMagic(view, at) !== BATCH_MAGIC || readChecksum(view, at) !== checksumOf(bytes, at)) return null;
  return readBatchRecord(view, at);
}

function checksumOf(bytes: Uint8Array, at: number): number {
  return crc32(bytes.subarray(at + CHECKED_FROM, at + BATCH_RECORD_BYTES));
}

function recordOf({ firstEpoch, lastEpoch, ...rest }: SealedBatch): Omit<BatchRecord, 'kind' | 'syncedRecords'> {
  return { ...rest, firstEpoch: written(firstEpoch), lastEpoch: written(lastEpoch) };
}

function batchOf({ id, firstEpoch, lastEpoch, rows, day, sealedAt }: BatchRecord): SealedBatch {
  return { id, firstEpoch: positionOf(firstEpoch), lastEpoch: positionOf(lastEpoch), rows, day, sealedAt };
}
