/**
 * Reads a sealed block back: its rows into columns, and what else it carries. Recovery replays from here on the main thread;
 * the Native encoder takes frames and dead letters from here. The caller has checked that the block is of the plan's version.
 */

import { fail } from '../base/fail.ts';
import {
  BLOCK_ADMITTED_AT,
  BLOCK_COLUMNS_AT,
  BLOCK_COLUMN_ABSENT,
  BLOCK_COLUMN_BRANCH,
  BLOCK_COLUMN_CONSTANT,
  BLOCK_DEAD_AT,
  BLOCK_DEAD_HEADER_BYTES,
  BLOCK_DEAD_OFFSET_AT,
  BLOCK_DICTIONARY_COUNT_AT,
  BLOCK_DICTIONARY_OFFSET_AT,
  BLOCK_DIRECTORY_ENTRY_BYTES,
  BLOCK_FRAMES_AT,
  BLOCK_FRAMES_OFFSET_AT,
  BLOCK_FRAME_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_MAGIC,
  BLOCK_MAGIC_1,
  BLOCK_NAMES_OFFSET_AT,
  BLOCK_NAME_HEADER_BYTES,
  BLOCK_PIPELINE_AT,
  BLOCK_RECEIVED_AT,
  BLOCK_ROWS_AT,
  BLOCK_SIZE_AT,
  BLOCK_NAMES_UNKNOWN_FIELDS_AT,
} from '../layout/block-layout.ts';
import type { Column } from '../layout/column.ts';
import { BLOCK_ROWS_MAX } from '../layout/limits.ts';
import type { Plan } from '../plan/plan.ts';
import { createBranchRows, groupByBranch, type BranchRows } from './branch-rows.ts';
import { loadColumn } from './load-column.ts';

export interface BlockHeader {
  readonly bytes: number;
  readonly receivedAt: number;
  readonly pipelineNumber: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly frames: number;
  /** Oldest admitted_at of its frames, 0: none. */
  readonly admittedAt: number;
  /** Fields of its events that the pipeline's message does not have. */
  readonly unknownFields: number;
}

export interface BlockFrame {
  /** Which of the block's names, 0: none. */
  readonly producer: number;
  readonly flags: number;
  readonly seqLow: number;
  readonly seqHigh: number;
  readonly received: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly dead: number;
}

export interface BlockDeadLetter {
  readonly producer: number;
  readonly seqLow: number;
  readonly seqHigh: number;
  /** Of the event in its frame, or DEAD_WHOLE_FRAME. */
  readonly index: number;
  readonly outcome: number;
  readonly encoding: number;
  /** Where its bytes are in the block. */
  readonly start: number;
  readonly length: number;
  /** The same of its details; length 0: its outcome says it all. */
  readonly detailStart: number;
  readonly detailLength: number;
}

export function viewOf(block: Uint8Array): DataView {
  return new DataView(block.buffer, block.byteOffset, block.byteLength);
}

export function readBlockHeader(block: Uint8Array): BlockHeader {
  const view = viewOf(block);
  const magic = view.getUint32(0, true);
  if (magic !== BLOCK_MAGIC && magic !== BLOCK_MAGIC_1) fail('BLOCK_MAGIC', magic);
  const bytes = view.getUint32(BLOCK_SIZE_AT, true);
  if (bytes > block.byteLength) fail('BLOCK_SIZE', bytes);
  return {
    bytes,
    receivedAt: view.getFloat64(BLOCK_RECEIVED_AT, true),
    pipelineNumber: view.getUint32(BLOCK_PIPELINE_AT, true),
    rows: view.getUint32(BLOCK_ROWS_AT, true),
    deadLetters: view.getUint32(BLOCK_DEAD_AT, true),
    frames: view.getUint32(BLOCK_FRAMES_AT, true),
    admittedAt: view.getFloat64(BLOCK_ADMITTED_AT, true),
    unknownFields: magic === BLOCK_MAGIC ? unknownFieldsOf(view) : 0,
  };
}

function unknownFieldsOf(view: DataView): number {
  return view.getUint32(view.getUint32(BLOCK_NAMES_OFFSET_AT, true) + BLOCK_NAMES_UNKNOWN_FIELDS_AT, true);
}

