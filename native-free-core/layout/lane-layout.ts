/**
 * Byte layout of a lane: a single-producer single-consumer ring of variable-sized records.
 *
 *   header   byte  16  Int32  capacity   ring bytes, a power of two; written by the creator
 *   body     byte  64  Int32  head       bytes ever published (wraps at 2^32)    written by the producer
 *            byte 128  Int32  tail       bytes ever released (wraps at 2^32)     written by the consumer
 *            byte 192  Int32  doorbell   grows by one with each ring             written by the producer
 *            byte 196  Int32  sleeping   1 while the consumer waits              written by the consumer
 *            byte 256  ...    ring       records
 *
 *   record   byte 0  Int32 payload bytes; byte 4 Int32 kind (RECORD_PADDING: skip to the end of the ring)
 *            byte 8  payload, padded to a multiple of 8
 *
 * A record is contiguous; where it would cross the end of the ring, a padding record fills the rest first.
 */

export const LANE_VERSION = 1;
export const LANE_CAPACITY_AT = 16;
export const LANE_HEAD_AT = 64;
export const LANE_TAIL_AT = 128;
export const LANE_DOORBELL_AT = 192;
export const LANE_SLEEPING_AT = 196;
export const LANE_RING_AT = 256;
export const RECORD_HEADER_BYTES = 8;
export const RECORD_PADDING = -1;
