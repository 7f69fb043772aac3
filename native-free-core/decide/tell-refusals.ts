/**
 * What is refused, in words: which field, which value, where; for the answer and for the dead letters. Runs on the worker,
 * for each event or frame that is refused and for the first few with unknown fields, so it may take its time.
 */

import { WORD } from '../base/words.ts';
import { KINDS } from '../language/kinds/index.ts';
import {
  EVENT_DICTIONARY_FULL,
  EVENT_DUPLICATE,
  EVENT_NO_KEY,
  EVENT_NO_TIME,
  EVENT_TIME_TOO_NEW,
  EVENT_TIME_TOO_OLD,
  FRAME_MALFORMED,
  FRAME_SEQ_MISSING,
  FRAME_SEQ_TOO_OLD,
  outcomeText,
} from '../base/outcomes.ts';
import { expectedGot, packDetail, placed, rejection, type RejectionDetail } from '../codec/rejection.ts';
import type { UnknownFields } from '../codec/unknown-fields.ts';
import { walkMessage } from '../codec/walk-event.ts';
import { FRAME_DETAIL_BYTES_MAX } from '../columns/block-logs.ts';
import type { AnswerEncoding } from '../encodings/encoding.ts';
import { encodingOf } from '../encodings/index.ts';
import { seqNumber } from '../layout/seq.ts';
import { fieldPath } from '../plan/field-path.ts';
import { findEntry } from '../state/dictionary.ts';
import type { Decider } from './decider.ts';
import type { TakenFrame } from './taken-frame.ts';

/** Events of one frame whose unknown fields are named; those of the rest are counted. */
const WALKED_MAX = 16;

/** One event as the decoder reads it: bytes[start, end). */
interface EventBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
}

/** Less than this is no room for another rejection's words. */
const DETAIL_ROOM = 4096;

/** A frame of refusals is told of up to a bound; the rest have their codes. */
function isToldEnough({ block }: Decider): boolean {
  return block.answers.frameDetailBytes > FRAME_DETAIL_BYTES_MAX - DETAIL_ROOM;
}

/** Why an event of the frame is refused, into the frame's answer; returns the same for its dead letter. */
export function noteEventDetail(d: Decider, index: number, outcome: number): Uint8Array | undefined {
  if (isToldEnough(d)) return undefined;
  const { bytes, view, starts, ends, details } = d.frame.events;
  const detail =
    details.get(index) ??
    describeEvent(d, { bytes, view, start: starts[index], end: ends[index] }, outcome) ??
    fixed(outcome);
  return noteDetail(d, d.block.answers.events + index, outcome, placed(detail, index));
}

/** The same of a frame that is refused whole: bytes[from, end). */
export function noteFrameDetail(d: Decider, bytes: Uint8Array, from: number, end: number, outcome: number): Uint8Array {
  const detail = d.frame.events.problem ?? describeFrame(d.frame, bytes, from, end, outcome);
  return noteDetail(d, -1 - d.block.answers.count, outcome, detail);
}

function noteDetail(d: Decider, slot: number, outcome: number, detail: RejectionDetail): Uint8Array {
  const { answers } = d.block;
  const part = answersOf(d.frame).rejectionOf(outcome, detail);
  answers.frameDetailBytes += part.length;
  answers.details.set(slot, part);
  return packDetail(detail);
}

function answersOf({ session }: TakenFrame): AnswerEncoding {
  return encodingOf(session.answerEncoding).answers;
}

function fixed(outcome: number): RejectionDetail {
  return rejection('', '', outcomeText(outcome).text);
}

/** What is wrong with an event that was refused; null: its code says all that is known. */
export function describeEvent(d: Decider, event: EventBytes, outcome: number): RejectionDetail | null {
  const { plan } = d.input;
  switch (outcome) {
    case EVENT_DUPLICATE:
      return null;
    case EVENT_NO_TIME:
      return expectedGot(fieldPath(plan, plan.system.eventTime), 'a time', 'none');
    case EVENT_TIME_TOO_OLD:
    case EVENT_TIME_TOO_NEW:
      return describeTime(d, event, outcome);
    case EVENT_NO_KEY:
      return describeKey(d);
    default:
      return walk(d, event.bytes, event.start, event.end, outcome, null);
  }
}