/** Fills `columns`, which must be as `resetColumn` leaves them. */
export function loadBlock(plan: Plan, columns: readonly Column[], block: Uint8Array): BlockHeader {
  const header = readBlockHeader(block);
  const view = viewOf(block);
  if (view.getUint32(BLOCK_COLUMNS_AT, true) !== columns.length)
    fail('BLOCK_COLUMNS', view.getUint32(BLOCK_COLUMNS_AT, true));
  if (header.rows > BLOCK_ROWS_MAX) fail('BLOCK_ROWS', header.rows);
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
  const directory = BLOCK_HEADER_BYTES + index * BLOCK_DIRECTORY_ENTRY_BYTES;
  const encoding = view.getUint32(directory, true);
  if (encoding === BLOCK_COLUMN_ABSENT) return;
  const some = encoding === BLOCK_COLUMN_BRANCH;
  if (some && group === null) fail('BLOCK_BRANCH', index);
  loadColumn(columns[index], view, block, {
    at: view.getUint32(directory + 4, true),
    bytes: view.getUint32(directory + 8, true),
    constant: encoding === BLOCK_COLUMN_CONSTANT,
    rows,
    group: some ? group : null,
  });
}

export function eachFrame(block: Uint8Array, visit: (frame: BlockFrame) => void): void {
  const view = viewOf(block);
  let at = view.getUint32(BLOCK_FRAMES_OFFSET_AT, true);
  const count = view.getUint32(BLOCK_FRAMES_AT, true);
  for (let i = 0; i < count; i++, at += BLOCK_FRAME_BYTES) {
    visit({
      producer: view.getUint32(at, true),
      flags: view.getUint32(at + 4, true),
      seqLow: view.getUint32(at + 8, true),
      seqHigh: view.getUint32(at + 12, true),
      received: view.getUint32(at + 16, true),
      accepted: view.getUint32(at + 20, true),
      duplicates: view.getUint32(at + 24, true),
      dead: view.getUint32(at + 28, true),
    });
  }
}

export function eachDeadLetter(block: Uint8Array, visit: (letter: BlockDeadLetter) => void): void {
  const view = viewOf(block);
  let at = view.getUint32(BLOCK_DEAD_OFFSET_AT, true);
  const count = view.getUint32(BLOCK_DEAD_AT, true);
  for (let i = 0; i < count; i++) {
    const length = view.getUint32(at + 24, true);
    const start = at + BLOCK_DEAD_HEADER_BYTES;
    const detailStart = start + ((length + 7) & -8);
    const detailLength = view.getUint32(at + 28, true);
    visit({
      producer: view.getUint32(at, true),
      seqLow: view.getUint32(at + 4, true),
      seqHigh: view.getUint32(at + 8, true),
      index: view.getUint32(at + 12, true),
      outcome: view.getInt32(at + 16, true),
      encoding: view.getUint32(at + 20, true),
      start,
      length,
      detailStart,
      detailLength,
    });
    at = detailStart + ((detailLength + 7) & -8);
  }
}

/**
 * The producers of the block's frames: the number by which it knows them, and their names. `textOf`: of a dictionary id; blocks of
 * version 1 know producers by these.
 */
export function eachName(
  block: Uint8Array,
  textOf: (id: number) => Uint8Array,
  visit: (producer: number, name: Uint8Array) => void,
): void {
  const view = viewOf(block);
  if (view.getUint32(0, true) === BLOCK_MAGIC_1) {
    const seen = new Set<number>([0]);
    eachFrame(block, ({ producer }) => {
      if (!seen.has(producer)) visit(producer, textOf(producer));
      seen.add(producer);
    });
    return;
  }
  let at = view.getUint32(BLOCK_NAMES_OFFSET_AT, true);
  const count = view.getUint32(at, true);
  at += 8;
  for (let i = 0; i < count; i++) {
    const start = at + BLOCK_NAME_HEADER_BYTES;
    const length = view.getUint32(at + 4, true);
    visit(view.getUint32(at, true), block.subarray(start, start + length));
    at = start + ((length + 7) & -8);
  }
}

/** The entry's bytes are block[start, start + length). */
export function eachDictionaryEntry(
  block: Uint8Array,
  visit: (id: number, bytes: Uint8Array, start: number, length: number) => void,
): void {
  const view = viewOf(block);
  let at = view.getUint32(BLOCK_DICTIONARY_OFFSET_AT, true);
  const count = view.getUint32(BLOCK_DICTIONARY_COUNT_AT, true);
  for (let i = 0; i < count; i++) {
    const length = view.getUint32(at + 4, true);
    visit(view.getUint32(at, true), block, at + 8, length);
    at += 8 + ((length + 7) & -8);
  }
}
