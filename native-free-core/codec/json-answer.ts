/**
 * Answers in JSON, where decisions stand by name:
 *
 *   {"seq":"12","status":"OK","events":2,"decisions":[{"assistance":"hint","trust":null},null],
 *    "rejections":[{"index":1,"code":"no_key","text":"…","field":"player_id"}],"warnings":[…],"eventsInFlight":6144}
 *
 * Every function writes at `at`, returns where it ends, and trusts the caller to have made room.
 */
// hot path: no allocation

import type { Seq } from '../layout/seq.ts';
import type { Plan } from '../plan/plan.ts';
import type { AnswerContent } from './answer.ts';
import { answerLabels, REJECTION_JSON, REJECTION_JSON_BYTES_MAX, utf8Of } from './answer-texts.ts';
import { writeBytes, writeDecimal } from './wire-write.ts';

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
const CREDIT_JSON = utf8Of(',"eventsInFlight":');
const COMMA = 0x2c;
const BRACE = 0x7d;
const BRACKET = 0x5d;

/** Most bytes that one rejection without details adds; details add their own. */
export const JSON_REJECTION_BYTES_MAX = REJECTION_JSON_BYTES_MAX + INDEX_JSON.length + 11;

/** Most bytes that the answer to a frame of `events` events takes, rejections apart. */
export function jsonAnswerBytesMax(events: number, plan: Plan): number {
  return JSON_BYTES_MAX + events * answerLabels(plan).eventBytesMax;
}

export function writeAnswerJson(out: Uint8Array, at: number, answer: AnswerContent): number {
  const { actions, eventRow, eventOutcome, first, count } = answer;
  const labels = answerLabels(answer.plan).labels;
  let p = writeBytes(
    out,
    writeDecimal(out, writeBytes(out, at, SEQ_JSON), answer.seq.low, answer.seq.high),
    STATUS_JSON,
  );
  p = writeBytes(out, writeBytes(out, p, NAME_OF_STATUS[answer.status]), EVENTS_JSON);
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
    p = writeRejectionJson(out, p, i - first, answer.parts.get(i) ?? REJECTION_JSON[-eventOutcome[i]]);
    if (--rejections > 0) out[p++] = COMMA;
  }
  out[p++] = BRACKET;
  p = writeBytes(out, p, answer.warnings);
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

/** `part`: of REJECTION_JSON, or that of a rejection in particular. */
export function writeRejectedFrameJson(out: Uint8Array, at: number, seq: Seq, part: Uint8Array): number {
  const p = writeBytes(out, writeDecimal(out, writeBytes(out, at, SEQ_JSON), seq.low, seq.high), REJECTED_JSON);
  return writeBytes(out, writeRejectionJson(out, p, 0, part), END_JSON);
}

export function writeRetryJson(out: Uint8Array, at: number, seq: Seq, retryAfterMs: number): number {
  let p = writeBytes(out, writeDecimal(out, writeBytes(out, at, SEQ_JSON), seq.low, seq.high), RETRY_JSON);
  p = writeDecimal(out, p, retryAfterMs, 0);
  out[p] = BRACE;
  return p + 1;
}

/** Adds the credit to the answer that ends at `end`, in front of its last brace. */
export function addCreditJson(out: Uint8Array, end: number, eventsInFlight: number): number {
  const p = writeDecimal(out, writeBytes(out, end - 1, CREDIT_JSON), eventsInFlight, 0);
  out[p] = BRACE;
  return p + 1;
}
