/**
 * Frames in JSON and NDJSON, their events written as the protobuf messages that they stand for. Called by workers for each
 * such frame; convenient, not the hot path.
 *
 *   JSON    {"seq": "12", "events": [{…}, …]} · [{…}, …] · {…}, one event.   seq: decimal text, or a number
 *   NDJSON  one event a line, empty lines apart; a line that is not JSON is refused alone
 */

import { EVENT_MALFORMED, FRAME_MALFORMED, FRAME_TOO_MANY_EVENTS } from '../../base/outcomes.ts';
import { nearest } from '../../base/nearest.ts';
import { FRAME_EVENTS_MAX } from '../../layout/limits.ts';
import { setSeq } from '../../layout/seq.ts';
import type { Plan } from '../../plan/plan.ts';
import { createByteWriter } from '../byte-writer.ts';
import { expectedGot, rejection, shownJson, VALUE_BYTES_MAX, type RejectionDetail } from '../rejection.ts';
import { addUnknownField, clearUnknownFields, unknownText } from '../unknown-fields.ts';
import { createFrameEvents, type FrameEvents } from '../frame-events.ts';
import { utf8Of } from '../answer-texts.ts';
import { takeMessage } from './event.ts';
import type { JsonReading } from './reading.ts';
import { jsonFailure } from './failure.ts';
import { fieldNamed, jsonMessage, type JsonMessage } from './json-message.ts';
import { UINT64, integerWords, readInteger } from './json-number.ts';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  JSON_SYNTAX,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  createJsonCursor,
  leaveValue,
  peek,
  skipValue,
  syntaxError,
  takeKey,
  takeNext,
  takeNumber,
  takeOpening,
  takeString,
  type JsonCursor,
} from './scan.ts';
import { latinOrUtf8, plainString, plainText, resolveText } from './json-text.ts';

/** A frame of ordinary size does not make the buffer grow. */
const CAPACITY = 1 << 16;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const NEWLINE = 0x0a;

const writer = createByteWriter(CAPACITY);
const cursor = createJsonCursor();
const frame = createFrameEvents(false);

type TakeEvents = (r: JsonReading, message: JsonMessage, c: JsonCursor) => number;
type Transcode = (plan: Plan, source: Uint8Array, from: number, end: number) => FrameEvents;

/** The JSON frame source[from, end). */
export function transcodeJson(plan: Plan, source: Uint8Array, from: number, end: number): FrameEvents {
  return transcode(plan, source, from, end, takeWhole);
}

/** The NDJSON frame source[from, end). */
export function transcodeLines(plan: Plan, source: Uint8Array, from: number, end: number): FrameEvents {
  return transcode(plan, source, from, end, takeLines);
}

export function transcodeText(plan: Plan, text: string, transcodeBytes: Transcode): FrameEvents {
  const source = utf8Of(text);
  return transcodeBytes(plan, source, 0, source.length);
}

function transcode(plan: Plan, source: Uint8Array, from: number, end: number, take: TakeEvents): FrameEvents {
  const c = cursor;
  c.bytes = source;
  c.at = from;
  c.end = end;
  c.problem = '';
  restart(source);
  if (BYTE_ORDER_MARK.every((byte, i) => from + i < end && source[from + i] === byte)) c.at += BYTE_ORDER_MARK.length;
  const reading = { w: writer, unknown: frame.unknown, policy: plan.unknownFields ?? 'warn' };
  const outcome = take(reading, jsonMessage(plan.message), c);
  if (outcome === JSON_SYNTAX) refuse(rejection('', '', syntaxText(c, from)));
  else if (outcome < 0) frame.count = outcome;
  frame.bytes = writer.bytes;
  frame.view = writer.view;
  return frame;
}

function restart(source: Uint8Array): void {
  writer.end = 0;
  frame.count = 0;
  frame.problem = null;
  setSeq(frame.seq, 0);
  frame.source = source;
  frame.details.clear();
  clearUnknownFields(frame.unknown);
}

function refuse(problem: RejectionDetail): number {
  frame.count = FRAME_MALFORMED;
  frame.problem = problem;
  return FRAME_MALFORMED;
}

function syntaxText(c: JsonCursor, from: number): string {
  const got = c.problemAt >= c.end ? 'the end' : shownJson(pieceAt(c, c.problemAt, 1));
  return `not JSON: ${c.problem} at byte ${c.problemAt - from}, got ${got}`;
}

/** Bytes from `at` on as a text. */
function pieceAt(c: JsonCursor, at: number, bytesMax: number): string {
  let end = Math.min(c.end, at + bytesMax);
  // Not within a character.
  while (end < c.end && (c.bytes[end] & 0xc0) === 0x80) end++;
  return latinOrUtf8(c.bytes, at, end);
}

