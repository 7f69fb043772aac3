/**
 * Limits of the wire and of a block, as constants; relations between them are asserted below.
 */

import { fail } from '../base/fail.ts';

/** One WebSocket message or HTTP body. 500 events of 68 bytes are 35 kB; 1 MiB leaves room for wide messages. */
export const FRAME_BYTES_MAX = 1 << 20;
/** Events in one frame: a frame is never split over two blocks. */
export const FRAME_EVENTS_MAX = 8192;
/** Rows of one block: its columns should stay within a core's second-level cache. */
export const BLOCK_ROWS_MAX = 16384;
/** A block closes once it has decoded this many frame bytes; bounds the string heaps. */
export const BLOCK_FRAME_BYTES_MAX = 4 << 20;
/** Frames in one block, each with an entry in the frames section. */
export const BLOCK_FRAMES_MAX = 16384;
/** One string or bytes value, in bytes. */
export const STRING_BYTES_MAX = 65535;
/** Elements of one repeated field or map. */
export const LIST_ELEMENTS_MAX = 4096;
/** protobuf's own parsers stop at 100; an event of a game does not come near. */
export const NESTING_MAX = 32;
/** Producer names, in bytes. */
export const PRODUCER_NAME_BYTES_MAX = 200;
/** Days for which dead letters stay in the table; whoever mends what sent them has looked by then. */
export const DEAD_LETTER_DAYS = 30;
/** Frames sent and not yet answered, for one connection. */
export const FRAMES_IN_FLIGHT_MAX = 1024;
/** Of these, so many may always be: whoever sends one large frame after the other never waits for an answer in between. */
export const FRAMES_IN_FLIGHT_MIN = 2;
/** Sequence numbers below the highest that the producer table remembers (docs/semantics.md §2). */
export const SEQ_BITMAP_BITS = 1024;
/** Tables of time zones reach from 1970 to 2100, ms UTC; a part of a local time outside is absent. */
export const ZONE_TIME_START = 0;
export const ZONE_TIME_END = 4_102_444_800_000;
/** The same for UTC: 1900 to 2300, the range of ClickHouse's DateTime64. */
export const UTC_TIME_START = -2_208_988_800_000;
export const UTC_TIME_END = 10_413_792_000_000;

if (FRAME_EVENTS_MAX > BLOCK_ROWS_MAX) fail('limits_frame_events', FRAME_EVENTS_MAX);
if (FRAME_BYTES_MAX > BLOCK_FRAME_BYTES_MAX) fail('limits_frame_bytes', FRAME_BYTES_MAX);
if (FRAMES_IN_FLIGHT_MAX > SEQ_BITMAP_BITS) fail('limits_in_flight', FRAMES_IN_FLIGHT_MAX);
