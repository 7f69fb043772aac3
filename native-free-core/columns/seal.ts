/**
 * Seals a block: the columns of a worker's block, its frames, dead letters, names and new dictionary entries, as the bytes that the
 * spool stores (layout/block-layout.ts). Called by decide/finish-block.ts on the worker's thread, straight into lane memory.
 * Two steps: `sealedBytes` looks at each column once and remembers how it will lie, `sealBlock` copies.
 */

import { fail } from '../base/fail.ts';
import {
  BLOCK_ADMITTED_AT,
  BLOCK_COLUMNS_AT,
  BLOCK_COLUMN_ABSENT,
  BLOCK_DEAD_AT,
  BLOCK_DEAD_OFFSET_AT,
  BLOCK_DICTIONARY_COUNT_AT,
  BLOCK_DICTIONARY_OFFSET_AT,
  BLOCK_DIRECTORY_ENTRY_BYTES,
  BLOCK_FRAMES_AT,
  BLOCK_FRAMES_OFFSET_AT,
  BLOCK_FRAME_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_MAGIC,
  BLOCK_NAMES_OFFSET_AT,
  BLOCK_PIPELINE_AT,
  BLOCK_RECEIVED_AT,
  BLOCK_ROWS_AT,
  BLOCK_SIZE_AT,
  BLOCK_NAMES_UNKNOWN_FIELDS_AT,
} from '../layout/block-layout.ts';
import { rowBytes, type Column } from '../layout/column.ts';
import { BLOCK_FRAMES_MAX, BLOCK_ROWS_MAX } from '../layout/limits.ts';
import type { Plan } from '../plan/plan.ts';
import { createBranchRows, groupByBranch } from './branch-rows.ts';
import {
  BLOCK_DETAIL_BYTES_MAX,
  DEAD_LETTER_LOG_BYTES,
  FRAME_DETAIL_BYTES_MAX,
  NAME_LOG_BYTES,
  type DeadLetterLog,
  type FrameLog,
  type NameLog,
} from './logs.ts';
import { measureColumn, pad8, sealColumn, zeroTo8, type Sealing } from './seal-column.ts';

/** The strings that the epoch added to the shared dictionary: entry `id` ends at `words[endsAt + id]` of the heap at `heapAt`. */
export interface DictionaryHeap {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly endsAt: number;
  readonly heapAt: number;
}

export interface SealInput {
  readonly rows: number;
  readonly receivedAt: number;
  readonly pipelineNumber: number;
  /** Oldest admitted_at of the block's frames, 0: none. */
  readonly admittedAt: number;
  readonly frames: FrameLog;
  readonly deadLetters: DeadLetterLog;
  readonly names: NameLog;
  /** Fields of its events that the message does not have. */
  readonly unknownFields: number;
  readonly dictionary: DictionaryHeap;
  /** Entries [dictionaryFrom, dictionaryEnd) go into the block. */
  readonly dictionaryFrom: number;
  readonly dictionaryEnd: number;
}

export interface Sealer {
  /** Upper bound for a block of so many rows that took so many frame bytes in and added no dictionary entries. */
  sealedBytesMax(rows: number, frameBytes: number): number;
  /** Exact size. Must be called before `sealBlock`, with the same input and columns. */
  sealedBytes(input: SealInput): number;
  /** Writes the block at `at` (8-aligned) of `out`, which `view` covers too; returns where it ends. */
  sealBlock(out: Uint8Array, view: DataView, at: number, input: SealInput): number;
}

const DICTIONARY_ENTRY_HEADER_BYTES = 8;

export function compileSealer(plan: Plan, columns: readonly Column[]): Sealer {
  const sealing = createSealing(plan, columns);
  let measured = -1;
  return {
    sealedBytesMax: (rows, frameBytes) => sealedBytesMax(columns, rows, frameBytes),
    sealedBytes(input) {
      measured = input.rows;
      measureColumns(plan, sealing, input.rows);
      return columnsEnd(sealing) + sectionBytes(input);
    },
    sealBlock(out, view, at, input) {
      if (input.rows !== measured || (at & 7) !== 0) fail('SEAL_UNMEASURED', at);
      measured = -1;
      return sealBlock(sealing, out, view, at, input);
    },
  };
}

function createSealing(plan: Plan, columns: readonly Column[]): Sealing {
  const branches = columns.some((column) => column.plan.branch >= 0);
  const codes = plan.system.type < 0 ? 0 : (columns[plan.system.type].plan.labels?.length ?? 0);
  return {
    columns,
    receivedAt: plan.system.receivedAt,
    group: branches && codes > 0 ? createBranchRows(codes) : null,
    encodings: new Uint8Array(columns.length),
    bytes: new Uint32Array(columns.length),
    rows: new Uint32Array(columns.length),
  };
}

function measureColumns(plan: Plan, sealing: Sealing, rows: number): void {
  if (sealing.group !== null) groupByBranch(sealing.group, sealing.columns[plan.system.type].u16, rows);
  for (let i = 0; i < sealing.columns.length; i++) measureColumn(sealing, i, rows);
}

function columnsEnd(sealing: Sealing): number {
  let end = BLOCK_HEADER_BYTES + sealing.columns.length * BLOCK_DIRECTORY_ENTRY_BYTES;
  for (let i = 0; i < sealing.bytes.length; i++) end += pad8(sealing.bytes[i]);
  return end;
}

