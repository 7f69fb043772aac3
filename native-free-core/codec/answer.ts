/**
 * Writes the answers to frames, straight from the action columns of a block into an answer lane. Called by workers once per
 * frame after the block has been decided, and by ingress for RETRY. proto/hunt/v1/wire.proto describes the protobuf form:
 *
 *   Answer     fixed64 seq = 1 · Status status = 2 · packed uint32 decisions = 3 · Rejection rejections = 4
 *              uint32 retry_after_ms = 5 · uint32 events = 6 · Warning warnings = 7
 *   Rejection  uint32 index = 1 · string code = 2 · string text = 3 · string field = 4 · string value = 5
 *
 * and in JSON, where decisions stand by name:
 *
 *   {"seq":"12","status":"OK","events":2,"decisions":[{"assistance":"hint","trust":null},null],
 *    "rejections":[{"index":1,"code":"no_key","text":"…","field":"player_id"}],"warnings":[…]}
 *
 * Every function writes at `at`, returns where it ends, and trusts the caller to have made room (`answerBytesMax`).
 */
// hot path: no allocation

import { ENCODING_PROTO } from '../layout/encoding-codes.ts';
import type { Plan } from '../plan/plan.ts';
import {
  REJECTION_FIELDS,
  REJECTION_FIELDS_BYTES_MAX,
  REJECTION_JSON,
  REJECTION_JSON_BYTES_MAX,
  answerLabels,
  utf8Of,
} from './answer-texts.ts';
import { writeBytes, writeDecimal, writeFixed64, writeVarint } from './wire-write.ts';

export const STATUS_OK = 1;
export const STATUS_DUPLICATE = 2;
export const STATUS_REJECTED = 3;
export const STATUS_RETRY = 4;

const TAG_SEQ = 0x09;
const TAG_STATUS = 0x10;
const TAG_DECISIONS = 0x1a;
const TAG_REJECTIONS = 0x22;
const TAG_RETRY_AFTER_MS = 0x28;
const TAG_EVENTS = 0x30;
const TAG_INDEX = 0x08;

/** seq, status, tag and length of decisions, retry_after_ms, events. */
const PROTO_BYTES_MAX = 9 + 2 + 6 + 6 + 6;
/** The braces, all names, a seq of 20 digits and counts of 10. */
const JSON_BYTES_MAX = 160;

const SEQ_JSON = utf8Of('{"seq":"');
const STATUS_JSON = utf8Of('","status":"');
const EVENTS_JSON = utf8Of('","events":');
const NAME_OF_STATUS = [utf8Of('STATUS_UNSPECIFIED'), utf8Of('OK'), utf8Of('DUPLICATE')];
const REJECTED_JSON = utf8Of('","status":"REJECTED","events":0,"decisions":[],"rejections":[');
const RETRY_JSON = utf8Of('","status":"RETRY","events":0,"retryAfterMs":');
const DECISIONS_JSON = utf8Of(',"decisions":[');
const REJECTIONS_JSON = utf8Of('],"rejections":[');
const INDEX_JSON = utf8Of('{"index":');
const NULL_JSON = utf8Of('null');
const END_JSON = utf8Of(']}');
const COMMA = 0x2c;
const BRACE = 0x7d;
const BRACKET = 0x5d;
const NO_PARTS: RejectionParts = new Map<number, Uint8Array>();
const NO_WARNINGS = new Uint8Array(0);

/** Most bytes that the answer to a frame of `events` events takes, rejections apart. */
export function answerBytesMax(encoding: number, events: number, plan: Plan): number {
  const labels = answerLabels(plan);
  if (encoding !== ENCODING_PROTO) return JSON_BYTES_MAX + events * labels.eventBytesMax;
  return PROTO_BYTES_MAX + events * labels.labels.length * labels.codeBytesMax;
}

/** What some rejections say in particular, by event as `eventOutcome` counts them: REJECTION_FIELDS or REJECTION_JSON otherwise. */
export type RejectionParts = ReadonlyMap<number, Uint8Array>;

/** Most bytes that one rejection without details adds; details add their own. */
export function rejectionBytesMax(encoding: number): number {
  return encoding === ENCODING_PROTO
    ? REJECTION_FIELDS_BYTES_MAX + 9
    : REJECTION_JSON_BYTES_MAX + INDEX_JSON.length + 11;
}

/**
 * The answer to the events [first, first + count) of a block; `status`: STATUS_OK, or STATUS_DUPLICATE for one given again. `actions`: the action column of each decision.
 * `eventRow`: an event's row in the block, -1 for none; `eventOutcome`: 0, or why it was rejected. `warnings`: fields or members to be added.
 */
