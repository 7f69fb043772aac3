/**
 * HEADS: what a durable epoch holds but for its columns. The spool thread, which has just written the epoch, writes it; the
 * main thread reads it, and then need not read the epoch from the disk to count it.
 *
 *   byte  0 f64 epoch
 *   byte  8 u32 blocks
 *   byte 12 u32 0
 *   byte 16 per block u32 bytes, u32 0, then its head, padded to 8
 *
 *   head    the block's header (block-layout.ts) and, right behind it, its sections from the frames on. It reads as a block
 *           without columns, whose size is still that of the whole block.
 */

import { BLOCK_HEADER_BYTES, readSealedHeader, writeSealedHeader, type BlockHeader } from './block-layout.ts';
import type { RecordBytes } from './record-kinds.ts';

const BLOCKS_AT = 8;
const FIRST_AT = 16;
const ENTRY_BYTES = 8;

function pad8(bytes: number): number {
  return (bytes + 7) & ~7;
}

function viewOf(block: Uint8Array): DataView {
  return new DataView(block.buffer, block.byteOffset, block.byteLength);
}

function headBytes({ bytes, framesAt }: BlockHeader): number {
  return BLOCK_HEADER_BYTES + bytes - framesAt;
}

/** Bytes of the record for these sealed blocks. */
export function epochHeadsBytes(blocks: readonly Uint8Array[]): number {
  let bytes = FIRST_AT;
  for (const block of blocks) {
    const header = readSealedHeader(viewOf(block), 0);
    if (header !== null) bytes += ENTRY_BYTES + pad8(headBytes(header));
  }
  return bytes;
}

export function writeEpochHeads(
  { bytes, view }: RecordBytes,
  at: number,
  epoch: number,
  blocks: readonly Uint8Array[],
): void {
  view.setFloat64(at, epoch, true);
  view.setUint32(at + BLOCKS_AT, blocks.length, true);
  let to = at + FIRST_AT;
  for (const block of blocks) {
    const header = readSealedHeader(viewOf(block), 0);
    if (header === null) continue;
    const length = headBytes(header);
    view.setUint32(to, length, true);
    const head = to + ENTRY_BYTES;
    bytes.set(block.subarray(header.framesAt, header.bytes), head + BLOCK_HEADER_BYTES);
    writeSealedHeader(view, head, withoutColumns(header));
    to = head + pad8(length);
  }
}

function withoutColumns(header: BlockHeader): BlockHeader {
  const { framesAt, deadLettersAt, dictionaryAt, namesAt } = header;
  const nearer = framesAt - BLOCK_HEADER_BYTES;
  return {
    ...header,
    columns: 0,
    framesAt: BLOCK_HEADER_BYTES,
    deadLettersAt: deadLettersAt - nearer,
    dictionaryAt: dictionaryAt - nearer,
    namesAt: namesAt - nearer,
  };
}

export function readHeadsEpoch(view: DataView, at: number): number {
  return view.getFloat64(at, true);
}

/** Views of the record's memory. */
export function readHeads({ bytes, view }: RecordBytes, at: number): Uint8Array[] {
  const heads: Uint8Array[] = [];
  const count = view.getUint32(at + BLOCKS_AT, true);
  let from = at + FIRST_AT;
  for (let i = 0; i < count; i++) {
    const length = view.getUint32(from, true);
    heads.push(bytes.subarray(from + ENTRY_BYTES, from + ENTRY_BYTES + length));
    from += ENTRY_BYTES + pad8(length);
  }
  return heads;
}
