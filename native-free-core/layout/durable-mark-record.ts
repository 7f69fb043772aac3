/**
 * The durable mark: the last epoch that was fsynced, and the sums up to it. The spool thread writes it, recovery reads it.
 *
 *   byte  0 magic "MRK1" and crc32   checked-record.ts
 *   byte  8 u32 folder id            the same in every SEGMENT and RUN record of this log
 *   byte 12 u32 0
 *   byte 16 f64 count of writes
 *   byte 24 f64 epoch
 *   byte 32 totals                   log-totals.ts
 *   byte 80 f64 received_at          of the newest of its epochs, ms UTC
 */

import { CHECKED_FROM, writeMagic } from './checked-record.ts';
import { readTotals, writeTotals, zeroTotals, type Totals } from './log-totals.ts';

export interface DurableMark {
  readonly folderId: number;
  readonly epoch: number;
  readonly totals: Totals;
  readonly receivedAt: number;
}

export const MARK_MAGIC = 0x314b524d; // "MRK1"
export const MARK_BYTES = 88;
const FOLDER_AT = CHECKED_FROM;
const COUNT_AT = 16;
const EPOCH_AT = 24;
const TOTALS_AT = 32;
const RECEIVED_AT = 80;

/** Everything but the checksum. `count`: of writes. */
export function writeDurableMark(view: DataView, at: number, mark: DurableMark, count: number): void {
  writeMagic(view, at, MARK_MAGIC);
  view.setUint32(at + FOLDER_AT, mark.folderId, true);
  view.setFloat64(at + COUNT_AT, count, true);
  view.setFloat64(at + EPOCH_AT, mark.epoch, true);
  writeTotals(view, at + TOTALS_AT, mark.totals);
  view.setFloat64(at + RECEIVED_AT, mark.receivedAt, true);
}

export function readDurableMark(view: DataView, at: number): DurableMark {
  const totals = zeroTotals();
  readTotals(view, at + TOTALS_AT, totals);
  return {
    folderId: view.getUint32(at + FOLDER_AT, true),
    epoch: view.getFloat64(at + EPOCH_AT, true),
    totals,
    receivedAt: view.getFloat64(at + RECEIVED_AT, true),
  };
}

export function readMarkCount(view: DataView, at: number): number {
  return view.getFloat64(at + COUNT_AT, true);
}
