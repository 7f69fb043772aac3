/**
 * Reads one segment from its begin and says how far it is whole. Used by inspect.ts and the reader, on the main thread.
 */

import { crc32 } from 'node:zlib';

import {
  MAGIC_EPOCH,
  MAGIC_RUN,
  MAGIC_SEGMENT,
  RECORD_BYTES,
  RECORD_BYTES_MAX,
  createRecord,
  recordBytes,
  type EpochRecord,
} from '../../native-free-core/layout/epoch-commit-record.ts';
import type { Totals } from '../../native-free-core/layout/log-totals.ts';
import { decodeRecord, paddedBytes, wholeBytes } from './epoch-record.ts';
import type { SegmentInfo } from './segment-pool.ts';
import type { StorageFile } from './storage.ts';

export interface SegmentHeader {
  readonly info: SegmentInfo;
  readonly run: number;
  readonly folderId: number;
  readonly totals: Totals;
}

/** How far a segment is whole. */
export interface SegmentScan {
  /** The last whole epoch; one below its first where it holds none. */
  lastEpoch: number;
  /** Through that epoch. */
  totals: Totals;
  run: number;
  /** 0: written before logs had one. */
  folderId: number;
  /** Where the next record would stand. */
  position: number;
}

/** What stands behind the last whole epoch. */
export interface SegmentRest {
  /** Bytes of epochs that were begun, and are cut off. */
  readonly cutBytes: number;
  /** The highest epoch that a record there says was durable; 0: none beyond the whole ones. */
  readonly durableEpoch: number;
}

const CHUNK_BYTES = 4 << 20;
/** Where only commit records are looked at: many small epochs come with one call, large ones are stepped over. */
const WALK_BYTES = 64 << 10;

/** The SEGMENT record of a file, or null where it holds no epochs. */
export function readHeader(file: StorageFile, slot: number): SegmentHeader | null {
  const bytes = new Uint8Array(RECORD_BYTES_MAX);
  const end = file.read(bytes, 0, bytes.length, 0);
  const record = createRecord();
  if (!decodeRecord(bytes, new DataView(bytes.buffer), 0, end, record) || record.magic !== MAGIC_SEGMENT) return null;
  const info = { slot, sequence: record.segmentSequence, firstEpoch: record.epoch + 1, bytes: record.bodyBytes };
  return { info, run: record.run, folderId: record.bodyCrc, totals: record.totals };
}

/**
 * Stops where no whole epoch follows. Without `bodies` commit records alone are read, and damage inside a block goes unseen.
 */
export function scanSegment(file: StorageFile, header: SegmentHeader, bodies: boolean): SegmentScan {
  const size = Math.min(file.size(), header.info.bytes);
  const { run, folderId, totals, info } = header;
  const scan = { lastEpoch: info.firstEpoch - 1, totals, run, folderId, position: RECORD_BYTES };
  const window = new Window(file, size, bodies ? CHUNK_BYTES : WALK_BYTES);
  const record = createRecord();
  for (;;) {
    window.reach(scan.position, RECORD_BYTES_MAX);
    const at = scan.position - window.begin;
    if (!decodeRecord(window.bytes, window.view, at, window.end, record) || !follows(record, scan, info.sequence))
      break;
    if (scan.position + wholeBytes(record) > size) break;
    if (bodies) {
      window.reach(scan.position, wholeBytes(record));
      if (!bodyWhole(window.bytes, scan.position - window.begin, window.end, record)) break;
    }
    advance(scan, record);
  }
  return scan;
}

/** The part of a file that is in memory. */
class Window {
  readonly #file: StorageFile;
  readonly #size: number;
  readonly #chunkBytes: number;
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  /** Of the file. */
  begin = 0;
  end = 0;

  constructor(file: StorageFile, size: number, chunkBytes: number) {
    this.#file = file;
    this.#size = size;
    this.#chunkBytes = chunkBytes;
    this.bytes = new Uint8Array(Math.min(chunkBytes, size));
    this.view = new DataView(this.bytes.buffer);
  }

