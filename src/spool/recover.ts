/**
 * Finds out what a former process left in the log: which epochs are whole, and where the torn tail begins.
 * Called once by the main thread at start, before the spool thread; the result is plain data and goes to that thread.
 *
 * Why only the last segment is read: a segment is synced before the next one's SEGMENT record is written, so where that
 * record stands, the former segment is whole. Its epochs are checked again by whoever reads them.
 *
 * Why nothing behind the cut comes back later: the spool's next start writes and syncs a RUN record at the cut (or a new
 * segment) with a higher run number before it takes the first epoch, and records of another run are not believed.
 */

import { crc32 } from 'node:zlib';

import { OperatingError } from '../errors.ts';
import {
  MAGIC_EPOCH,
  MAGIC_RUN,
  MAGIC_SEGMENT,
  RECORD_BYTES,
  RECORD_BYTES_MAX,
  createRecord,
  decodeRecord,
  paddedBytes,
  recordBytes,
  wholeBytes,
  zeroTotals,
} from './epoch-record.ts';
import type { EpochRecord, Totals } from './epoch-record.ts';
import { slotOf, slotPath } from './segment-pool.ts';
import type { SegmentInfo } from './segment-pool.ts';
import type { Storage, StorageFile } from './storage.ts';

/** Plain data: structured clone carries it to the spool thread. */
export interface RecoveredSpool {
  /** The oldest epoch still in the log; `lastEpoch + 1` where the log holds none. */
  readonly firstEpoch: number;
  /** The last whole epoch ever committed, trimmed ones included; 0 where there never was one. */
  readonly lastEpoch: number;
  readonly totals: Totals;
  /** Bytes of epochs that were begun behind the last whole one, and are cut off. */
  readonly cutBytes: number;
  /** Highest run number found. */
  readonly run: number;
  /** Oldest first; the last one is where writing goes on, at `position`. */
  readonly segments: readonly SegmentInfo[];
  readonly position: number;
  readonly spareSlots: readonly number[];
  readonly slotMax: number;
}

export interface SegmentHeader {
  readonly info: SegmentInfo;
  readonly run: number;
  readonly totals: Totals;
}

interface Tail {
  lastEpoch: number;
  totals: Totals;
  run: number;
  position: number;
  durableEpoch: number;
  cutBytes: number;
}

const CHUNK_BYTES = 4 << 20;

/** `segmentBytes`: size of the segments to come; left-over files of another size are removed. */
export function recoverSpool(storage: Storage, directory: string, segmentBytes: number): RecoveredSpool {
  storage.makeDirectory(directory);
  const headers: SegmentHeader[] = [];
  const spareSlots: number[] = [];
  const doubtful: number[] = [];
  const unused: number[] = [];
  let slotMax = 0;
  for (const name of storage.list(directory)) {
    const slot = slotOf(name);
    if (slot < 0) continue;
    slotMax = Math.max(slotMax, slot);
    const file = storage.open(slotPath(directory, slot));
    const header = readHeader(file, slot);
    const spare = file.size() === segmentBytes;
    if (header === null && !beginsWithZeros(file)) doubtful.push(slot);
    file.close();
    if (header !== null) headers.push(header);
    else if (spare) spareSlots.push(slot);
    else unused.push(slot);
  }
  headers.sort((left, right) => left.info.sequence - right.info.sequence);
  checkOrder(headers, directory);
  const last = headers.at(-1);
  const tail = last === undefined ? null : recoverTail(storage, directory, last);
  for (const slot of doubtful) {
    const file = storage.open(slotPath(directory, slot));
    refuseDamagedHeader(file, last?.info.sequence ?? 0, tail?.lastEpoch ?? 0);
    file.close();
  }
  for (const slot of unused) storage.unlink(slotPath(directory, slot));
  storage.fsyncDirectory(directory);
  if (tail === null) return emptySpool(spareSlots, slotMax);
  return {
    firstEpoch: headers[0]?.info.firstEpoch ?? tail.lastEpoch + 1,
    lastEpoch: tail.lastEpoch,
    totals: tail.totals,
    cutBytes: tail.cutBytes,
    run: tail.run,
    segments: headers.map((header) => header.info),
    position: tail.position,
    spareSlots,
    slotMax,
  };
}

function emptySpool(spareSlots: readonly number[], slotMax: number): RecoveredSpool {
  const totals = zeroTotals();
  return { firstEpoch: 1, lastEpoch: 0, totals, cutBytes: 0, run: 0, segments: [], position: 0, spareSlots, slotMax };
}

function recoverTail(storage: Storage, directory: string, header: SegmentHeader): Tail {
  const file = storage.open(slotPath(directory, header.info.slot));
  const tail = scanTail(file, header);
  // What a killed process had written and not synced is whole in memory only: it counts from here on, so it must stay.
  file.fdatasync();
  file.close();
  return tail;
}

function beginsWithZeros(file: StorageFile): boolean {
  const bytes = new Uint8Array(RECORD_BYTES);
  file.read(bytes, 0, bytes.length, 0);
  return bytes.every((byte) => byte === 0);
}

/** The SEGMENT record of a file, or null where it holds no epochs. */
export function readHeader(file: StorageFile, slot: number): SegmentHeader | null {
  const bytes = new Uint8Array(RECORD_BYTES_MAX);
  const end = file.read(bytes, 0, bytes.length, 0);
  const record = createRecord();
  if (!decodeRecord(bytes, new DataView(bytes.buffer), 0, end, record) || record.magic !== MAGIC_SEGMENT) return null;
  const info = { slot, sequence: record.segmentSequence, firstEpoch: record.epoch + 1, bytes: record.bodyBytes };
  return { info, run: record.run, totals: record.totals };
}

