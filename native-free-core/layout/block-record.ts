/**
 * BLOCK: a sealed block on its way to the disk. The worker writes it, the spool thread reads it.
 *
 *   byte  0 f64 epoch
 *   byte  8 u32 participants   blocks that this epoch has
 *   byte 12 u32 worker
 *   byte 16 the sealed block   block-layout.ts
 */

import type { RecordBytes } from './record-kinds.ts';

const PARTICIPANTS_AT = 8;
const WORKER_AT = 12;
/** Where the sealed block begins, from the record's begin. */
export const BLOCK_BODY_AT = 16;

export function writeBlockHeader(
  view: DataView,
  at: number,
  epoch: number,
  participants: number,
  worker: number,
): void {
  view.setFloat64(at, epoch, true);
  view.setUint32(at + PARTICIPANTS_AT, participants, true);
  view.setUint32(at + WORKER_AT, worker, true);
}

export function readBlockEpoch(view: DataView, at: number): number {
  return view.getFloat64(at, true);
}

export function readBlockParticipants(view: DataView, at: number): number {
  return view.getUint32(at + PARTICIPANTS_AT, true);
}

export function readBlockWorker(view: DataView, at: number): number {
  return view.getUint32(at + WORKER_AT, true);
}

/** A copy of the block in a record of so many bytes. */
export function copyBlock({ bytes }: RecordBytes, at: number, recordBytes: number): Uint8Array {
  return bytes.slice(at + BLOCK_BODY_AT, at + recordBytes);
}