function walk(
  d: Decider,
  bytes: Uint8Array,
  start: number,
  end: number,
  outcome: number,
  unknown: UnknownFields | null,
): RejectionDetail | null {
  const { plan, tables } = d.input;
  const full = outcome === EVENT_DICTIONARY_FULL;
  return walkMessage(
    {
      bytes,
      begin: start,
      policy: plan.unknownFields ?? 'warn',
      unknown,
      isInDictionary: (column, from, length) =>
        !full || !KINDS[plan.columns[column].kind].isInterned || findEntry(tables.dictionary, bytes, from, length) > 0,
    },
    plan.message,
    '',
    start,
    end,
  );
}

function describeTime(d: Decider, { bytes, view, start, end }: EventBytes, outcome: number): RejectionDetail {
  const { plan } = d.input;
  const { decoder, validator } = d.loops;
  const { eventTime } = validator;
  const row = d.block.rows;
  decoder.decodeEvent(bytes, view, start, end, row);
  const at = eventTime.u32[2 * row] + eventTime.i32[2 * row + 1] * WORD;
  decoder.clearRow(row);
  const field = fieldPath(plan, plan.system.eventTime);
  const { receivedAt } = d.block.ticket;
  const expected =
    outcome === EVENT_TIME_TOO_NEW
      ? `a time up to ${timeText(receivedAt + plan.acceptMaxFutureMs)} (accept.max_future)`
      : `a time from ${timeText(Math.max(0, receivedAt - plan.acceptMaxAgeMs))} on (accept.max_age, and not before 1970)`;
  return expectedGot(field, expected, timeText(at));
}

/** What JavaScript's own dates cannot say stays a number. */
function timeText(milliseconds: number): string {
  return Math.abs(milliseconds) <= 8.64e15 ? new Date(milliseconds).toISOString() : `${milliseconds} ms since 1970`;
}

function describeKey(d: Decider): RejectionDetail {
  const { entities } = d.input.plan;
  const { name, keyTexts } = entities[d.loops.state.primary];
  const fields = keyTexts.map((text) => text.replace(/^event\./, '')).join(', ');
  return rejection(
    fields,
    '',
    `${fields}: expected the key of ${name}, the primary entity, got none (0 and "" are none)`,
  );
}

/** What is wrong with a frame that was refused whole, and whose reader has not said so. */
function describeFrame(
  { session, entry }: TakenFrame,
  bytes: Uint8Array,
  from: number,
  end: number,
  outcome: number,
): RejectionDetail {
  const seq = seqNumber(entry.seq);
  if (outcome === FRAME_SEQ_TOO_OLD || (outcome === FRAME_SEQ_MISSING && seq > 0))
    return rejection(
      'seq',
      String(seq),
      `seq: ${outcome === FRAME_SEQ_MISSING ? 'expected a number below 2^53' : outcomeText(outcome).text}, got ${seq}`,
    );
  const { describeFrame: describe } = encodingOf(session.encoding).frames;
  return (outcome === FRAME_MALFORMED ? describe(bytes, from, end) : null) ?? fixed(outcome);
}

/** Notes the fields of an event of the frame that the message does not have; `count` of them were skipped. */
export function noteUnknownFields(d: Decider, index: number, count: number): void {
  const { frame } = d;
  const { bytes, starts, ends, unknown } = frame.events;
  const before = unknown.count;
  const isNamed = d.input.plan.unknownFields !== 'ignore' && frame.unknownWalked++ < WALKED_MAX;
  if (isNamed) walk(d, bytes, starts[index], ends[index], 0, unknown);
  unknown.count = before + count;
}

/** Counts the unknown fields of the frame for the ledger, and puts their names into its answer. */
export function warn(d: Decider): void {
  const { block, frame } = d;
  const { unknown } = frame.events;
  block.unknownFields += unknown.count;
  if (d.input.plan.unknownFields !== 'ignore')
    block.answers.warnings.set(block.answers.count, answersOf(frame).warningsOf(unknown));
}