  /** Has the `bytes` from `position` on in memory, as far as the file goes. */
  reach(position: number, bytes: number): void {
    const wanted = Math.min(bytes, this.#size - position);
    if (position >= this.begin && position + wanted <= this.begin + this.end) return;
    if (wanted > this.bytes.length) {
      this.bytes = new Uint8Array(wanted);
      this.view = new DataView(this.bytes.buffer);
    }
    this.begin = position;
    const length = Math.min(Math.max(wanted, this.#chunkBytes), this.bytes.length, this.#size - position);
    this.end = this.#file.read(this.bytes, 0, Math.max(0, length), position);
  }
}

/** Whether the record may stand right behind what has been read so far. */
function follows(record: EpochRecord, scan: SegmentScan, sequence: number): boolean {
  if (record.segmentSequence !== sequence) return false;
  if (record.magic === MAGIC_RUN) return record.run > scan.run && record.epoch === scan.lastEpoch;
  return record.magic === MAGIC_EPOCH && record.run === scan.run && record.epoch === scan.lastEpoch + 1;
}

export function bodyWhole(bytes: Uint8Array, at: number, end: number, record: EpochRecord): boolean {
  if (record.magic !== MAGIC_EPOCH) return true;
  const body = at + recordBytes(record.blocks);
  return body + record.bodyBytes <= end && crc32(bytes.subarray(body, body + record.bodyBytes)) === record.bodyCrc;
}

function advance(scan: SegmentScan, record: EpochRecord): void {
  scan.lastEpoch = record.epoch;
  scan.run = record.run;
  scan.totals = { ...record.totals };
  scan.position += wholeBytes(record);
  if (record.magic === MAGIC_RUN) scan.folderId = record.bodyCrc;
}

/**
 * Looks behind the cut for commit records of the same or a later run. They belong to a group whose sync never returned,
 * unless one says that an epoch behind the cut had been durable before it: then the disk has lost what it had promised to
 * keep.
 */
export function readRest(file: StorageFile, info: SegmentInfo, scan: SegmentScan): SegmentRest {
  let cutEnd = scan.position;
  let durableEpoch = 0;
  eachRecord(file, scan.position, (record, position) => {
    if (record.segmentSequence !== info.sequence || record.run < scan.run || record.epoch <= scan.lastEpoch) return;
    if (record.durableEpoch > scan.lastEpoch) durableEpoch = Math.max(durableEpoch, record.durableEpoch);
    cutEnd = Math.max(cutEnd, position + wholeBytes(record));
  });
  return { cutBytes: cutEnd - scan.position, durableEpoch };
}

/** The same of a file whose own header is gone: `sequence` and `lastEpoch` are those of the last segment that has one. */
export function durableInside(file: StorageFile, sequence: number, lastEpoch: number): number {
  let durableEpoch = 0;
  eachRecord(file, 0, (record) => {
    if (record.segmentSequence > sequence && record.durableEpoch > lastEpoch)
      durableEpoch = Math.max(durableEpoch, record.durableEpoch);
  });
  return durableEpoch;
}

/** Finds the commit records from `position` on, wherever they stand; bodies are not checked. */
function eachRecord(file: StorageFile, position: number, visit: (record: EpochRecord, position: number) => void): void {
  const size = file.size();
  if (size <= position) return;
  const step = Math.min(CHUNK_BYTES, paddedBytes(size - position));
  const bytes = new Uint8Array(step + RECORD_BYTES_MAX);
  const view = new DataView(bytes.buffer);
  const words = new Uint32Array(bytes.buffer);
  const record = createRecord();
  for (let begin = position; begin < size; begin += step) {
    const end = file.read(bytes, 0, bytes.length, begin);
    const lastWord = Math.min(end - RECORD_BYTES, step - 8) >> 2;
    for (let word = 0; word <= lastWord; word += 2) {
      if (words[word] === MAGIC_EPOCH && decodeRecord(bytes, view, word << 2, end, record))
        visit(record, begin + (word << 2));
    }
  }
}

export function beginsWithZeros(file: StorageFile): boolean {
  const bytes = new Uint8Array(RECORD_BYTES);
  file.read(bytes, 0, bytes.length, 0);
  return bytes.every((byte) => byte === 0);
}
