/**
 * Checked records of the log: what layout/epoch-commit-record.ts draws, with its checksum. Written by the spool thread, read
 * by recovery and the reader.
 */

import { crc32 } from 'node:zlib';

import { fail } from '../../native-free-core/base/fail.ts';
import { CHECKED_FROM, readChecksum, readMagic, writeChecksum } from '../../native-free-core/layout/checked-record.ts';
import { WORKERS_MAX } from '../../native-free-core/layout/control-layout.ts';
import {
  MAGIC_EPOCH,
  MAGIC_RUN,
  MAGIC_SEGMENT,
  RECORD_BYTES,
  readBlockCount,
  readRecord,
  recordBytes,
  writeRecord,
} from '../../native-free-core/layout/epoch-commit-record.ts';
import type { EpochRecord } from '../../native-free-core/layout/epoch-commit-record.ts';

export function paddedBytes(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** Writes `record` at `at`; returns its length. */
export function encodeRecord(bytes: Uint8Array, view: DataView, at: number, record: EpochRecord): number {
  const length = recordBytes(record.blocks);
  if (record.blocks > WORKERS_MAX) fail('epoch_blocks', record.blocks);
  writeRecord(view, at, record);
  writeChecksum(view, at, crc32(bytes.subarray(at + CHECKED_FROM, at + length)));
  return length;
}

/**
 * Reads the record at `at` of `bytes`, of which `end` bytes are there. False where no whole, undamaged record stands;
 * the body is not looked at.
 */
export function decodeRecord(bytes: Uint8Array, view: DataView, at: number, end: number, into: EpochRecord): boolean {
  if (at + RECORD_BYTES > end) return false;
  const magic = readMagic(view, at);
  if (magic !== MAGIC_EPOCH && magic !== MAGIC_RUN && magic !== MAGIC_SEGMENT) return false;
  const blocks = readBlockCount(view, at);
  const length = recordBytes(blocks);
  if (blocks > WORKERS_MAX || at + length > end) return false;
  if (readChecksum(view, at) !== crc32(bytes.subarray(at + CHECKED_FROM, at + length))) return false;
  into.magic = magic;
  readRecord(view, at, into);
  return true;
}

/** Bytes that the record takes in the segment, body included. */
export function wholeBytes(record: EpochRecord): number {
  return recordBytes(record.blocks) + (record.magic === MAGIC_EPOCH ? record.bodyBytes : 0);
}
