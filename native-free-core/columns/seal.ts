/**
 * Seals a block: the columns of a worker's block, its frames, dead letters, names and new dictionary entries, as the bytes
 * that the spool stores (layout/block-layout.ts). Called by decide/seal-block.ts on the worker's thread, straight into lane
 * memory. Two steps: `sealedBytes` looks at each column once and remembers how it will lie, `sealBlock` copies.
 */

import { fail } from '../base/fail.ts';
import {
  BLOCK_COLUMN_ABSENT,
  DIRECTORY_ENTRY_BYTES,
  directoryEntryAt,
  writeDirectoryEntry,
} from '../layout/block-directory.ts';
import { BLOCK_HEADER_BYTES, writeSealedHeader, writeUnknownFields } from '../layout/block-layout.ts';
import { rowBytes, type Column } from '../layout/column.ts';
import { DEAD_LETTER_HEADER_BYTES } from '../layout/dead-letter-entry.ts';
import { FRAME_ENTRY_BYTES } from '../layout/frame-entry.ts';
import { BLOCK_FRAMES_MAX, BLOCK_ROWS_MAX } from '../layout/limits.ts';
import { TEXT_HEADER_BYTES, textEntryBytes, writeTextHeader } from '../layout/text-entry.ts';
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
} from './block-logs.ts';
import { measureColumn, pad8, sealColumn, zeroTo8, type Sealing } from './seal-column.ts';

/**
 * The strings that the epoch added to the shared dictionary: entry `id` ends at `words[endsAt + id]` of the heap at
 * `heapAt`.
 */
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
      if (input.rows !== measured || (at & 7) !== 0) fail('seal_unmeasured', at);
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
  let end = directoryEntryAt(sealing.columns.length);
  for (let i = 0; i < sealing.bytes.length; i++) end += pad8(sealing.bytes[i]);
  return end;
}

function entryLength(dictionary: DictionaryHeap, id: number): number {
  return dictionary.words[dictionary.endsAt + id] - dictionary.words[dictionary.endsAt + id - 1];
}

function sectionBytes(input: SealInput): number {
  let bytes = input.frames.count * FRAME_ENTRY_BYTES + input.deadLetters.end + input.names.end;
  for (let id = input.dictionaryFrom; id < input.dictionaryEnd; id++) {
    bytes += textEntryBytes(entryLength(input.dictionary, id));
  }
  return bytes;
}

function sealBlock(sealing: Sealing, out: Uint8Array, view: DataView, at: number, input: SealInput): number {
  const columns = sealing.columns.length;
  let end = at + directoryEntryAt(columns);
  for (let i = 0; i < columns; i++) {
    const encoding = sealing.encodings[i];
    const entry = { encoding, at: end - at, bytes: sealing.bytes[i], rows: sealing.rows[i] };
    writeDirectoryEntry(view, at, i, entry);
    if (encoding !== BLOCK_COLUMN_ABSENT)
      end = zeroTo8(out, sealColumn(sealing, i, out, view, end, input.receivedAt, input.rows));
  }
  const framesAt = end;
  end = copyBytes(out, end, input.frames.bytes, input.frames.count * FRAME_ENTRY_BYTES);
  const deadAt = end;
  end = copyBytes(out, end, input.deadLetters.bytes, input.deadLetters.end);
  const dictionaryAt = end;
  end = sealDictionary(out, view, end, input);
  const namesAt = end;
  end = copyBytes(out, end, input.names.bytes, input.names.end);
  writeUnknownFields(view, namesAt, input.unknownFields);
  writeSealedHeader(view, at, {
    bytes: end - at,
    receivedAt: input.receivedAt,
    pipelineNumber: input.pipelineNumber,
    rows: input.rows,
    deadLetters: input.deadLetters.count,
    frames: input.frames.count,
    framesAt: framesAt - at,
    deadLettersAt: deadAt - at,
    dictionaryAt: dictionaryAt - at,
    dictionaryEntries: input.dictionaryEnd - input.dictionaryFrom,
    columns,
    namesAt: namesAt - at,
    admittedAt: input.admittedAt,
    hasNames: true,
  });
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
    writeTextHeader(view, end, id, to - from);
    end += TEXT_HEADER_BYTES;
    for (let p = from; p < to; p++) out[end++] = bytes[p];
    end = zeroTo8(out, end);
  }
  return end;
}

/**
 * Upper bound per frame byte: one heap byte or one list element of 8 bytes, and one byte of a dead letter. The counts of
 * lists (4 bytes) and the lengths of strings (at most 3) are charged per row.
 */
function sealedBytesMax(columns: readonly Column[], rows: number, frameBytes: number): number {
  let bytes = BLOCK_HEADER_BYTES + columns.length * (DIRECTORY_ENTRY_BYTES + 32);
  for (const column of columns) bytes += rows * (column.plan.shape === 'scalar' ? 1 + (rowBytes(column.kind) || 3) : 4);
  return (
    bytes +
    frameBytes * 9 +
    Math.min(
      DEAD_LETTER_LOG_BYTES,
      frameBytes + BLOCK_DETAIL_BYTES_MAX + FRAME_DETAIL_BYTES_MAX + BLOCK_ROWS_MAX * (DEAD_LETTER_HEADER_BYTES + 16),
    ) +
    BLOCK_FRAMES_MAX * FRAME_ENTRY_BYTES +
    NAME_LOG_BYTES
  );
}
