/**
 * ANSWER: the answer to a frame, encoded and ready to send; ENTITY_ANSWER: the answer to an ENTITY_READ. The worker writes
 * them, ingress sends them on. HELLO and REPEAT begin in the same way (hello-record.ts, repeat-record.ts).
 *
 *   byte  0 connection   connection-record.ts
 *   byte  8 i32 low word of the epoch that must be durable, or stored, before the record may leave
 *   byte 12 u32 status   ANSWER: the answer's Status (codec/answer.ts); ENTITY_ANSWER: ENTITY_*; otherwise 0
 *   byte 16 the body     ANSWER: in the encoding of the connection's answers; ENTITY_ANSWER: as ENTITY_* say
 */
// hot path: no allocation

import { writeConnection, type ConnectionAddress } from './connection-record.ts';

const EPOCH_AT = 8;
const STATUS_AT = 12;
/** Where the body begins, from the record's begin. */
export const ANSWER_BODY_AT = 16;

/** The entity's features; the body is JSON. */
export const ENTITY_FOUND = 0;
/** Nobody has been seen under the key; no body. */
export const ENTITY_UNSEEN = 1;
/** The key is none of this entity; the body says in UTF-8 what is expected. */
export const ENTITY_BAD_KEY = 2;
/** The pipeline that answers has no such entity; no body. */
export const ENTITY_NONE = 3;

export function writeAnswerHeader(
  view: DataView,
  at: number,
  connection: ConnectionAddress,
  epochLow: number,
  status: number,
): void {
  writeConnection(view, at, connection);
  view.setInt32(at + EPOCH_AT, epochLow, true);
  view.setUint32(at + STATUS_AT, status, true);
}

export function readAnswerEpochLow(view: DataView, at: number): number {
  return view.getInt32(at + EPOCH_AT, true);
}

export function readAnswerStatus(view: DataView, at: number): number {
  return view.getUint32(at + STATUS_AT, true);
}
