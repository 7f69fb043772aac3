/**
 * The records of the log inside a segment. Little-endian, everything 8-aligned. The spool thread writes them; recovery and
 * the reader read them.
 *
 *   segment   SEGMENT record, then EPOCH and RUN records back to back, then bytes that mean nothing:
 *             zeros, or what the file held before it was recycled
 *
 *   record    byte  0  magic and crc32      checked-record.ts; SEGMENT begins a file, RUN begins a process's writing, EPOCH
 *                                           commits an epoch; checked up to the end of the block table
 *             byte  8  u32 segment sequence grows with each use of a file: bytes of a former use never match
 *             byte 12  u32 run              grows with each start of the spool: bytes beyond a cut never match
 *             byte 16  f64 epoch            EPOCH: its number; SEGMENT, RUN: the last epoch before this place
 *             byte 24  f64 durable epoch    when this was written: a hole up to it is damage, beyond it a torn tail
 *             byte 32  u32 blocks           entries in the block table; 0 for SEGMENT and RUN
 *             byte 36  u32 body bytes       all blocks, each padded to 8; SEGMENT: size of the file
 *             byte 40  u32 crc32 of the body; SEGMENT, RUN: id of the data folder, 0 in logs of before
 *             byte 44  u32 pipeline version number
 *             byte 48  totals               log-totals.ts; this epoch included
 *             byte 96  block table          per block u32 worker, u32 bytes
 *             then the body: the blocks in the table's order
 */

import { CHECKED_FROM, writeMagic } from './checked-record.ts';
import { WORKERS_MAX } from './control-layout.ts';
import { readTotals, writeTotals, zeroTotals, type Totals } from './log-totals.ts';

export const MAGIC_SEGMENT = 0x31474553; // "SEG1"
export const MAGIC_RUN = 0x314e5552; // "RUN1"
export const MAGIC_EPOCH = 0x31435045; // "EPC1"

export const RECORD_BYTES = 96;
const TABLE_ENTRY_BYTES = 8;
export const RECORD_BYTES_MAX = RECORD_BYTES + WORKERS_MAX * TABLE_ENTRY_BYTES;
const SEQUENCE_AT = CHECKED_FROM;
const RUN_AT = 12;
const EPOCH_AT = 16;
const DURABLE_AT = 24;
const BLOCKS_AT = 32;
const BODY_BYTES_AT = 36;
const BODY_CRC_AT = 40;
const PIPELINE_AT = 44;
const TOTALS_AT = 48;
const ENTRY_BYTES_AT = 4;

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

export function recordBytes(blocks: number): number {
  return RECORD_BYTES + blocks * TABLE_ENTRY_BYTES;
}

export function readBlockCount(view: DataView, at: number): number {
  return view.getUint32(at + BLOCKS_AT, true);
}

/** Everything but the checksum. */
export function writeRecord(view: DataView, at: number, record: EpochRecord): void {
  writeMagic(view, at, record.magic);
  view.setUint32(at + SEQUENCE_AT, record.segmentSequence, true);
  view.setUint32(at + RUN_AT, record.run, true);
  view.setFloat64(at + EPOCH_AT, record.epoch, true);
  view.setFloat64(at + DURABLE_AT, record.durableEpoch, true);
  view.setUint32(at + BLOCKS_AT, record.blocks, true);
  view.setUint32(at + BODY_BYTES_AT, record.bodyBytes, true);
  view.setUint32(at + BODY_CRC_AT, record.bodyCrc, true);
  view.setUint32(at + PIPELINE_AT, record.pipelineVersion, true);
  writeTotals(view, at + TOTALS_AT, record.totals);
  for (let index = 0; index < record.blocks; index++) {
    const entry = at + recordBytes(index);
    view.setUint32(entry, record.workers[index] ?? 0, true);
    view.setUint32(entry + ENTRY_BYTES_AT, record.blockBytes[index] ?? 0, true);
  }
}

/** Everything but the magic and the checksum, which the caller has looked at. */
export function readRecord(view: DataView, at: number, to: EpochRecord): void {
  to.segmentSequence = view.getUint32(at + SEQUENCE_AT, true);
  to.run = view.getUint32(at + RUN_AT, true);
  to.epoch = view.getFloat64(at + EPOCH_AT, true);
  to.durableEpoch = view.getFloat64(at + DURABLE_AT, true);
  to.blocks = readBlockCount(view, at);
  to.bodyBytes = view.getUint32(at + BODY_BYTES_AT, true);
  to.bodyCrc = view.getUint32(at + BODY_CRC_AT, true);
  to.pipelineVersion = view.getUint32(at + PIPELINE_AT, true);
  readTotals(view, at + TOTALS_AT, to.totals);
  to.workers.length = 0;
  to.blockBytes.length = 0;
  for (let index = 0; index < to.blocks; index++) {
    const entry = at + recordBytes(index);
    to.workers.push(view.getUint32(entry, true));
    to.blockBytes.push(view.getUint32(entry + ENTRY_BYTES_AT, true));
  }
}
