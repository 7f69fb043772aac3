/**
 * Answers in protobuf, as proto/hunt/v1/wire.proto describes them:
 *
 *   Answer     fixed64 seq = 1 · Status status = 2 · packed uint32 decisions = 3 · Rejection rejections = 4
 *              uint32 retry_after_ms = 5 · uint32 events = 6 · Warning warnings = 7 · uint32 events_in_flight = 8
 *   Rejection  uint32 index = 1 · string code = 2 · string text = 3 · string field = 4 · string value = 5
 *
 * Every function writes at `at`, returns where it ends, and trusts the caller to have made room.
 */
// hot path: no allocation

import { hasSeq, type Seq } from '../layout/seq.ts';
import type { Plan } from '../plan/plan.ts';
import { STATUS_REJECTED, STATUS_RETRY, type AnswerContent } from './answer.ts';
import { answerLabels, REJECTION_FIELDS, REJECTION_FIELDS_BYTES_MAX } from './answer-texts.ts';
import { writeBytes, writeFixed64, writeVarint } from './wire-write.ts';

const TAG_SEQ = 0x09;
const TAG_STATUS = 0x10;
const TAG_DECISIONS = 0x1a;
const TAG_REJECTIONS = 0x22;
const TAG_RETRY_AFTER_MS = 0x28;
const TAG_EVENTS = 0x30;
const TAG_EVENTS_IN_FLIGHT = 0x40;
const TAG_INDEX = 0x08;

/** seq, status, tag and length of decisions, retry_after_ms, events. */
const PROTO_BYTES_MAX = 9 + 2 + 6 + 6 + 6;
/** Most bytes that one rejection without details adds; details add their own. */
export const PROTO_REJECTION_BYTES_MAX = REJECTION_FIELDS_BYTES_MAX + 9;

/** Most bytes that the answer to a frame of `events` events takes, rejections apart. */
export function protoAnswerBytesMax(events: number, plan: Plan): number {
  const labels = answerLabels(plan);
  return PROTO_BYTES_MAX + events * labels.labels.length * labels.codeBytesMax;
}

/** Decisions go by their codes, so the plan's names are not needed. */
export function writeAnswerProto(out: Uint8Array, at: number, answer: Omit<AnswerContent, 'plan'>): number {
  const { actions, eventRow, eventOutcome, first, count } = answer;
  let p = writeHead(out, at, answer.seq, answer.status);
  const last = first + count;
  if (count !== 0 && actions.length !== 0) {
    out[p++] = TAG_DECISIONS;
    p = writeVarint(out, p, decisionsBytes(actions, eventRow, first, last));
    for (let i = first; i < last; i++) {
      const row = eventRow[i];
      for (let d = 0; d < actions.length; d++) {
        const code = row < 0 ? 0 : actions[d][row];
        if (code < 128) out[p++] = code;
        else p = writeVarint(out, p, code);
      }
    }
  }
  for (let i = first; i < last; i++) {
    if (eventOutcome[i] < 0)
      p = writeRejection(out, p, i - first, answer.parts.get(i) ?? REJECTION_FIELDS[-eventOutcome[i]]);
  }
  if (count !== 0) {
    out[p++] = TAG_EVENTS;
    p = writeVarint(out, p, count);
  }
  return writeBytes(out, p, answer.warnings);
}

function decisionsBytes(actions: readonly Uint16Array[], eventRow: Int32Array, first: number, last: number): number {
  let bytes = (last - first) * actions.length;
  for (let d = 0; d < actions.length; d++) {
    const codes = actions[d];
    for (let i = first; i < last; i++) {
      const code = eventRow[i] < 0 ? 0 : codes[eventRow[i]];
      if (code > 127) bytes += code < 16384 ? 1 : 2;
    }
  }
  return bytes;
}

function writeHead(out: Uint8Array, at: number, seq: Seq, status: number): number {
  let p = at;
  if (hasSeq(seq)) {
    out[p++] = TAG_SEQ;
    p = writeFixed64(out, p, seq.low, seq.high);
  }
  out[p++] = TAG_STATUS;
  out[p++] = status;
  return p;
}

function writeRejection(out: Uint8Array, at: number, index: number, fields: Uint8Array): number {
  let indexBytes = 0;
  if (index !== 0) indexBytes = index < 128 ? 2 : index < 16384 ? 3 : 4;
  out[at] = TAG_REJECTIONS;
  let p = writeVarint(out, at + 1, indexBytes + fields.length);
  if (index !== 0) {
    out[p++] = TAG_INDEX;
    p = writeVarint(out, p, index);
  }
  return writeBytes(out, p, fields);
}

/** `fields`: of REJECTION_FIELDS, or those of a rejection in particular. */
export function writeRejectedFrameProto(out: Uint8Array, at: number, seq: Seq, fields: Uint8Array): number {
  return writeRejection(out, writeHead(out, at, seq, STATUS_REJECTED), 0, fields);
}

export function writeRetryProto(out: Uint8Array, at: number, seq: Seq, retryAfterMs: number): number {
  const p = writeHead(out, at, seq, STATUS_RETRY);
  out[p] = TAG_RETRY_AFTER_MS;
  return writeVarint(out, p + 1, retryAfterMs);
}

/** Adds the credit to the answer that ends at `end`. */
export function addCreditProto(out: Uint8Array, end: number, eventsInFlight: number): number {
  out[end] = TAG_EVENTS_IN_FLIGHT;
  return writeVarint(out, end + 1, eventsInFlight);
}
