/**
 * Reads epochs from the log, from any one on, up to what is durable: batches are built from it while the spool thread writes
 * on, and recovery applies from it what came after the snapshot. Runs on the main thread; several readers may run at once.
 *
 * The caller says up to which epoch it may read and must not ask beyond the durable one, nor below what it had trimmed.
 * Within that, whatever cannot be read whole is damage and is thrown, never skipped.
 */

import {
  MAGIC_EPOCH,
  MAGIC_RUN,
  RECORD_BYTES,
  RECORD_BYTES_MAX,
  createRecord,
  recordBytes,
  type EpochRecord,
} from '../../native-free-core/layout/epoch-commit-record.ts';
import type { Totals } from '../../native-free-core/layout/log-totals.ts';
import {
  BEFORE_FIRST,
  positionOf,
  written,
  type LogEntry,
  type LogReader,
  type Position,
} from '../contract/event-log.ts';
import { OperatingError } from '../errors.ts';
import { decodeRecord, paddedBytes, wholeBytes } from './epoch-record.ts';
import { segmentSlotOf, slotPath } from './segment-pool.ts';
import { bodyWhole, readHeader } from './segment-scan.ts';
import type { SegmentHeader } from './segment-scan.ts';
import type { Storage, StorageFile } from './storage.ts';

export interface SpoolEpoch extends LogEntry {
  /** Sequence number of the segment, and where the commit record begins in it. */
  readonly segment: number;
  readonly position: number;
  readonly pipelineVersion: number;
  /** Sums over all epochs up to this one. */
  readonly totals: Totals;
  /** Who sealed each of the blocks, which are 8-aligned views of the reader's buffer. */
  readonly workers: readonly number[];
}

export interface SpoolReaderOptions {
  /**
   * True: every read gets a buffer of its own, so epochs stay readable. Default false: blocks are valid until the next call.
   */
  readonly keepBuffers?: boolean;
  /** `trusted`: bodies go unchecked, for epochs that this process wrote or checked a moment ago. Default `checked`. */
  readonly bodies?: 'checked' | 'trusted';
}

/** Small reads cost a call each, large ones push the blocks out of the processor's cache. */
const READ_BYTES_MIN = 64 * 1024;
const READ_BYTES_MAX = 2 << 20;

export function openSpoolReader(storage: Storage, directory: string, options: SpoolReaderOptions = {}): SpoolReader {
  return new SpoolReader(storage, directory, options);
}

export class SpoolReader implements LogReader {
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #keepBuffers: boolean;
  readonly #trusts: boolean;
  readonly #record: EpochRecord = createRecord();
  #epoch = written(BEFORE_FIRST) + 1;
  #through = written(BEFORE_FIRST);
  #file: StorageFile | null = null;
  #header: SegmentHeader | null = null;
  #run = 0;
  /** Of the record of epoch `#reached`. */
  #position = 0;
  #reached = 0;
  /** The file's bytes [begin, end) that are in the buffer. */
  #bytes = new Uint8Array(READ_BYTES_MIN);
  #view = new DataView(this.#bytes.buffer);
  #begin = 0;
  #end = 0;
  /**
   * Up to here all was durable when they were read: of later epochs they may hold a part, or what was written anew since.
   */
  #readThrough = 0;
  #recordBytesLast = 0;

  constructor(storage: Storage, directory: string, options: SpoolReaderOptions) {
    this.#storage = storage;
    this.#directory = directory;
    this.#keepBuffers = options.keepBuffers ?? false;
    this.#trusts = options.bodies === 'trusted';
  }