function takeLines(r: JsonReading, message: JsonMessage, c: JsonCursor): number {
  const { end } = c;
  for (let at = c.at; at < end;) {
    const found = c.bytes.indexOf(NEWLINE, at);
    const stop = found < 0 || found > end ? end : found;
    c.at = at;
    c.end = stop;
    at = stop + 1;
    if (peek(c) < 0) continue;
    if (frame.count === FRAME_EVENTS_MAX) return FRAME_TOO_MANY_EVENTS;
    takeLine(r, message, c);
  }
  return 0;
}

function takeLine(r: JsonReading, message: JsonMessage, c: JsonCursor): void {
  const i = frame.count;
  const start = c.at;
  if (
    takeEvent(r, message, c) === JSON_SYNTAX ||
    (peek(c) >= 0 && syntaxError(c, 'expected the end of the line') < 0)
  ) {
    frame.count = i + 1;
    frame.outcomes[i] = EVENT_MALFORMED;
    frame.details.set(i, rejection('', '', syntaxText(c, start)));
    writer.end = frame.starts[i];
    frame.ends[i] = frame.starts[i];
  }
  let last = c.end;
  while (last > start && c.bytes[last - 1] <= 0x20) last--;
  frame.sourceStarts[i] = start;
  frame.sourceEnds[i] = last;
}

/** Takes the event that is next. Returns 0 (it may have been refused) or JSON_SYNTAX. */
function takeEvent(r: JsonReading, message: JsonMessage, c: JsonCursor): number {
  const i = frame.count;
  const start = c.at;
  frame.starts[i] = writer.end;
  let outcome = takeMessage(r, message, c);
  if (outcome === JSON_SYNTAX) return outcome;
  if (outcome < 0) {
    writer.end = frame.starts[i];
    const { valueAt } = jsonFailure;
    if (leaveValue(c, start) < 0) return JSON_SYNTAX;
    frame.details.set(i, detailOf(c, valueAt));
  }
  frame.outcomes[i] = outcome;
  frame.ends[i] = writer.end;
  frame.sourceStarts[i] = start;
  frame.sourceEnds[i] = c.at;
  frame.count = i + 1;
  return 0;
}

function detailOf(c: JsonCursor, valueAt: number): RejectionDetail {
  const { path, expected, problem } = jsonFailure;
  const value = valueAt < 0 ? '' : shownValue(c, valueAt);
  if (problem !== '') return rejection(path, value, problem);
  return expectedGot(path, expected, value);
}

/** The value that begins at `at`, cut where it is long. */
function shownValue(c: JsonCursor, at: number): string {
  const after = c.at;
  const ends = leaveValue(c, at) === 0 ? c.at : c.end;
  c.at = after;
  return shownJson(pieceAt(c, at, Math.min(ends - at, VALUE_BYTES_MAX)));
}

function takeWhole(r: JsonReading, message: JsonMessage, c: JsonCursor): number {
  const first = peek(c);
  const begin = c.at;
  let outcome: number;
  if (first === OPEN_BRACKET) outcome = takeEvents(r, message, c);
  else if (first === OPEN_BRACE) outcome = takeObject(r, message, c, begin);
  else if (first < 0) return refuse(rejection('', '', 'the body is empty'));
  else {
    if (skipValue(c) === JSON_SYNTAX) return JSON_SYNTAX;
    return refuse(expectedGot('', 'an event, a list of events or a frame', shownValue(c, begin)));
  }
  if (outcome < 0 || peek(c) < 0) return outcome;
  const isLines = c.bytes[c.at] === OPEN_BRACE;
  return syntaxError(c, `expected the end${isLines ? ' (for one event a line send application/x-ndjson)' : ''}`);
}

/** The list of events whose bracket is next. */
function takeEvents(r: JsonReading, message: JsonMessage, c: JsonCursor): number {
  let more = takeOpening(c, CLOSE_BRACKET);
  while (more > 0) {
    if (frame.count === FRAME_EVENTS_MAX) return FRAME_TOO_MANY_EVENTS;
    if (takeEvent(r, message, c) === JSON_SYNTAX) return JSON_SYNTAX;
    more = takeNext(c, CLOSE_BRACKET);
  }
  return more;
}

/** What an object at the top of a body has been found to be. */
interface Top {
  /** Where the list of events began, -1: none. */
  eventsAt: number;
  /** `events`, but no list. */
  notList: number;
  /** Where `seq` stands, -1: none. */
  seqAt: number;
  /** Other keys: names of them, and whether one is a field of an event. */
  readonly others: string[];
  fields: number;
}

