/**
 * A sealed block: what the spool stores, what recovery replays, what a batch is made of. All little-endian, sections 8-aligned.
 *
 *   byte   0  u32 magic "BLK2"     4 u32 whole size in bytes
 *   byte   8  f64 received_at      ms UTC, the same for every row of the epoch
 *   byte  16  u32 pipeline version number      20 u32 event rows
 *   byte  24  u32 dead-letter rows             28 u32 frames
 *   byte  32  u32 offset of the frames section         36 u32 offset of the dead-letter section
 *   byte  40  u32 offset of the dictionary section     44 u32 dictionary entries
 *   byte  48  u32 columns          52 u32 offset of the names section
 *   byte  56  f64 oldest admitted_at of its frames (ms UTC), 0 without frames
 *   byte  64  column directory: per column 16 bytes: u32 encoding (BLOCK_COLUMN_*), u32 offset, u32 bytes, u32 rows
 *            of its data; lists and maps: elements
 *             then the columns' data at their offsets (from the block's begin)
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
 *
 *   frames section        per frame: 16 bytes producer id (u32 row of the producer table, u32 ledger flags, u32 seq low, u32 seq high),
 *                         then u32 received, u32 accepted, u32 duplicates, u32 dead-lettered events
 *   dead-letter section   per entry: u32 producer row, u32 seq low, u32 seq high, u32 index in frame (0xffffffff: the whole frame),
 *                         i32 outcome, u32 encoding, u32 bytes, u32 bytes of details, then the bytes as they came, padded to 8,
 *                         then the details (codec/rejection.ts), padded to 8
 *   dictionary section    per entry that this epoch added: u32 id, u32 bytes, then the bytes, padded to 8
 *   names section         u32 names, u32 fields of its events that the message does not have, then per producer of its frames: u32 row, u32 bytes, then the bytes, padded to 8
 *
 *   A block says whose its rows are: a row of the producer table goes to another name once its producer is forgotten. In blocks of
 *   version 1 ("BLK1", no names section) producers are ids of the dictionary.
 */

export const BLOCK_MAGIC = 0x324b4c42; // "BLK2"
export const BLOCK_MAGIC_1 = 0x314b4c42; // "BLK1"
export const BLOCK_HEADER_BYTES = 64;
export const BLOCK_DIRECTORY_ENTRY_BYTES = 16;
export const BLOCK_SIZE_AT = 4;
export const BLOCK_RECEIVED_AT = 8;
export const BLOCK_PIPELINE_AT = 16;
export const BLOCK_ROWS_AT = 20;
export const BLOCK_DEAD_AT = 24;
export const BLOCK_FRAMES_AT = 28;
export const BLOCK_FRAMES_OFFSET_AT = 32;
export const BLOCK_DEAD_OFFSET_AT = 36;
export const BLOCK_DICTIONARY_OFFSET_AT = 40;
export const BLOCK_DICTIONARY_COUNT_AT = 44;
export const BLOCK_COLUMNS_AT = 48;
export const BLOCK_NAMES_OFFSET_AT = 52;
/** From the names section's begin. */
export const BLOCK_NAMES_UNKNOWN_FIELDS_AT = 4;
export const BLOCK_ADMITTED_AT = 56;

export const BLOCK_COLUMN_PLAIN = 0;
export const BLOCK_COLUMN_ABSENT = 1;
export const BLOCK_COLUMN_CONSTANT = 2;
export const BLOCK_COLUMN_BRANCH = 3;

export const BLOCK_FRAME_BYTES = 32;
export const BLOCK_DEAD_HEADER_BYTES = 32;
export const BLOCK_NAME_HEADER_BYTES = 8;
export const DEAD_WHOLE_FRAME = 0xffffffff;
/** Frame flags: the frame has a producer and a seq; the frame was a duplicate; the frame was rejected whole. */
export const FRAME_HAS_SEQ = 1;
export const FRAME_DUPLICATE = 2;
export const FRAME_REJECTED = 4;
/** The frame's events were checked by event id; recovery remembers their ids again. */
export const FRAME_DEDUP = 8;
/** The first frame of a producer that is new, or was forgotten before it. */
export const FRAME_FIRST = 16;
