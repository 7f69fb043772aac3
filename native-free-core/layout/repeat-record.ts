/**
 * REPEAT: a frame that was answered before, and whose decisions are no longer in memory. The worker writes it; ingress has
 * the decisions looked up in ClickHouse and answers itself.
 *
 *   byte  0 as in answer-record.ts
 *   byte 16 seq   of the frame
 *   byte 24 u32 bytes of the producer's name
 *   byte 28 the name, UTF-8
 */

import { ANSWER_BODY_AT } from './answer-record.ts';
import type { RecordBytes } from './record-kinds.ts';
import { readSeq, writeSeq, type Seq } from './seq.ts';

const SEQ_AT = ANSWER_BODY_AT;
const NAME_BYTES_AT = 24;
const NAME_AT = 28;

export function repeatRecordBytes(producerName: Uint8Array): number {
  return NAME_AT + producerName.length;
}

/** Behind the header, which `writeAnswerHeader` writes. */
export function writeRepeat({ bytes, view }: RecordBytes, at: number, seq: Seq, producerName: Uint8Array): void {
  writeSeq(view, at + SEQ_AT, seq);
  view.setUint32(at + NAME_BYTES_AT, producerName.length, true);
  bytes.set(producerName, at + NAME_AT);
}

/** Reads the frame's seq into `seq` and returns the producer's name. */
export function readRepeat({ bytes, view }: RecordBytes, at: number, seq: Seq): Uint8Array {
  readSeq(view, at + SEQ_AT, seq);
  return bytes.slice(at + NAME_AT, at + NAME_AT + view.getUint32(at + NAME_BYTES_AT, true));
}