function entryLength(dictionary: DictionaryHeap, id: number): number {
  return dictionary.words[dictionary.endsAt + id] - dictionary.words[dictionary.endsAt + id - 1];
}

function sectionBytes(input: SealInput): number {
  let bytes = input.frames.count * BLOCK_FRAME_BYTES + input.deadLetters.end + input.names.end;
  for (let id = input.dictionaryFrom; id < input.dictionaryEnd; id++) {
    bytes += DICTIONARY_ENTRY_HEADER_BYTES + pad8(entryLength(input.dictionary, id));
  }
  return bytes;
}

function sealBlock(sealing: Sealing, out: Uint8Array, view: DataView, at: number, input: SealInput): number {
  const columns = sealing.columns.length;
  let directory = at + BLOCK_HEADER_BYTES;
  let end = directory + columns * BLOCK_DIRECTORY_ENTRY_BYTES;
  for (let i = 0; i < columns; i++) {
    const encoding = sealing.encodings[i];
    view.setUint32(directory, encoding, true);
    view.setUint32(directory + 4, end - at, true);
    view.setUint32(directory + 8, sealing.bytes[i], true);
    view.setUint32(directory + 12, sealing.rows[i], true);
    directory += BLOCK_DIRECTORY_ENTRY_BYTES;
    if (encoding !== BLOCK_COLUMN_ABSENT)
      end = zeroTo8(out, sealColumn(sealing, i, out, view, end, input.receivedAt, input.rows));
  }
  const framesAt = end;
  end = copyBytes(out, end, input.frames.bytes, input.frames.count * BLOCK_FRAME_BYTES);
  const deadAt = end;
  end = copyBytes(out, end, input.deadLetters.bytes, input.deadLetters.end);
  const dictionaryAt = end;
  end = sealDictionary(out, view, end, input);
  const namesAt = end;
  end = copyBytes(out, end, input.names.bytes, input.names.end);
  view.setUint32(at, BLOCK_MAGIC, true);
  view.setUint32(at + BLOCK_SIZE_AT, end - at, true);
  view.setFloat64(at + BLOCK_RECEIVED_AT, input.receivedAt, true);
  view.setUint32(at + BLOCK_PIPELINE_AT, input.pipelineNumber, true);
  view.setUint32(at + BLOCK_ROWS_AT, input.rows, true);
  view.setUint32(at + BLOCK_DEAD_AT, input.deadLetters.count, true);
  view.setUint32(at + BLOCK_FRAMES_AT, input.frames.count, true);
  view.setUint32(at + BLOCK_FRAMES_OFFSET_AT, framesAt - at, true);
  view.setUint32(at + BLOCK_DEAD_OFFSET_AT, deadAt - at, true);
  view.setUint32(at + BLOCK_DICTIONARY_OFFSET_AT, dictionaryAt - at, true);
  view.setUint32(at + BLOCK_DICTIONARY_COUNT_AT, input.dictionaryEnd - input.dictionaryFrom, true);
  view.setUint32(at + BLOCK_COLUMNS_AT, columns, true);
  view.setUint32(at + BLOCK_NAMES_OFFSET_AT, namesAt - at, true);
  view.setUint32(namesAt + BLOCK_NAMES_UNKNOWN_FIELDS_AT, input.unknownFields, true);
  view.setFloat64(at + BLOCK_ADMITTED_AT, input.admittedAt, true);
  return end;
}

function copyBytes(out: Uint8Array, at: number, source: Uint8Array, bytes: number): number {
  if (bytes > 0) out.set(source.subarray(0, bytes), at);
  return at + bytes;
}

function sealDictionary(out: Uint8Array, view: DataView, at: number, input: SealInput): number {
  const { words, bytes, endsAt, heapAt } = input.dictionary;
  let end = at;
  for (let id = input.dictionaryFrom; id < input.dictionaryEnd; id++) {
    const from = heapAt + words[endsAt + id - 1];
    const to = heapAt + words[endsAt + id];
    view.setUint32(end, id, true);
    view.setUint32(end + 4, to - from, true);
    end += DICTIONARY_ENTRY_HEADER_BYTES;
    for (let p = from; p < to; p++) out[end++] = bytes[p];
    end = zeroTo8(out, end);
  }
  return end;
}

/**
 * A byte of a frame becomes at most one heap byte or one list element (8 bytes, 4 for its count being the row's), and may be
 * a dead letter's as well; strings take up to 3 more for their length in each row.
 */
function sealedBytesMax(columns: readonly Column[], rows: number, frameBytes: number): number {
  let bytes = BLOCK_HEADER_BYTES + columns.length * (BLOCK_DIRECTORY_ENTRY_BYTES + 32);
  for (const column of columns) bytes += rows * (column.plan.shape === 'scalar' ? 1 + (rowBytes(column.kind) || 3) : 4);
  return (
    bytes +
    frameBytes * 9 +
    Math.min(
      DEAD_LETTER_LOG_BYTES,
      frameBytes + BLOCK_DETAIL_BYTES_MAX + FRAME_DETAIL_BYTES_MAX + BLOCK_ROWS_MAX * 48,
    ) +
    BLOCK_FRAMES_MAX * BLOCK_FRAME_BYTES +
    NAME_LOG_BYTES
  );
}