function checkOrder(headers: readonly SegmentHeader[], directory: string): void {
  for (let index = 1; index < headers.length; index++) {
    const before = headers[index - 1]?.info;
    const after = headers[index]?.info;
    if (
      before === undefined ||
      after === undefined ||
      (before.sequence < after.sequence && before.firstEpoch <= after.firstEpoch)
    )
      continue;
    throw new OperatingError(
      'SPOOL_CORRUPT',
      `spool segments contradict each other: directory=${directory} slots=${before.slot},${after.slot} ` +
        `sequences=${before.sequence},${after.sequence} first_epochs=${before.firstEpoch},${after.firstEpoch}; ` +
        'a file was copied or restored into the folder: remove the copy',
    );
  }
}

/** Reads the last segment from its begin and stops where no whole epoch follows. */
function scanTail(file: StorageFile, header: SegmentHeader): Tail {
  const size = Math.min(file.size(), header.info.bytes);
  const lastEpoch = header.info.firstEpoch - 1;
  const position = RECORD_BYTES;
  const tail = { lastEpoch, totals: header.totals, run: header.run, position, durableEpoch: lastEpoch, cutBytes: 0 };
  const record = createRecord();
  let bytes = new Uint8Array(Math.min(CHUNK_BYTES, size));
  let view = new DataView(bytes.buffer);
  let begin = 0;
  let end = file.read(bytes, 0, bytes.length, 0);
  for (;;) {
    const at = tail.position - begin;
    const known = decodeRecord(bytes, view, at, end, record);
    const missing = (known ? wholeBytes(record) : RECORD_BYTES_MAX) > end - at;
    const grows = known && wholeBytes(record) > bytes.length;
    if (missing && begin + end < size && (tail.position > begin || grows)) {
      if (grows) {
        bytes = new Uint8Array(Math.min(wholeBytes(record), size));
        view = new DataView(bytes.buffer);
      }
      begin = tail.position;
      end = file.read(bytes, 0, bytes.length, begin);
      continue;
    }
    if (!known || !follows(record, tail, header.info.sequence) || !bodyWhole(bytes, at, end, record)) break;
    advance(tail, record);
  }
  tail.cutBytes = measureCut(file, header.info, tail);
  return tail;
}

/** Whether the record may stand right behind what has been read so far. */
function follows(record: EpochRecord, tail: Tail, sequence: number): boolean {
  if (record.segmentSequence !== sequence) return false;
  if (record.magic === MAGIC_RUN) return record.run > tail.run && record.epoch === tail.lastEpoch;
  return record.magic === MAGIC_EPOCH && record.run === tail.run && record.epoch === tail.lastEpoch + 1;
}

export function bodyWhole(bytes: Uint8Array, at: number, end: number, record: EpochRecord): boolean {
  if (record.magic !== MAGIC_EPOCH) return true;
  const body = at + recordBytes(record.blocks);
  return body + record.bodyBytes <= end && crc32(bytes.subarray(body, body + record.bodyBytes)) === record.bodyCrc;
}

function advance(tail: Tail, record: EpochRecord): void {
  tail.lastEpoch = record.epoch;
  tail.run = record.run;
  tail.totals = { ...record.totals };
  tail.position += wholeBytes(record);
  tail.durableEpoch = Math.max(tail.durableEpoch, record.durableEpoch);
}

/**
 * Looks behind the cut for commit records of the same or a later run. They belong to a group whose sync never returned,
 * unless one says that an epoch behind the cut had been durable before it: then the disk has lost what it had promised
 * to keep. Returns the bytes that are cut off.
 */
function measureCut(file: StorageFile, info: SegmentInfo, tail: Tail): number {
  let cutEnd = tail.position;
  eachRecord(file, tail.position, (record, position) => {
    if (record.segmentSequence !== info.sequence || record.run < tail.run || record.epoch <= tail.lastEpoch) return;
    if (record.durableEpoch > tail.lastEpoch) throw damaged(file, tail.position, tail.lastEpoch, record);
    cutEnd = Math.max(cutEnd, position + wholeBytes(record));
  });
  return cutEnd - tail.position;
}

/** A file that begins with neither zeros nor a SEGMENT record: its epochs must not be ones that had been durable. */
function refuseDamagedHeader(file: StorageFile, sequence: number, lastEpoch: number): void {
  eachRecord(file, 0, (record) => {
    if (record.segmentSequence > sequence && record.durableEpoch > lastEpoch) throw damaged(file, 0, lastEpoch, record);
  });
}

/** Finds the commit records from `position` on, wherever they stand; bodies are not checked. */
function eachRecord(file: StorageFile, position: number, visit: (record: EpochRecord, position: number) => void): void {
  const size = file.size();
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

function damaged(file: StorageFile, position: number, lastEpoch: number, record: EpochRecord): OperatingError {
  return new OperatingError(
    'SPOOL_CORRUPT',
    `epochs that had been fsynced are unreadable: file=${file.path} position=${position} last_whole_epoch=${lastEpoch} ` +
      `once_durable_epoch=${record.durableEpoch}; the disk lost data: restore the folder from a copy, or move this file away to go on without them`,
  );
}
