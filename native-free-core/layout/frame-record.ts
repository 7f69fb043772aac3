/**
 * FRAME: a frame of events as it came. Ingress writes it, the worker reads it.
 *
 *   byte  0 connection    connection-record.ts
 *   byte  8 seq           seq.ts; of the frame, the connection or the request's header; 0: none of them says it
 *   byte 16 f64 admitted_at, ms UTC by the clock of ingress
 *   byte 24 the frame's bytes, in the encoding of the connection
 */
// hot path: no allocation

import { writeConnection, type ConnectionAddress } from './connection-record.ts';
import { readSeq, writeSeq, type Seq } from './seq.ts';

const SEQ_AT = 8;
const ADMITTED_AT = 16;
/** Where the frame begins, from the record's begin. */
export const FRAME_BODY_AT = 24;

export function writeFrameRecord(
  view: DataView,
  at: number,
  connection: ConnectionAddress,
  seq: Seq,
  admittedAt: number,
): void {
  writeConnection(view, at, connection);
  writeSeq(view, at + SEQ_AT, seq);
  view.setFloat64(at + ADMITTED_AT, admittedAt, true);
}

export function readFrameSeq(view: DataView, at: number, to: Seq): void {
  readSeq(view, at + SEQ_AT, to);
}

export function readAdmittedAt(view: DataView, at: number): number {
  return view.getFloat64(at + ADMITTED_AT, true);
}
