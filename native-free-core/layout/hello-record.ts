/**
 * HELLO: where the producer of a new connection stands. The worker writes it, ingress makes the hello message of it.
 *
 *   byte  0 as in answer-record.ts
 *   byte 16 seq   the highest that the producer has had taken
 */

import { ANSWER_BODY_AT } from './answer-record.ts';
import { readSeq, SEQ_BYTES, writeSeq, type Seq } from './seq.ts';

export const HELLO_RECORD_BYTES = ANSWER_BODY_AT + SEQ_BYTES;

/** Behind the header, which `writeAnswerHeader` writes. */
export function writeHighestSeq(view: DataView, at: number, highest: Seq): void {
  writeSeq(view, at + ANSWER_BODY_AT, highest);
}

export function readHighestSeq(view: DataView, at: number, to: Seq): void {
  readSeq(view, at + ANSWER_BODY_AT, to);
}
