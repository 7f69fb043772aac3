/**
 * The column directory of a sealed block, behind its header: 16 bytes for each column of the plan, in their order. The
 * worker writes it.
 *
 *   byte  0 u32 encoding   BLOCK_COLUMN_*
 *   byte  4 u32 offset     of the column's data, from the block's begin
 *   byte  8 u32 bytes      of its data, without the padding at its end
 *   byte 12 u32 rows       of its data; of lists and maps: elements
 *
 *   column data, PLAIN (every part padded with zeros to 8)
 *     nullable scalar     nulls, u8 a row; then the values
 *     fixed-width scalar  the typed array's bytes
 *     string, bytes       varint length + bytes a row, NULL as length 0
 *     list                u32 element count a row; then the elements as a non-nullable scalar column
 *     map                 u32 element count a row; u32 bytes of the keys; the keys (strings); then the values as a non-nullable scalar column
 *   ABSENT                no data: every row has the preset (NULL, 0, '', empty)
 *   CONSTANT              one row's value: every row has it; never NULL, only fixed-width scalars
 *   BRANCH                as PLAIN, but only the rows whose code in the type column is the column's branch, in row order; all others
 *                         have the preset. A message with 40 event types would be mostly zeros otherwise.
 */

import { BLOCK_HEADER_BYTES } from './block-layout.ts';

export const BLOCK_COLUMN_PLAIN = 0;
export const BLOCK_COLUMN_ABSENT = 1;
export const BLOCK_COLUMN_CONSTANT = 2;
export const BLOCK_COLUMN_BRANCH = 3;

export interface DirectoryEntry {
  readonly encoding: number;
  /** From the block's begin. */
  readonly at: number;
  readonly bytes: number;
  readonly rows: number;
}

export const DIRECTORY_ENTRY_BYTES = 16;
const OFFSET_AT = 4;
const BYTES_AT = 8;
const ROWS_AT = 12;

/** Where the entry of a column begins, from the block's begin. */
export function directoryEntryAt(column: number): number {
  return BLOCK_HEADER_BYTES + column * DIRECTORY_ENTRY_BYTES;
}

/** `block`: where the block begins. */
export function writeDirectoryEntry(view: DataView, block: number, column: number, entry: DirectoryEntry): void {
  const at = block + directoryEntryAt(column);
  view.setUint32(at, entry.encoding, true);
  view.setUint32(at + OFFSET_AT, entry.at, true);
  view.setUint32(at + BYTES_AT, entry.bytes, true);
  view.setUint32(at + ROWS_AT, entry.rows, true);
}

export function readDirectoryEntry(view: DataView, block: number, column: number): DirectoryEntry {
  const at = block + directoryEntryAt(column);
  return {
    encoding: view.getUint32(at, true),
    at: view.getUint32(at + OFFSET_AT, true),
    bytes: view.getUint32(at + BYTES_AT, true),
    rows: view.getUint32(at + ROWS_AT, true),
  };
}
