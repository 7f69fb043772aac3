/**
 * One record of the account of batches, `batches.log`. Little-endian. The main thread writes every field and reads them at a
 * start.
 *
 *   byte  0 magic "BAT1" and crc32   checked-record.ts
 *   byte  8 u32 kind                 below
 *   byte 12 i32 day                  UTC day of the batch's received_at, days since 1970
 *   byte 16 f64 batch id             LOG: the log's number
 *   byte 24 f64 first epoch
 *   byte 32 f64 last epoch
 *   byte 40 f64 rows
 *   byte 48 f64 sealed at, ms UTC
 *   byte 56 f64 synced records       when this was written: a hole among them is damage, behind them a torn tail
 */

import { CHECKED_FROM, writeMagic } from './checked-record.ts';

export const BATCH_MAGIC = 0x31544142; // "BAT1"
export const BATCH_RECORD_BYTES = 64;

/** The last batch sealed before this file; begins it. */
export const BATCH_BASE = 1;
/** One sealed before this file and not yet confirmed. */
export const BATCH_OPEN = 2;
export const BATCH_SEAL = 3;
export const BATCH_CONFIRM = 4;
/** The number of the log, in the batch id's place. */
export const BATCH_LOG = 5;

const KIND_AT = CHECKED_FROM;
const DAY_AT = 12;
const ID_AT = 16;
const FIRST_EPOCH_AT = 24;
const LAST_EPOCH_AT = 32;
const ROWS_AT = 40;
const SEALED_AT_AT = 48;
const SYNCED_AT = 56;

export interface BatchRecord {
  readonly kind: number;
  readonly id: number;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  readonly rows: number;
  readonly day: number;
  readonly sealedAt: number;
  readonly syncedRecords: number;
}

/** Everything but the checksum. */
export function writeBatchRecord(view: DataView, at: number, record: BatchRecord): void {
  writeMagic(view, at, BATCH_MAGIC);
  view.setUint32(at + KIND_AT, record.kind, true);
  view.setInt32(at + DAY_AT, record.day, true);
  view.setFloat64(at + ID_AT, record.id, true);
  view.setFloat64(at + FIRST_EPOCH_AT, record.firstEpoch, true);
  view.setFloat64(at + LAST_EPOCH_AT, record.lastEpoch, true);
  view.setFloat64(at + ROWS_AT, record.rows, true);
  view.setFloat64(at + SEALED_AT_AT, record.sealedAt, true);
  view.setFloat64(at + SYNCED_AT, record.syncedRecords, true);
}

/** Everything but the magic and the checksum, which the caller has looked at. */
export function readBatchRecord(view: DataView, at: number): BatchRecord {
  return {
    kind: view.getUint32(at + KIND_AT, true),
    day: view.getInt32(at + DAY_AT, true),
    id: view.getFloat64(at + ID_AT, true),
    firstEpoch: view.getFloat64(at + FIRST_EPOCH_AT, true),
    lastEpoch: view.getFloat64(at + LAST_EPOCH_AT, true),
    rows: view.getFloat64(at + ROWS_AT, true),
    sealedAt: view.getFloat64(at + SEALED_AT_AT, true),
    syncedRecords: view.getFloat64(at + SYNCED_AT, true),
  };
}
