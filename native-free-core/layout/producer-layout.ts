/**
 * Layout of the producer table: who has sent frames, which of them were taken, and what each producer may still use up of
 * what all share. Producers are found by their names; a row is given to another name once its producer has been idle for the
 * declared time.
 *
 *   byte 16  Int32 rows, row 0 included     20 Int32 index slots     24 f64 forget after, ms                 creator
 *   byte 64  Int32 lock                                                            whoever looks for a name or adds one holds it
 *   byte 68  Int32 used        rows that have ever had a name, row 0 included      under the lock
 *   byte 72  Int32 hand        where the search for an idle row goes on            under the lock
 *   byte 76  Int32 forgotten   rows that went to another name                      under the lock
 *   byte 80  f64   oldest      no row was seen before, as the last search found    under the lock
 *   byte 88  Int32 refused     names that found no row                             under the lock
 *   byte 128 index  Int32 a slot: row, 0: empty; linear probing                    under the lock
 *   then     rows, 384 bytes each; row 0 is for frames that name no producer
 *     word 0      lock
 *     word 1      highest seq, low 32 bits      word 2  high bits                  under the row's lock
 *     word 3      life: how many names the row has had                             under both locks
 *     word 4-5    f64 last seen: received_at of its last frame, ms                 under the row's lock
 *     word 6      bytes of the name                                                under both locks
 *     word 8-39   bitmap: bit (seq mod 1024) of each taken seq in (highest - 1024, highest]
 *     word 40-89  the name, UTF-8                                                  under both locks
 *     word 90     entries that it has added to the dictionary     word 91  their bytes        under the row's lock
 *     word 92-93  f64 when its dead letters were counted last, ms                             under the row's lock
 *     word 94     kept dead letters that count against it         word 95  their bytes        under the row's lock
 */

import { fail } from '../base/fail.ts';
import { PRODUCER_NAME_BYTES_MAX, SEQ_BITMAP_BITS } from './limits.ts';

export const PRODUCERS_VERSION = 2;
export const PRODUCER_ROW_BYTES = 384;
export const PRODUCER_ROW_WORDS = PRODUCER_ROW_BYTES >> 2;

export const PRODUCERS_ROWS_AT = 4;
export const PRODUCERS_SLOTS_AT = 5;
/** As a float. */
export const PRODUCERS_FORGET_AT = 3;
export const PRODUCERS_LOCK = 16;
export const PRODUCERS_USED = 17;
export const PRODUCERS_HAND = 18;
export const PRODUCERS_FORGOTTEN = 19;
/** As a float. */
export const PRODUCERS_OLDEST = 10;
export const PRODUCERS_REFUSED = 22;
export const PRODUCERS_INDEX = 32;

export const ROW_LOCK = 0;
export const ROW_HIGHEST_LOW = 1;
export const ROW_HIGHEST_HIGH = 2;
export const ROW_LIFE = 3;
/** As a float. */
export const ROW_SEEN = 2;
export const ROW_NAME_BYTES = 6;
export const ROW_BITMAP = 8;
export const ROW_NAME = 40;
export const ROW_ENTRIES = 90;
export const ROW_ENTRY_BYTES = 91;
/** As a float. */
export const ROW_LETTERS_SEEN = 46;
export const ROW_LETTERS = 94;
export const ROW_LETTER_BYTES = 95;

/** Frames that name no producer; and what a name without a row gets. */
export const PRODUCER_NONE = 0;

/** The same name within its row's first 160 bytes, as tables of version 1 had it: to read their snapshots. */
export const PRODUCER_ROW_BYTES_1 = 160;

if (SEQ_BITMAP_BITS / 32 !== ROW_NAME - ROW_BITMAP) fail('producer_bitmap', SEQ_BITMAP_BITS);
if (PRODUCER_NAME_BYTES_MAX / 4 !== ROW_ENTRIES - ROW_NAME) fail('producer_name', PRODUCER_NAME_BYTES_MAX);
