/**
 * A sealed block: what the spool stores, what recovery replays, what a batch is made of. All little-endian, sections
 * 8-aligned. The worker writes it into its lane; the spool thread, recovery and the Native encoder read it.
 *
 *   byte   0  u32 magic "BLK2"     4 u32 whole size in bytes
 *   byte   8  f64 received_at      ms UTC, the same for every row of the epoch
 *   byte  16  u32 pipeline version number      20 u32 event rows
 *   byte  24  u32 dead-letter rows             28 u32 frames
 *   byte  32  u32 offset of the frames section         36 u32 offset of the dead-letter section
 *   byte  40  u32 offset of the dictionary section     44 u32 dictionary entries
 *   byte  48  u32 columns          52 u32 offset of the names section
 *   byte  56  f64 oldest admitted_at of its frames (ms UTC), 0 without frames
 *   byte  64  column directory     block-directory.ts
 *             then the columns' data at their offsets (from the block's begin)
 *
 *   frames section        an entry per frame: frame-entry.ts
 *   dead-letter section   an entry per dead letter: dead-letter-entry.ts
 *   dictionary section    an entry per string that this epoch added to the dictionary: text-entry.ts
 *   names section         u32 names, u32 fields of its events that the message does not have; then per producer of its frames a text-entry.ts
 *
 *   A block says whose its rows are: a row of the producer table goes to another name once its producer is forgotten. In blocks of
 *   version 1 ("BLK1", no names section) producers are ids of the dictionary.
 */

export interface BlockHeader {
  /** Of the whole block. */
  readonly bytes: number;
  readonly receivedAt: number;
  readonly pipelineNumber: number;
  readonly rows: number;
  readonly deadLetters: number;
  readonly frames: number;
  /** Where the sections begin, from the block's begin. */
  readonly framesAt: number;
  readonly deadLettersAt: number;
  readonly dictionaryAt: number;
  readonly dictionaryEntries: number;
  readonly columns: number;
  readonly namesAt: number;
  /** Oldest admitted_at of its frames, 0: none. */
  readonly admittedAt: number;
  /** The block says whose its rows are: it is not of version 1. */
  readonly hasNames: boolean;
}

const MAGIC = 0x324b4c42; // "BLK2"
const MAGIC_1 = 0x314b4c42; // "BLK1"
export const BLOCK_HEADER_BYTES = 64;
const SIZE_AT = 4;
const RECEIVED_AT = 8;
const PIPELINE_AT = 16;
const ROWS_AT = 20;
const DEAD_AT = 24;
const FRAMES_AT = 28;
const FRAMES_OFFSET_AT = 32;
const DEAD_OFFSET_AT = 36;
const DICTIONARY_OFFSET_AT = 40;
const DICTIONARY_COUNT_AT = 44;
const COLUMNS_AT = 48;
const NAMES_OFFSET_AT = 52;
const ADMITTED_AT = 56;

/** The names section's own header. */
export const NAMES_HEADER_BYTES = 8;
const UNKNOWN_FIELDS_AT = 4;

/** Writes the header of a block of the newest version at `at`. */
export function writeSealedHeader(view: DataView, at: number, header: BlockHeader): void {
  view.setUint32(at, MAGIC, true);
  view.setUint32(at + SIZE_AT, header.bytes, true);
  view.setFloat64(at + RECEIVED_AT, header.receivedAt, true);
  view.setUint32(at + PIPELINE_AT, header.pipelineNumber, true);
  view.setUint32(at + ROWS_AT, header.rows, true);
  view.setUint32(at + DEAD_AT, header.deadLetters, true);
  view.setUint32(at + FRAMES_AT, header.frames, true);
  view.setUint32(at + FRAMES_OFFSET_AT, header.framesAt, true);
  view.setUint32(at + DEAD_OFFSET_AT, header.deadLettersAt, true);
  view.setUint32(at + DICTIONARY_OFFSET_AT, header.dictionaryAt, true);
  view.setUint32(at + DICTIONARY_COUNT_AT, header.dictionaryEntries, true);
  view.setUint32(at + COLUMNS_AT, header.columns, true);
  view.setUint32(at + NAMES_OFFSET_AT, header.namesAt, true);
  view.setFloat64(at + ADMITTED_AT, header.admittedAt, true);
}

/** The header of the block at `at`; null where that is none. */
export function readSealedHeader(view: DataView, at: number): BlockHeader | null {
  const magic = view.getUint32(at, true);
  if (magic !== MAGIC && magic !== MAGIC_1) return null;
  return {
    bytes: view.getUint32(at + SIZE_AT, true),
    receivedAt: view.getFloat64(at + RECEIVED_AT, true),
    pipelineNumber: view.getUint32(at + PIPELINE_AT, true),
    rows: view.getUint32(at + ROWS_AT, true),
    deadLetters: view.getUint32(at + DEAD_AT, true),
    frames: view.getUint32(at + FRAMES_AT, true),
    framesAt: view.getUint32(at + FRAMES_OFFSET_AT, true),
    deadLettersAt: view.getUint32(at + DEAD_OFFSET_AT, true),
    dictionaryAt: view.getUint32(at + DICTIONARY_OFFSET_AT, true),
    dictionaryEntries: view.getUint32(at + DICTIONARY_COUNT_AT, true),
    columns: view.getUint32(at + COLUMNS_AT, true),
    namesAt: view.getUint32(at + NAMES_OFFSET_AT, true),
    admittedAt: view.getFloat64(at + ADMITTED_AT, true),
    hasNames: magic === MAGIC,
  };
}

/** `at`: the names section's begin. Its number of names is written with the names (columns/block-logs.ts). */
export function writeUnknownFields(view: DataView, at: number, unknownFields: number): void {
  view.setUint32(at + UNKNOWN_FIELDS_AT, unknownFields, true);
}

export function readUnknownFields(view: DataView, at: number): number {
  return view.getUint32(at + UNKNOWN_FIELDS_AT, true);
}

export function readNameCount(view: DataView, at: number): number {
  return view.getUint32(at, true);
}
