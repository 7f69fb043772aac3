/**
 * Layout of the log inside a segment, and its encoder and decoder. Little-endian, everything 8-aligned.
 * Written by the spool thread, read by recovery and the reader.
 *
 *   segment   SEGMENT record, then EPOCH and RUN records back to back, then bytes that mean nothing:
 *             zeros, or what the file held before it was recycled
 *
 *   record    byte  0  u32 magic            SEGMENT begins a file, RUN begins a process's writing, EPOCH commits an epoch
 *             byte  4  u32 crc32            of bytes 8 up to the end of the block table
 *             byte  8  u32 segment sequence grows with each use of a file: bytes of a former use never match
 *             byte 12  u32 run              grows with each start of the spool: bytes beyond a cut never match
 *             byte 16  f64 epoch            EPOCH: its number; SEGMENT, RUN: the last epoch before this place
 *             byte 24  f64 durable epoch    when this was written: a hole up to it is damage, beyond it a torn tail
 *             byte 32  u32 blocks           entries in the block table; 0 for SEGMENT and RUN
 *             byte 36  u32 body bytes       all blocks, each padded to 8; SEGMENT: size of the file
 *             byte 40  u32 crc32 of the body; SEGMENT, RUN: id of the data folder, 0 in logs of before
 *             byte 44  u32 pipeline version number
 *             byte 48  6 x f64 totals       this epoch included: rows, frames, received, duplicates, dead-lettered, block bytes
 *             byte 96  block table          per block u32 worker, u32 bytes
 *             then the body: the blocks in the table's order
 */

import { crc32 } from 'node:zlib';

import { fail } from '../../native-free-core/base/fail.ts';
import { WORKERS_MAX } from '../../native-free-core/layout/control-layout.ts';

export const MAGIC_SEGMENT = 0x31474553; // "SEG1"
export const MAGIC_RUN = 0x314e5552; // "RUN1"
export const MAGIC_EPOCH = 0x31435045; // "EPC1"

export const RECORD_BYTES = 96;
export const TABLE_ENTRY_BYTES = 8;
export const RECORD_BYTES_MAX = RECORD_BYTES + WORKERS_MAX * TABLE_ENTRY_BYTES;
const CRC_FROM = 8;

/** Sums over all epochs since the log began, in events unless named otherwise. Frames rejected whole count as frames only. */
export interface Totals {
  /** Event rows: what was accepted. */
  rows: number;
  frames: number;
  received: number;
  duplicates: number;
  deadLettered: number;
  blockBytes: number;
}

/** One decoded record; the decoder fills the same object again and again. */
export interface EpochRecord {
  magic: number;
  segmentSequence: number;
  run: number;
  epoch: number;
  durableEpoch: number;
  blocks: number;
  bodyBytes: number;
  bodyCrc: number;
  pipelineVersion: number;
  /** Newest received_at of the blocks that were taken, ms UTC; not in the record. */
  receivedAt: number;
  readonly totals: Totals;
  readonly workers: number[];
  readonly blockBytes: number[];
}

export function zeroTotals(): Totals {
  return { rows: 0, frames: 0, received: 0, duplicates: 0, deadLettered: 0, blockBytes: 0 };
}

export function createRecord(): EpochRecord {
  return {
    magic: 0,
    segmentSequence: 0,
    run: 0,
    epoch: 0,
    durableEpoch: 0,
    blocks: 0,
    bodyBytes: 0,
    bodyCrc: 0,
    pipelineVersion: 0,
    receivedAt: 0,
    totals: zeroTotals(),
    workers: [],
    blockBytes: [],
  };
}

export function paddedBytes(bytes: number): number {
  return (bytes + 7) & ~7;
}

export function recordBytes(blocks: number): number {
  return RECORD_BYTES + blocks * TABLE_ENTRY_BYTES;
}

