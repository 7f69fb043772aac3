/**
 * What travels in the lanes: record kinds and the bytes at the start of each payload. All little-endian.
 *
 * ingress -> worker
 *   OPEN   a connection (or an HTTP request's session) begins
 *           0 u32 connection   slot at this ingress thread
 *           4 u32 generation   grows each time the slot is used anew
 *           8 u8  encoding     ENCODING_*
 *           9 u8  ack          ACK_*
 *          10 u8  flags        OPEN_HELLO: answer with a HELLO record; OPEN_DEDUP: event_id protects even with a producer
 *          12 u32 name bytes   0: no producer
 *          16     name         UTF-8
 *   FRAME  0 u32 connection, 4 u32 generation
 *           8 u32 seq low, 12 u32 seq high   (0 where the frame has none)
 *          16 f64 admitted_at  ms UTC, ingress clock
 *          24     frame bytes as they came, in the connection's encoding
 *   CLOSE  0 u32 connection, 4 u32 generation
 *   READ   0 u32 connection, 4 u32 generation, 8 u32 entity index, 12 u32 flags (READ_AT_NOW)
 *          16     key: UTF-8, parts of a composite key separated by a comma, each percent-encoded
 *
 * worker -> ingress
 *   ANSWER 0 u32 connection, 4 u32 generation, 8 u32 epoch low: hold the answer until this epoch has the ack level
 *          12 u32 flags        the answer's Status
 *          16     the answer, encoded, ready to send
 *   HELLO  the same header; then 16 u32 seq low, 20 u32 seq high: the producer's highest seq
 *   READ_ANSWER  the same header; flags: HTTP status; then JSON
 *   LOOKUP a frame that was answered before and whose decisions are no longer in memory
 *          the same header; then 16 u32 seq low, 20 u32 seq high, 24 u32 name bytes, 28 name
 *
 * worker -> spool thread
 *   BLOCK  0 f64 epoch, 8 u32 participants (blocks that this epoch has), 12 u32 worker
 *          16     the sealed block (block-layout.ts)
 */

export const RECORD_OPEN = 1;
export const RECORD_FRAME = 2;
export const RECORD_CLOSE = 3;
export const RECORD_READ = 4;
export const RECORD_ANSWER = 5;
export const RECORD_HELLO = 6;
export const RECORD_READ_ANSWER = 7;
export const RECORD_LOOKUP = 8;
export const RECORD_BLOCK = 9;

export const OPEN_HEADER_BYTES = 16;
export const FRAME_HEADER_BYTES = 24;
export const READ_HEADER_BYTES = 16;
export const ANSWER_HEADER_BYTES = 16;
export const BLOCK_RECORD_HEADER_BYTES = 16;

export const ENCODING_PROTO = 0;
export const ENCODING_JSON = 1;
export const ENCODING_NDJSON = 2;

export const ACK_DURABLE = 0;
export const ACK_STORED = 1;

export const OPEN_HELLO = 1;
export const OPEN_DEDUP = 2;

/** Windows end at the worker's clock, where that is later than the entity's. */
export const READ_AT_NOW = 1;