/** A frame, or one event: which of them is known when all keys have been seen. */
function takeObject(r: JsonReading, message: JsonMessage, c: JsonCursor, begin: number): number {
  const top: Top = { eventsAt: -1, notList: -1, seqAt: -1, others: [], fields: 0 };
  const outcome = takeTopKeys(r, message, c, top);
  if (outcome < 0) return outcome;
  const hasEventsField = message.fields.some(({ field }) => field.name === 'events' || field.jsonName === 'events');
  // An object with `events` is a frame, unless that is what the pipeline's message calls a field and there is more in it.
  const isFrame = top.eventsAt >= 0 && (!hasEventsField || top.others.length === 0);
  if (isFrame) return finishFrame(r, c, top);
  const problem = topProblem(c, top, hasEventsField);
  if (problem !== null) return refuse(problem);
  restart(c.bytes);
  c.at = begin;
  return takeEvent(r, message, c);
}

function takeTopKeys(r: JsonReading, message: JsonMessage, c: JsonCursor, top: Top): number {
  let more = takeOpening(c, CLOSE_BRACE);
  while (more > 0) {
    if (takeKey(c) === JSON_SYNTAX) return JSON_SYNTAX;
    const name = resolveText(c) ? plainString() : '';
    let outcome = 0;
    if (name === 'events' && c.bytes[c.at] === OPEN_BRACKET && c.at < c.end) {
      if (top.eventsAt >= 0) return refuse(rejection('events', '', 'events: given twice'));
      top.eventsAt = c.at;
      outcome = takeEvents(r, message, c);
    } else {
      if (name === 'events') top.notList = c.at;
      else if (name === 'seq') {
        if (top.seqAt >= 0) return refuse(rejection('seq', '', 'seq: given twice'));
        top.seqAt = c.at;
      } else if (top.others.length < OTHERS_MAX) top.others.push(name);
      if (fieldNamed(message, plainText.bytes, plainText.start, plainText.end) !== null) top.fields++;
      outcome = skipValue(c);
      if (outcome < 0 && outcome !== JSON_SYNTAX) outcome = 0;
    }
    if (outcome < 0) return outcome;
    more = takeNext(c, CLOSE_BRACE);
  }
  return more;
}

const OTHERS_MAX = 8;
const FRAME_KEYS: readonly string[] = ['seq', 'events'];

/** What is wrong with an object that is neither a frame nor, by any of its keys, an event; null: nothing. */
function topProblem(c: JsonCursor, top: Top, hasEventsField: boolean): RejectionDetail | null {
  if (hasEventsField || top.fields > 0) return null;
  if (top.notList >= 0) return expectedGot('events', 'a list of events', shownValue(c, top.notList));
  if (top.others.length === 0) return null;
  const [name] = top.others;
  const meant = nearest(name, FRAME_KEYS) ?? '';
  const why = 'a frame is {"seq": …, "events": […]}, and no key here is a field of an event';
  return rejection(name, '', `${unknownText(name, meant)} (${why})`);
}

function finishFrame(r: JsonReading, c: JsonCursor, { seqAt, others }: Top): number {
  for (const name of others) {
    if (r.policy === 'ignore') continue;
    if (r.policy === 'reject')
      return refuse(rejection(name, '', `the frame has a key that frames do not have: ${name}; it has seq and events`));
    addUnknownField(r.unknown, name, () => FRAME_KEYS);
  }
  if (seqAt < 0) return 0;
  const behind = c.at;
  c.at = seqAt;
  const isSeq = takeSeq(c);
  c.at = behind;
  if (isSeq) return 0;
  return refuse(expectedGot('seq', 'a number from 1 to 2^64 - 1, as a number or as a text', shownValue(c, seqAt)));
}

/** Takes the sequence number that is next; null is none. */
function takeSeq(c: JsonCursor): boolean {
  const b = c.bytes[c.at];
  if (b === 0x6e) return true;
  const taken = b === QUOTE ? takeString(c) : b >= 0x30 && b <= 0x39 ? takeNumber(c) : JSON_SYNTAX;
  // Digits alone: ingress reads it, too, and knows no other form.
  for (let p = c.textStart; p < c.textEnd; p++) if (c.bytes[p] < 0x30 || c.bytes[p] > 0x39) return false;
  if (taken < 0 || readInteger(c.bytes, c.textStart, c.textEnd, UINT64) < 0) return false;
  frame.seq.low = integerWords.low >>> 0;
  frame.seq.high = integerWords.high >>> 0;
  return true;
}