/** Writes `record` at `at`; returns its length. */
export function encodeRecord(bytes: Uint8Array, view: DataView, at: number, record: EpochRecord): number {
  const length = recordBytes(record.blocks);
  if (record.blocks > WORKERS_MAX) fail('EPOCH_BLOCKS', record.blocks);
  view.setUint32(at, record.magic, true);
  view.setUint32(at + 8, record.segmentSequence, true);
  view.setUint32(at + 12, record.run, true);
  view.setFloat64(at + 16, record.epoch, true);
  view.setFloat64(at + 24, record.durableEpoch, true);
  view.setUint32(at + 32, record.blocks, true);
  view.setUint32(at + 36, record.bodyBytes, true);
  view.setUint32(at + 40, record.bodyCrc, true);
  view.setUint32(at + 44, record.pipelineVersion, true);
  const totals = record.totals;
  view.setFloat64(at + 48, totals.rows, true);
  view.setFloat64(at + 56, totals.frames, true);
  view.setFloat64(at + 64, totals.received, true);
  view.setFloat64(at + 72, totals.duplicates, true);
  view.setFloat64(at + 80, totals.deadLettered, true);
  view.setFloat64(at + 88, totals.blockBytes, true);
  for (let index = 0; index < record.blocks; index++) {
    const entry = at + RECORD_BYTES + index * TABLE_ENTRY_BYTES;
    view.setUint32(entry, record.workers[index] ?? 0, true);
    view.setUint32(entry + 4, record.blockBytes[index] ?? 0, true);
  }
  view.setUint32(at + 4, crc32(bytes.subarray(at + CRC_FROM, at + length)), true);
  return length;
}

/**
 * Reads the record at `at` of `bytes`, of which `end` bytes are there. False where no whole, undamaged record stands;
 * the body is not looked at.
 */
export function decodeRecord(bytes: Uint8Array, view: DataView, at: number, end: number, into: EpochRecord): boolean {
  if (at + RECORD_BYTES > end) return false;
  const magic = view.getUint32(at, true);
  if (magic !== MAGIC_EPOCH && magic !== MAGIC_RUN && magic !== MAGIC_SEGMENT) return false;
  const blocks = view.getUint32(at + 32, true);
  const length = recordBytes(blocks);
  if (blocks > WORKERS_MAX || at + length > end) return false;
  if (view.getUint32(at + 4, true) !== crc32(bytes.subarray(at + CRC_FROM, at + length))) return false;
  into.magic = magic;
  into.segmentSequence = view.getUint32(at + 8, true);
  into.run = view.getUint32(at + 12, true);
  into.epoch = view.getFloat64(at + 16, true);
  into.durableEpoch = view.getFloat64(at + 24, true);
  into.blocks = blocks;
  into.bodyBytes = view.getUint32(at + 36, true);
  into.bodyCrc = view.getUint32(at + 40, true);
  into.pipelineVersion = view.getUint32(at + 44, true);
  readTotals(view, at + 48, into.totals);
  into.workers.length = 0;
  into.blockBytes.length = 0;
  for (let index = 0; index < blocks; index++) {
    const entry = at + RECORD_BYTES + index * TABLE_ENTRY_BYTES;
    into.workers.push(view.getUint32(entry, true));
    into.blockBytes.push(view.getUint32(entry + 4, true));
  }
  return true;
}

function readTotals(view: DataView, at: number, into: Totals): void {
  into.rows = view.getFloat64(at, true);
  into.frames = view.getFloat64(at + 8, true);
  into.received = view.getFloat64(at + 16, true);
  into.duplicates = view.getFloat64(at + 24, true);
  into.deadLettered = view.getFloat64(at + 32, true);
  into.blockBytes = view.getFloat64(at + 40, true);
}

/** Bytes that the record takes in the segment, body included. */
export function wholeBytes(record: EpochRecord): number {
  return recordBytes(record.blocks) + (record.magic === MAGIC_EPOCH ? record.bodyBytes : 0);
}
