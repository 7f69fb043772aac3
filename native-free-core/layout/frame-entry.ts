/**
 * A frame's line in the ledger, one for each frame of a block: what became of its events. The worker writes it into its
 * block; the spool thread adds it up, recovery and the ledger read it.
 *
 *   byte  0 u32 row of the producer table, 0: no producer
 *   byte  4 u32 flags        FRAME_*
 *   byte  8 seq              seq.ts
 *   byte 16 u32 received     events of the frame
 *   byte 20 u32 accepted     of those: the next rows of the block
 *   byte 24 u32 duplicates   of those: known before
 *   byte 28 u32 dead         of those: refused
 */
// hot path: no allocation

import { createSeq, readSeq, storeSeq, type Seq } from './seq.ts';

export interface FrameEntry {
  producer: number;
  flags: number;
  readonly seq: Seq;
  received: number;
  accepted: number;
  duplicates: number;
  dead: number;
}

export const FRAME_ENTRY_BYTES = 32;
export const FRAME_ENTRY_WORDS = FRAME_ENTRY_BYTES / 4;

/** The frame has a producer and a seq. */
export const FRAME_HAS_SEQ = 1;
/** The frame was taken before. */
export const FRAME_DUPLICATE = 2;
/** The frame was refused whole. */
export const FRAME_REJECTED = 4;
/** The frame's events were checked by event id; recovery remembers their ids again. */
export const FRAME_DEDUP = 8;
/** The first frame of a producer that is new, or was forgotten before it. */
export const FRAME_FIRST = 16;

const FLAGS_AT = 4;
const SEQ_AT = 8;
const RECEIVED_AT = 16;
const ACCEPTED_AT = 20;
const DUPLICATES_AT = 24;
const DEAD_AT = 28;

export function createFrameEntry(): FrameEntry {
  return { producer: 0, flags: 0, seq: createSeq(), received: 0, accepted: 0, duplicates: 0, dead: 0 };
}

/** `at`: a word. */
export function storeFrameEntry(words: Uint32Array, at: number, entry: FrameEntry): void {
  words[at] = entry.producer;
  words[at + FLAGS_AT / 4] = entry.flags;
  storeSeq(words, at + SEQ_AT / 4, entry.seq);
  words[at + RECEIVED_AT / 4] = entry.received;
  words[at + ACCEPTED_AT / 4] = entry.accepted;
  words[at + DUPLICATES_AT / 4] = entry.duplicates;
  words[at + DEAD_AT / 4] = entry.dead;
}

export function readFrameEntry(view: DataView, at: number, to: FrameEntry): void {
  to.producer = view.getUint32(at, true);
  to.flags = view.getUint32(at + FLAGS_AT, true);
  readSeq(view, at + SEQ_AT, to.seq);
  to.received = view.getUint32(at + RECEIVED_AT, true);
  to.accepted = view.getUint32(at + ACCEPTED_AT, true);
  to.duplicates = view.getUint32(at + DUPLICATES_AT, true);
  to.dead = view.getUint32(at + DEAD_AT, true);
}
