/**
 * A dead letter of a block: what was refused, as it came, and why. The worker writes it into its block; the Native encoder
 * of `dead_letters` reads it.
 *
 *   byte  0 u32 row of the producer table, 0: no producer
 *   byte  4 seq           of its frame, seq.ts
 *   byte 12 u32 index     of the event in its frame; DEAD_WHOLE_FRAME
 *   byte 16 i32 outcome   base/outcomes.ts
 *   byte 20 u32 encoding  ENCODING_*
 *   byte 24 u32 length    of the refused bytes
 *   byte 28 u32 length    of the details, 0: the outcome says it all
 *   byte 32 the bytes, padded with zeros to 8; then the details (codec/rejection.ts), padded to 8
 */
// hot path: no allocation

import { createSeq, readSeq, storeSeq, type Seq } from './seq.ts';

export interface DeadLetterEntry {
  producer: number;
  readonly seq: Seq;
  index: number;
  outcome: number;
  encoding: number;
  /** Of what was refused. */
  length: number;
  /** 0: its outcome says it all. */
  detailLength: number;
}

export const DEAD_LETTER_HEADER_BYTES = 32;
/** `index` of a frame that was refused whole. */
export const DEAD_WHOLE_FRAME = 0xffffffff;

const SEQ_AT = 4;
const INDEX_AT = 12;
const OUTCOME_AT = 16;
const ENCODING_AT = 20;
const LENGTH_AT = 24;
const DETAIL_LENGTH_AT = 28;

export function createDeadLetterEntry(): DeadLetterEntry {
  return { producer: 0, seq: createSeq(), index: 0, outcome: 0, encoding: 0, length: 0, detailLength: 0 };
}

/** `at`: a word. */
export function storeDeadLetter(words: Int32Array, at: number, entry: DeadLetterEntry): void {
  words[at] = entry.producer;
  storeSeq(words, at + SEQ_AT / 4, entry.seq);
  words[at + INDEX_AT / 4] = entry.index;
  words[at + OUTCOME_AT / 4] = entry.outcome;
  words[at + ENCODING_AT / 4] = entry.encoding;
  words[at + LENGTH_AT / 4] = entry.length;
  words[at + DETAIL_LENGTH_AT / 4] = entry.detailLength;
}

export function readDeadLetter(view: DataView, at: number, to: DeadLetterEntry): void {
  to.producer = view.getUint32(at, true);
  readSeq(view, at + SEQ_AT, to.seq);
  to.index = view.getUint32(at + INDEX_AT, true);
  to.outcome = view.getInt32(at + OUTCOME_AT, true);
  to.encoding = view.getUint32(at + ENCODING_AT, true);
  to.length = view.getUint32(at + LENGTH_AT, true);
  to.detailLength = view.getUint32(at + DETAIL_LENGTH_AT, true);
}

/** Where the details begin, from the entry's begin. */
export function deadLetterDetailAt(length: number): number {
  return DEAD_LETTER_HEADER_BYTES + ((length + 7) & -8);
}

/** Of the whole entry. */
export function deadLetterBytes(length: number, detailLength: number): number {
  return deadLetterDetailAt(length) + ((detailLength + 7) & -8);
}
