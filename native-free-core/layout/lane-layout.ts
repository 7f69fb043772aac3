/**
 * Byte layout of a lane: a single-producer single-consumer ring of variable-sized records.
 *
 *   header   byte  16  Int32  capacity   ring bytes, a power of two; written by the creator
 *   body     byte  64  Int32  head       bytes ever published (wraps at 2^32)    written by the producer
 *            byte 128  Int32  tail       bytes ever released (wraps at 2^32)     written by the consumer
 *            byte 256  ...    ring       records
 *
 *   record   byte 0  Int32 payload bytes; byte 4 Int32 kind (RECORD_PADDING: skip to the end of the ring)    written by the producer
 *            byte 8  payload, padded to a multiple of 8
 *
 * A record is contiguous; where it would cross the end of the ring, a padding record fills the rest first.
 */

export const LANE_VERSION = 1;
export const LANE_CAPACITY_AT = 16;
export const LANE_HEAD_AT = 64;
export const LANE_TAIL_AT = 128;
export const LANE_RING_AT = 256;
export const RECORD_HEADER_BYTES = 8;
export const RECORD_PADDING = -1;

/** `record`: the word at which a record begins. */
export function writeRecordHeader(words: Int32Array, record: number, payloadBytes: number, kind: number): void {
  words[record] = payloadBytes;
  words[record + 1] = kind;
}

export function readRecordBytes(words: Int32Array, record: number): number {
  return words[record];
}

export function readRecordKind(words: Int32Array, record: number): number {
  return words[record + 1];
}
