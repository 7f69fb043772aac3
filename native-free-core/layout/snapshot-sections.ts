/**
 * The parts of a snapshot file. Little-endian, everything 8-aligned. The main thread writes and reads them.
 *
 *   HEADER  magic "SNP1" and crc32 (checked-record.ts)   8 u32 JSON bytes    12 u32 0       16 the JSON, padded
 *   CHUNK   magic "CHNK" and crc32                       8 u32 name bytes    12 u32 bytes   16 f64 index   24 name and bytes, each padded
 *   FOOTER  magic "SNPE" and crc32                       8 u32 chunks        12 u32 0       16 f64 at epoch
 */

import { CHECKED_FROM, writeMagic } from './checked-record.ts';

export const SNAPSHOT_MAGIC_HEADER = 0x31504e53; // "SNP1"
export const SNAPSHOT_MAGIC_CHUNK = 0x4b4e4843; // "CHNK"
export const SNAPSHOT_MAGIC_FOOTER = 0x45504e53; // "SNPE"
export const SNAPSHOT_HEADER_BYTES = 16;
export const SNAPSHOT_CHUNK_BYTES = 24;
/** As many as a chunk's, so that either can be read where one of them stands. */
export const SNAPSHOT_FOOTER_BYTES = 24;

const LENGTH_AT = CHECKED_FROM;
const BYTES_AT = 12;
const NUMBER_AT = 16;

export interface ChunkHeader {
  readonly nameBytes: number;
  readonly bytes: number;
  readonly index: number;
}

export interface SnapshotFooter {
  readonly chunks: number;
  readonly atEpoch: number;
}

/** Everything but the checksum, as the two below. */
export function writeSnapshotHeader(view: DataView, jsonBytes: number): void {
  writeMagic(view, 0, SNAPSHOT_MAGIC_HEADER);
  view.setUint32(LENGTH_AT, jsonBytes, true);
}

export function readJsonBytes(view: DataView): number {
  return view.getUint32(LENGTH_AT, true);
}

export function writeChunkHeader(view: DataView, { nameBytes, bytes, index }: ChunkHeader): void {
  writeMagic(view, 0, SNAPSHOT_MAGIC_CHUNK);
  view.setUint32(LENGTH_AT, nameBytes, true);
  view.setUint32(BYTES_AT, bytes, true);
  view.setFloat64(NUMBER_AT, index, true);
}

export function readChunkHeader(view: DataView): ChunkHeader {
  return {
    nameBytes: view.getUint32(LENGTH_AT, true),
    bytes: view.getUint32(BYTES_AT, true),
    index: view.getFloat64(NUMBER_AT, true),
  };
}

export function writeSnapshotFooter(view: DataView, { chunks, atEpoch }: SnapshotFooter): void {
  writeMagic(view, 0, SNAPSHOT_MAGIC_FOOTER);
  view.setUint32(LENGTH_AT, chunks, true);
  view.setFloat64(NUMBER_AT, atEpoch, true);
}

export function readSnapshotFooter(view: DataView): SnapshotFooter {
  return { chunks: view.getUint32(LENGTH_AT, true), atEpoch: view.getFloat64(NUMBER_AT, true) };
}
