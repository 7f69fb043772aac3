/**
 * What a block gathers besides its rows: a line of the ledger for each frame, the names of their producers, and the bytes of
 * whatever was refused. The logs are kept in the form in which they are sealed (layout/block-layout.ts), so sealing is one
 * copy. One of each per decision worker, made at start and reset with every block.
 */
// hot path: no allocation

import { fail } from '../base/fail.ts';
import { NAMES_HEADER_BYTES } from '../layout/block-layout.ts';
import {
  DEAD_LETTER_HEADER_BYTES,
  storeDeadLetter,
  deadLetterDetailAt,
  deadLetterBytes,
  type DeadLetterEntry,
} from '../layout/dead-letter-entry.ts';
import { FRAME_ENTRY_WORDS, storeFrameEntry, type FrameEntry } from '../layout/frame-entry.ts';
import {
  BLOCK_FRAMES_MAX,
  BLOCK_FRAME_BYTES_MAX,
  BLOCK_ROWS_MAX,
  FRAME_BYTES_MAX,
  PRODUCER_NAME_BYTES_MAX,
} from '../layout/limits.ts';
import { TEXT_HEADER_BYTES, textEntryBytes, storeTextHeader } from '../layout/text-entry.ts';

/** Each event and each frame of a block can be refused once. */
export const DEAD_LETTERS_MAX = BLOCK_ROWS_MAX + BLOCK_FRAMES_MAX;
/**
 * Details of one frame's refusals: 128 bytes for each of the most events that it may hold. What is beyond has its code
 * alone.
 */
export const FRAME_DETAIL_BYTES_MAX = 1 << 20;
/** A block that holds so many bytes of details takes no other frame. */
export const BLOCK_DETAIL_BYTES_MAX = 3 << 20;
/** All bytes that a block's frames can bring, and each entry's details, header and padding. */
export const DEAD_LETTER_LOG_BYTES =
  BLOCK_FRAME_BYTES_MAX +
  FRAME_BYTES_MAX +
  BLOCK_DETAIL_BYTES_MAX +
  FRAME_DETAIL_BYTES_MAX +
  DEAD_LETTERS_MAX * (DEAD_LETTER_HEADER_BYTES + 16);

/** Each frame can be of another producer; and the section's own header. */
export const NAME_LOG_BYTES = BLOCK_FRAMES_MAX * (TEXT_HEADER_BYTES + PRODUCER_NAME_BYTES_MAX) + NAMES_HEADER_BYTES;

/** From here on a native copy costs less than a loop, measured at 100-200 bytes. */
const LOOP_BYTES_MAX = 128;

export interface FrameLog {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  count: number;
}

export interface DeadLetterLog {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  count: number;
  /** Bytes in use, a multiple of 8. */
  end: number;
  /** Of these, details. */
  detailBytes: number;
}

export interface NameLog {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  /** Bytes in use, a multiple of 8, its header included. */
  end: number;
}

export function createNameLog(): NameLog {
  const words = new Int32Array(NAME_LOG_BYTES >> 2);
  return { words, bytes: new Uint8Array(words.buffer), end: NAMES_HEADER_BYTES };
}

export function createFrameLog(): FrameLog {
  const words = new Uint32Array(BLOCK_FRAMES_MAX * FRAME_ENTRY_WORDS);
  return { words, bytes: new Uint8Array(words.buffer), count: 0 };
}

export function createDeadLetterLog(): DeadLetterLog {
  const words = new Int32Array(Math.ceil(DEAD_LETTER_LOG_BYTES / 4));
  return { words, bytes: new Uint8Array(words.buffer), count: 0, end: 0, detailBytes: 0 };
}

export function resetFrameLog(log: FrameLog): void {
  log.count = 0;
}

export function resetDeadLetterLog(log: DeadLetterLog): void {
  log.count = 0;
  log.end = 0;
  log.detailBytes = 0;
}

/** Of a letter without details: its outcome says it all. */
const NO_DETAIL = new Uint8Array(0);

export function resetNameLog(log: NameLog): void {
  log.words[0] = 0;
  log.end = NAMES_HEADER_BYTES;
}

/** The block's frames of this row of the producer table are of the producer with this name. */
export function appendName(log: NameLog, producer: number, name: Uint8Array): void {
  const body = log.end + TEXT_HEADER_BYTES;
  const end = log.end + textEntryBytes(name.length);
  if (end > log.bytes.length) fail('name_log_full', log.words[0]);
  storeTextHeader(log.words, log.end >> 2, producer, name.length);
  for (let i = 0; i < name.length; i++) log.bytes[body + i] = name[i];
  for (let i = body + name.length; i < end; i++) log.bytes[i] = 0;
  log.words[0]++;
  log.end = end;
}

export function appendFrame(log: FrameLog, entry: FrameEntry): void {
  if (log.count >= BLOCK_FRAMES_MAX) fail('frame_log_full', log.count);
  storeFrameEntry(log.words, log.count * FRAME_ENTRY_WORDS, entry);
  log.count++;
}

/**
 * The refused bytes are bytes[from, from + entry.length). `detail`: field, value and reason, as codec/rejection.ts packs
 * them; the entry's own length of it is set here.
 */
export function appendDeadLetter(
  log: DeadLetterLog,
  entry: DeadLetterEntry,
  bytes: Uint8Array,
  from: number,
  detail: Uint8Array = NO_DETAIL,
): void {
  const { length } = entry;
  const detailAt = log.end + deadLetterDetailAt(length);
  const end = log.end + deadLetterBytes(length, detail.length);
  if (end > log.bytes.length) fail('dead_letter_log_full', log.count);
  entry.detailLength = detail.length;
  storeDeadLetter(log.words, log.end >> 2, entry);
  const body = log.end + DEAD_LETTER_HEADER_BYTES;
  copyInto(log.bytes, body, bytes, from, length);
  for (let i = body + length; i < detailAt; i++) log.bytes[i] = 0;
  copyInto(log.bytes, detailAt, detail, 0, detail.length);
  for (let i = detailAt + detail.length; i < end; i++) log.bytes[i] = 0;
  log.detailBytes += detail.length;
  log.count++;
  log.end = end;
}

function copyInto(out: Uint8Array, at: number, bytes: Uint8Array, from: number, length: number): void {
  if (length <= LOOP_BYTES_MAX) for (let i = 0; i < length; i++) out[at + i] = bytes[from + i];
  else out.set(new Uint8Array(bytes.buffer, bytes.byteOffset + from, length), at);
}