export function writeAnswerProto(
  out: Uint8Array,
  at: number,
  seqLow: number,
  seqHigh: number,
  actions: readonly Uint16Array[],
  eventRow: Int32Array,
  eventOutcome: Int32Array,
  first: number,
  count: number,
  status: number = STATUS_OK,
  parts: RejectionParts = NO_PARTS,
  warnings: Uint8Array = NO_WARNINGS,
): number {
  let p = writeHead(out, at, seqLow, seqHigh, status);
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
    if (eventOutcome[i] < 0) p = writeRejection(out, p, i - first, parts.get(i) ?? REJECTION_FIELDS[-eventOutcome[i]]);
  }
  if (count !== 0) {
    out[p++] = TAG_EVENTS;
    p = writeVarint(out, p, count);
  }
  return writeBytes(out, p, warnings);
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

function writeHead(out: Uint8Array, at: number, seqLow: number, seqHigh: number, status: number): number {
  let p = at;
  if ((seqLow | seqHigh) !== 0) {
    out[p++] = TAG_SEQ;
    p = writeFixed64(out, p, seqLow, seqHigh);
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
export function writeRejectedFrameProto(
  out: Uint8Array,
  at: number,
  seqLow: number,
  seqHigh: number,
  fields: Uint8Array,
): number {
  return writeRejection(out, writeHead(out, at, seqLow, seqHigh, STATUS_REJECTED), 0, fields);
}

export function writeRetryProto(
  out: Uint8Array,
  at: number,
  seqLow: number,
  seqHigh: number,
  retryAfterMs: number,
): number {
  const p = writeHead(out, at, seqLow, seqHigh, STATUS_RETRY);
  out[p] = TAG_RETRY_AFTER_MS;
  return writeVarint(out, p + 1, retryAfterMs);
}

/** As writeAnswerProto, in JSON. */
export function writeAnswerJson(
  out: Uint8Array,
  at: number,
  seqLow: number,
  seqHigh: number,
  plan: Plan,
  actions: readonly Uint16Array[],
  eventRow: Int32Array,
  eventOutcome: Int32Array,
  first: number,
  count: number,
  status: number = STATUS_OK,
  parts: RejectionParts = NO_PARTS,
  warnings: Uint8Array = NO_WARNINGS,
): number {
  const labels = answerLabels(plan).labels;
  let p = writeBytes(out, writeDecimal(out, writeBytes(out, at, SEQ_JSON), seqLow, seqHigh), STATUS_JSON);
  p = writeBytes(out, writeBytes(out, p, NAME_OF_STATUS[status]), EVENTS_JSON);
  p = writeBytes(out, writeDecimal(out, p, count, 0), DECISIONS_JSON);
  const last = first + count;
  let rejections = 0;
  for (let i = first; i < last; i++) {
    if (i !== first) out[p++] = COMMA;
    if (eventOutcome[i] < 0) rejections++;
    p = writeDecisionsJson(out, p, labels, actions, eventRow[i]);
  }
  p = writeBytes(out, p, REJECTIONS_JSON);
  for (let i = first; i < last && rejections > 0; i++) {
    if (eventOutcome[i] >= 0) continue;
    p = writeRejectionJson(out, p, i - first, parts.get(i) ?? REJECTION_JSON[-eventOutcome[i]]);
    if (--rejections > 0) out[p++] = COMMA;
  }
  out[p++] = BRACKET;
  p = writeBytes(out, p, warnings);
  out[p] = BRACE;
  return p + 1;
}

function writeDecisionsJson(
  out: Uint8Array,
  at: number,
  labels: readonly (readonly Uint8Array[])[],
  actions: readonly Uint16Array[],
  row: number,
): number {
  if (row < 0 || actions.length === 0) return writeBytes(out, at, NULL_JSON);
  let p = at;
  for (let d = 0; d < actions.length; d++) p = writeBytes(out, p, labels[d][actions[d][row]]);
  out[p] = BRACE;
  return p + 1;
}

function writeRejectionJson(out: Uint8Array, at: number, index: number, part: Uint8Array): number {
  return writeBytes(out, writeDecimal(out, writeBytes(out, at, INDEX_JSON), index, 0), part);
}

export function writeRejectedFrameJson(
  out: Uint8Array,
  at: number,
  seqLow: number,
  seqHigh: number,
  part: Uint8Array,
): number {
  const p = writeBytes(out, writeDecimal(out, writeBytes(out, at, SEQ_JSON), seqLow, seqHigh), REJECTED_JSON);
  return writeBytes(out, writeRejectionJson(out, p, 0, part), END_JSON);
}

export function writeRetryJson(
  out: Uint8Array,
  at: number,
  seqLow: number,
  seqHigh: number,
  retryAfterMs: number,
): number {
  let p = writeBytes(out, writeDecimal(out, writeBytes(out, at, SEQ_JSON), seqLow, seqHigh), RETRY_JSON);
  p = writeDecimal(out, p, retryAfterMs, 0);
  out[p] = BRACE;
  return p + 1;
}