  /** The epoch that `next` returns next. */
  get epoch(): Position {
    return positionOf(this.#epoch);
  }

  /**
   * Cheap where the epoch lies a little ahead: what lies between is passed over, and not read again from the segment's
   * beginning.
   */
  seek(epoch: Position): void {
    this.#epoch = written(epoch);
  }

  /** The next epoch, or null where it lies beyond `throughEpoch`, which must be durable. */
  next(throughEpoch: Position): SpoolEpoch | null {
    const through = written(throughEpoch);
    if (this.#epoch > through) return null;
    this.#through = through;
    if (this.#file === null || !this.#passTo(this.#epoch) || !this.#find(this.#epoch, true)) {
      this.#openSegment();
      if (!this.#find(this.#epoch, true)) throw this.#unreadable('no whole epoch where it must be');
    }
    const found = this.#describe();
    this.#pass();
    this.#epoch++;
    return found;
  }

  /** All epochs from the current one through `throughEpoch`. */
  *through(throughEpoch: Position): Generator<SpoolEpoch> {
    for (let found = this.next(throughEpoch); found !== null; found = this.next(throughEpoch)) yield found;
  }

  close(): void {
    this.#closeFile();
  }

  #closeFile(): void {
    this.#file?.close();
    this.#file = null;
    this.#header = null;
  }

  /** Opens the segment that must hold the epoch: the latest of those that begin at or before it. */
  #openSegment(): void {
    this.#closeFile();
    for (const name of this.#storage.list(this.#directory)) {
      const slot = segmentSlotOf(name);
      if (slot < 0) continue;
      const file = this.#storage.open(slotPath(this.#directory, slot));
      const header = readHeader(file, slot);
      file.close();
      if (header === null || header.info.firstEpoch > this.#epoch) continue;
      if (this.#header === null || header.info.sequence > this.#header.info.sequence) this.#header = header;
    }
    if (this.#header === null) throw this.#unreadable('no segment begins at or before it');
    this.#file = this.#storage.open(slotPath(this.#directory, this.#header.info.slot));
    this.#run = this.#header.run;
    this.#position = RECORD_BYTES;
    this.#reached = this.#header.info.firstEpoch;
    this.#begin = 0;
    this.#end = 0;
    if (!this.#passTo(this.#epoch)) throw this.#unreadable(`its segment breaks off at epoch ${this.#reached}`);
  }

  /** Moves on to the epoch's record; false where it lies behind, or the segment ends before it. */
  #passTo(epoch: number): boolean {
    while (this.#reached < epoch && this.#find(this.#reached, false)) this.#pass();
    return this.#reached === epoch;
  }

  #pass(): void {
    this.#position += wholeBytes(this.#record);
    this.#reached++;
  }

  /** Finds the epoch's record at the current position, RUN records passed over. False where it is not there, whole. */
  #find(epoch: number, verify: boolean): boolean {
    for (;;) {
      let found = this.#look(epoch, verify);
      if (!found) {
        // What was read before the spool thread wrote there is out of date: a second look reads the file.
        this.#end = this.#begin;
        found = this.#look(epoch, verify);
      }
      if (!found) return false;
      if (this.#record.magic === MAGIC_EPOCH) return true;
      this.#run = this.#record.run;
      this.#position += RECORD_BYTES;
    }
  }

  /**
   * Whether the record that must follow stands at the current position; `verify`: with its body, in the buffer, undamaged.
   */
  #look(epoch: number, verify: boolean): boolean {
    const record = this.#record;
    if (this.#position + RECORD_BYTES_MAX > this.#end && !this.#decode()) this.#read(RECORD_BYTES_MAX);
    if (!this.#decode() || record.segmentSequence !== this.#header?.info.sequence) return false;
    if (record.magic === MAGIC_RUN) return record.run > this.#run && record.epoch === epoch - 1;
    if (record.magic !== MAGIC_EPOCH || record.run !== this.#run || record.epoch !== epoch) return false;
    if (!verify) return true;
    // Not what was being written when it was read.
    if (epoch > this.#readThrough) return false;
    const bytes = wholeBytes(record);
    this.#recordBytesLast = bytes;
    if (this.#position + bytes > this.#end) this.#read(bytes);
    if (this.#trusts) return this.#position + bytes <= this.#end;
    return bodyWhole(this.#bytes, this.#position - this.#begin, this.#end - this.#begin, record);
  }

  #decode(): boolean {
    const at = this.#position - this.#begin;
    return at >= 0 && decodeRecord(this.#bytes, this.#view, at, this.#end - this.#begin, this.#record);
  }

  /** Reads from the current position on: `bytes` at least, and as much more as the epochs asked for may take. */
  #read(bytes: number): void {
    const ahead = (this.#through - this.#epoch + 1) * (this.#recordBytesLast + RECORD_BYTES);
    const wanted = Math.max(bytes, Math.min(READ_BYTES_MAX, Math.max(READ_BYTES_MIN, ahead)));
    if (this.#keepBuffers || wanted > this.#bytes.length) {
      const memory = Buffer.allocUnsafeSlow(wanted);
      this.#bytes = new Uint8Array(memory.buffer, 0, wanted);
      this.#view = new DataView(memory.buffer);
    }
    this.#readThrough = this.#through;
    this.#begin = this.#position;
    this.#end = this.#begin + (this.#file?.read(this.#bytes, 0, wanted, this.#position) ?? 0);
  }

  #describe(): SpoolEpoch {
    const record = this.#record;
    const blocks: Uint8Array[] = [];
    let at = this.#position - this.#begin + recordBytes(record.blocks);
    for (const bytes of record.blockBytes) {
      blocks.push(this.#bytes.subarray(at, at + bytes));
      at += paddedBytes(bytes);
    }
    return {
      epoch: positionOf(record.epoch),
      segment: record.segmentSequence,
      position: this.#position,
      pipelineVersion: record.pipelineVersion,
      totals: { ...record.totals },
      blocks,
      workers: [...record.workers],
    };
  }

  #unreadable(why: string): OperatingError {
    return new OperatingError(
      'spool_corrupt',
      `a durable epoch cannot be read: epoch=${this.#epoch} directory=${this.#directory} file=${this.#file?.path ?? 'none'} ` +
        `position=${this.#position}: ${why}; the disk lost data: restore the folder from a copy, or start once with --accept-loss, which writes down what is gone and goes on without it`,
    );
  }
}
