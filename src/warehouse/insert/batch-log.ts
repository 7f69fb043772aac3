/**
 * The durable account of batches: which ranges of epochs were sealed into which batch, and which ClickHouse has confirmed.
 * Owned by the main thread. A seal is on the disk before the first insert of its batch is sent, so a restart makes the same
 * batches again, byte for byte; a confirmation may be lost, and then the batch is looked up again.
 *
 *   batches.log   64-byte records, little-endian; the file begins with BASE and is replaced as a whole when it grows long
 *     byte  0  u32 magic "BAT1"        4 u32 crc32 of bytes 8-63
 *     byte  8  u32 kind                BASE: the last batch sealed before; OPEN: one of those not yet confirmed; SEAL; CONFIRM;
 *                                      LOG: the number of the log, in the batch id's place
 *     byte 12  i32 day                 UTC day of the batch's received_at, days since 1970
 *     byte 16  f64 batch id           24 f64 first epoch          32 f64 last epoch
 *     byte 40  f64 rows               48 f64 sealed at, ms UTC
 *     byte 56  f64 synced records     when this was written: a hole among them is damage, behind them a torn tail
 */

import path from 'node:path';
import { crc32 } from 'node:zlib';

import { fail } from '../../../native-free-core/base/fail.ts';
import { after, before, BEFORE_FIRST, earlier, positionOf, type Position } from '../../contract/log.ts';
import { OperatingError } from '../../errors.ts';
import type { Storage, StorageFile } from '../../spool/storage.ts';
import type { Batch, BatchRange } from './batch.ts';

/** As it stands in the file. */
interface BatchRecord extends BatchRange {
  /** 1, 2, 3… */
  readonly id: number;
}

