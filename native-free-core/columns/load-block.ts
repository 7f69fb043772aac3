/**
 * Reads a sealed block back: its rows into columns, and what else it carries. Recovery replays from here on the main thread;
 * the Native encoder takes frames and dead letters from here. The caller has checked that the block is of the plan's
 * version.
 */

import { fail } from '../base/fail.ts';
import {
  BLOCK_COLUMN_ABSENT,
  BLOCK_COLUMN_CONSTANT,
  BLOCK_COLUMN_BRANCH,
  readDirectoryEntry,
} from '../layout/block-directory.ts';
import {
  NAMES_HEADER_BYTES,
  readSealedHeader,
  readUnknownFields,
  readNameCount,
  type BlockHeader,
} from '../layout/block-layout.ts';
import type { Column } from '../layout/column.ts';
import {
  DEAD_LETTER_HEADER_BYTES,
  createDeadLetterEntry,
  readDeadLetter,
  deadLetterDetailAt,
  deadLetterBytes,
  type DeadLetterEntry,
} from '../layout/dead-letter-entry.ts';
import { FRAME_ENTRY_BYTES, createFrameEntry, readFrameEntry, type FrameEntry } from '../layout/frame-entry.ts';
import { BLOCK_ROWS_MAX } from '../layout/limits.ts';
import { TEXT_HEADER_BYTES, textEntryBytes, readTextNumber, readTextLength } from '../layout/text-entry.ts';
import type { Plan } from '../plan/plan.ts';
import { createBranchRows, groupByBranch, type BranchRows } from './branch-rows.ts';
import { loadColumn } from './load-column.ts';

/** One dead letter of a block, and where in the block its bytes are. Written over for the next one. */
export interface BlockDeadLetter extends DeadLetterEntry {
  start: number;
  detailStart: number;
}

export function viewOf(block: Uint8Array): DataView {
  return new DataView(block.buffer, block.byteOffset, block.byteLength);
}

export function readBlockHeader(block: Uint8Array): BlockHeader {
  const header = readSealedHeader(viewOf(block), 0);
  if (header === null) return fail('block_magic', block.byteLength);
  // A head has no columns, and the size of the whole block (layout/epoch-heads-record.ts).
  if (header.bytes > block.byteLength && header.columns > 0) fail('block_size', header.bytes);
  return header;
}

/** Fields of the block's events that the pipeline's message does not have. */
export function unknownFieldsOf(block: Uint8Array): number {
  const { hasNames, namesAt } = readBlockHeader(block);
  return hasNames ? readUnknownFields(viewOf(block), namesAt) : 0;
}

/** Fills `columns`, which must be as `resetColumn` leaves them. */
export function loadBlock(plan: Plan, columns: readonly Column[], block: Uint8Array): BlockHeader {
  const header = readBlockHeader(block);
  const view = viewOf(block);
  if (header.columns !== columns.length) fail('block_columns', header.columns);
  if (header.rows > BLOCK_ROWS_MAX) fail('block_rows', header.rows);
  const type = plan.system.type;
  // The type column first: columns of its branches lie by its codes.
  if (type >= 0) loadEntry(columns, type, view, block, header.rows, null);
  const group = type >= 0 ? groupOf(columns[type], header.rows) : null;
  for (let i = 0; i < columns.length; i++) if (i !== type) loadEntry(columns, i, view, block, header.rows, group);
  return header;
}

function groupOf(type: Column, rows: number): BranchRows {
  const group = createBranchRows(type.plan.labels?.length ?? 0);
  groupByBranch(group, type.u16, rows);
  return group;
}

function loadEntry(
  columns: readonly Column[],
  index: number,
  view: DataView,
  block: Uint8Array,
  rows: number,
  group: BranchRows | null,
): void {
  const { encoding, at, bytes } = readDirectoryEntry(view, 0, index);
  if (encoding === BLOCK_COLUMN_ABSENT) return;
  const some = encoding === BLOCK_COLUMN_BRANCH;
  if (some && group === null) fail('block_branch', index);
  const constant = encoding === BLOCK_COLUMN_CONSTANT;
  loadColumn(columns[index], view, block, { at, bytes, constant, rows, group: some ? group : null });
}

/** `frame` is valid during the call. */
export function eachFrame(block: Uint8Array, visit: (frame: FrameEntry) => void): void {
  const view = viewOf(block);
  const { frames, framesAt } = readBlockHeader(block);
  const entry = createFrameEntry();
  for (let i = 0; i < frames; i++) {
    readFrameEntry(view, framesAt + i * FRAME_ENTRY_BYTES, entry);
    visit(entry);
  }
}

/** `letter` is valid during the call. */
export function eachDeadLetter(block: Uint8Array, visit: (letter: BlockDeadLetter) => void): void {
  const view = viewOf(block);
  const { deadLetters, deadLettersAt } = readBlockHeader(block);
  const letter: BlockDeadLetter = { ...createDeadLetterEntry(), start: 0, detailStart: 0 };
  let at = deadLettersAt;
  for (let i = 0; i < deadLetters; i++) {
    readDeadLetter(view, at, letter);
    letter.start = at + DEAD_LETTER_HEADER_BYTES;
    letter.detailStart = at + deadLetterDetailAt(letter.length);
    visit(letter);
    at += deadLetterBytes(letter.length, letter.detailLength);
  }
}

/**
 * The producers of the block's frames: the number by which it knows them, and their names. `textOf`: of a dictionary id;
 * blocks of version 1 know producers by these.
 */
export function eachName(
  block: Uint8Array,
  textOf: (id: number) => Uint8Array,
  visit: (producer: number, name: Uint8Array) => void,
): void {
  const view = viewOf(block);
  const { hasNames, namesAt } = readBlockHeader(block);
  if (!hasNames) {
    const seen = new Set<number>([0]);
    eachFrame(block, ({ producer }) => {
      if (!seen.has(producer)) visit(producer, textOf(producer));
      seen.add(producer);
    });
    return;
  }
  const count = readNameCount(view, namesAt);
  let at = namesAt + NAMES_HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const start = at + TEXT_HEADER_BYTES;
    const length = readTextLength(view, at);
    visit(readTextNumber(view, at), block.subarray(start, start + length));
    at += textEntryBytes(length);
  }
}

/** The entry's bytes are block[start, start + length). */
export function eachDictionaryEntry(
  block: Uint8Array,
  visit: (id: number, bytes: Uint8Array, start: number, length: number) => void,
): void {
  const view = viewOf(block);
  const { dictionaryAt, dictionaryEntries } = readBlockHeader(block);
  let at = dictionaryAt;
  for (let i = 0; i < dictionaryEntries; i++) {
    const length = readTextLength(view, at);
    visit(readTextNumber(view, at), block, at + TEXT_HEADER_BYTES, length);
    at += textEntryBytes(length);
  }
}