const MAGIC = 0x31544142; // "BAT1"
const RECORD_BYTES = 64;
const KIND_BASE = 1;
const KIND_OPEN = 2;
const KIND_SEAL = 3;
const KIND_CONFIRM = 4;
const KIND_LOG = 5;
/** At a batch a second and two records each, the file is replaced about every half hour. */
const RECORDS_MAX = 4096;
const FILE_NAME = 'batches.log';
const TEMPORARY_NAME = 'batches.tmp';
const NO_BATCH: BatchRecord = {
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
  readonly #open = new Map<number, BatchRecord>();
  /** Open batches from before the log had a number: their tokens stay as they were. */
  readonly #unnamed = new Set<number>();
  /** 0: it has none yet. */
  #logNumber = 0;
  readonly #bytes = new Uint8Array(RECORD_BYTES);
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
    if (this.#logNumber === 0) fail('BATCH_LOG_UNNAMED', this.#last.id);
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

  /** The last epoch that is in a batch; 0 where there is none. */
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
    if (this.#last.id !== 0 && firstEpoch !== after(this.#last.lastEpoch)) fail('BATCH_NOT_CONTIGUOUS', firstEpoch);
    if (lastEpoch < firstEpoch) fail('BATCH_RANGE', lastEpoch);
    const record = { id: this.nextBatchId, firstEpoch, lastEpoch, rows, day, sealedAt };
    const confirmed = this.confirmedEpoch;
    const batch = this.#named(record);
    this.#append(KIND_SEAL, record);
    this.#sync();
    this.#last = record;
    this.#open.set(record.id, record);
    this.#confirmedEpochDurable = confirmed;
    return batch;
  }

  /** ClickHouse has the batch, on its disk. Not synced: a lost confirmation costs a look-up. */
  confirm(id: number): void {
    const batch = this.#open.get(id);
    if (batch === undefined) fail('BATCH_NOT_OPEN', id);
    this.#append(KIND_CONFIRM, batch);
    this.#forget(id);
  }

  /**
   * Takes back what was sealed and not confirmed beyond this epoch: those epochs are lost, and ClickHouse has nothing of
   * them.
   */
  cutTo(epoch: Position): void {
    const lost = this.openBatches().filter(({ lastEpoch }) => lastEpoch > epoch);
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

  #named(record: BatchRecord): Batch {
    const log = this.logNumber;
    const token = `${record.id}-${record.sealedAt}`;
    return { ...record, log, token: this.#unnamed.has(record.id) ? token : `${log}-${token}` };
  }

  #append(kind: number, batch: BatchRecord): void {
    encodeBatch(this.#bytes, this.#view, kind, batch, this.#syncedRecords);
    this.#current().writev([this.#bytes], this.#records * RECORD_BYTES);
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
    const open = [...this.#open.values()].map((batch) => ({ kind: KIND_OPEN, batch }));
    const named = open.filter(({ batch }) => !this.#unnamed.has(batch.id));
    const entries = [
      { kind: KIND_BASE, batch: this.#last },
      ...open.filter(({ batch }) => this.#unnamed.has(batch.id)),
      ...(this.#logNumber === 0 ? [] : [{ kind: KIND_LOG, batch: { ...NO_BATCH, id: this.#logNumber } }]),
      ...named,
    ];
    const records = entries.length;
    const bytes = new Uint8Array(records * RECORD_BYTES);
    const file = this.#storage.create(temporary);
    for (const [i, { kind, batch }] of entries.entries()) {
      encodeBatch(this.#bytes, this.#view, kind, batch, 0);
      bytes.set(this.#bytes, i * RECORD_BYTES);
    }
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
    for (let record = 0; (record + 1) * RECORD_BYTES <= end; record++) {
      const at = record * RECORD_BYTES;
      if (!isRecord(bytes, view, at)) cutAt = cutAt < 0 ? record : cutAt;
      else if (cutAt < 0) this.#apply(view.getUint32(at + 8, true), decodeBatch(view, at));
      else if (view.getFloat64(at + 56, true) > cutAt) throw this.#damaged(file, cutAt);
    }
    if (cutAt === 0 || end < RECORD_BYTES) throw this.#damaged(file, 0);
  }

  #apply(kind: number, batch: BatchRecord): void {
    if (kind === KIND_LOG) {
      this.#logNumber = batch.id;
      for (const id of this.#open.keys()) this.#unnamed.add(id);
    }
    if (kind === KIND_BASE || kind === KIND_SEAL) this.#last = batch;
    if (kind === KIND_OPEN || kind === KIND_SEAL) this.#open.set(batch.id, batch);
    if (kind === KIND_CONFIRM) this.#forget(batch.id);
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

function encodeBatch(bytes: Uint8Array, view: DataView, kind: number, batch: BatchRecord, syncedRecords: number): void {
  view.setUint32(0, MAGIC, true);
  view.setUint32(8, kind, true);
  view.setInt32(12, batch.day, true);
  view.setFloat64(16, batch.id, true);
  view.setFloat64(24, batch.firstEpoch, true);
  view.setFloat64(32, batch.lastEpoch, true);
  view.setFloat64(40, batch.rows, true);
  view.setFloat64(48, batch.sealedAt, true);
  view.setFloat64(56, syncedRecords, true);
  view.setUint32(4, crc32(bytes.subarray(8, RECORD_BYTES)), true);
}

function isRecord(bytes: Uint8Array, view: DataView, at: number): boolean {
  return (
    view.getUint32(at, true) === MAGIC &&
    view.getUint32(at + 4, true) === crc32(bytes.subarray(at + 8, at + RECORD_BYTES))
  );
}

function decodeBatch(view: DataView, at: number): BatchRecord {
  return {
    day: view.getInt32(at + 12, true),
    id: view.getFloat64(at + 16, true),
    firstEpoch: positionOf(view.getFloat64(at + 24, true)),
    lastEpoch: positionOf(view.getFloat64(at + 32, true)),
    rows: view.getFloat64(at + 40, true),
    sealedAt: view.getFloat64(at + 48, true),
  };
}
