/**
 * Frames in JSON and NDJSON, their events written as the protobuf messages that they stand for. Called by workers for each
 * such frame; convenient, not the hot path.
 *
 *   JSON    {"seq": "12", "events": [{…}, …]} · [{…}, …] · {…}, one event.   seq: decimal text, or a number below 2^53
 *   NDJSON  one event a line, empty lines apart; a line that is not JSON is refused alone
 */

import { EVENT_MALFORMED, FRAME_MALFORMED, FRAME_TOO_MANY_EVENTS } from '../base/outcomes.ts';
import { FRAME_EVENTS_MAX } from '../layout/limits.ts';
import type { Plan } from '../layout/plan.ts';
import { ENCODING_NDJSON } from '../layout/records.ts';
import { createByteWriter } from './byte-writer.ts';
import { fieldsByName, transcodeEvent } from './json-event.ts';
import { elementRanges, memberStart, skipSpace } from './json-text.ts';

/** Valid until the thread's next transcodeFrame. */
export interface JsonFrame {
  /** Number of events, or FRAME_MALFORMED or FRAME_TOO_MANY_EVENTS. */
  readonly count: number;
  /** 0 where the frame has none. */
  readonly seqLow: number;
  readonly seqHigh: number;
  /** 0, or why event i is refused; otherwise it is bytes[starts[i], ends[i]). */
  readonly outcomes: Int32Array;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly unknownFields: number;
  /** Event i as it came. */
  source(i: number): string;
}

/** A frame of ordinary size does not make the buffer grow. */
const CAPACITY = 1 << 16;
const SEQ = /^(0|[1-9][0-9]{0,19})$/;

const writer = createByteWriter(CAPACITY);
const starts = new Int32Array(FRAME_EVENTS_MAX);
const ends = new Int32Array(FRAME_EVENTS_MAX);
const outcomes = new Int32Array(FRAME_EVENTS_MAX);

export function transcodeFrame(plan: Plan, text: string, encoding: number): JsonFrame {
  writer.end = 0;
  return encoding === ENCODING_NDJSON ? transcodeLines(plan, text) : transcodeText(plan, text);
}

function frameOf(count: number, seq: bigint, unknownFields: number, source: (i: number) => string): JsonFrame {
  const { bytes, view } = writer;
  const seqLow = Number(seq & 0xffffffffn);
  const seqHigh = Number(seq >> 32n);
  return { count, seqLow, seqHigh, outcomes, bytes, view, starts, ends, unknownFields, source };
}

function refused(outcome: number, text: string): JsonFrame {
  return frameOf(outcome, 0n, 0, () => text);
}

function transcodeLines(plan: Plan, text: string): JsonFrame {
  const counters = { unknownFields: 0 };
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    if (lines.length === FRAME_EVENTS_MAX) return refused(FRAME_TOO_MANY_EVENTS, text);
    const parsed = parse(line);
    transcodeOne(plan, lines.length, parsed === null ? EVENT_MALFORMED : 0, parsed?.value, counters);
    lines.push(line.trim());
  }
  return frameOf(lines.length, 0n, counters.unknownFields, (i) => lines[i]);
}

function transcodeText(plan: Plan, text: string): JsonFrame {
  const parsed = parse(text);
  if (parsed === null || typeof parsed.value !== 'object' || parsed.value === null)
    return refused(FRAME_MALFORMED, text);
  const { value } = parsed;
  const isFrame = !Array.isArray(value) && isFrameObject(plan, value);
  const seq = isFrame ? seqOf((value as { seq?: unknown }).seq) : 0n;
  if (seq === null) return refused(FRAME_MALFORMED, text);
  const list: unknown = isFrame ? (value as { events?: unknown }).events : value;
  const events: readonly unknown[] = Array.isArray(list) ? list : [list];
  if (events.length > FRAME_EVENTS_MAX) return refused(FRAME_TOO_MANY_EVENTS, text);
  const counters = { unknownFields: 0 };
  for (let i = 0; i < events.length; i++) transcodeOne(plan, i, 0, events[i], counters);
  let ranges: readonly (readonly [number, number])[] | null = null;
  return frameOf(events.length, seq, counters.unknownFields, (i) => {
    if (!Array.isArray(list)) return text;
    const begin = skipSpace(text, 0);
    ranges ??= elementRanges(text, isFrame ? memberStart(text, begin, 'events') : begin);
    return text.slice(...ranges[i]);
  });
}

function parse(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

/** An object with `events` is a frame, unless that is what the pipeline's message calls a field and there is more in it. */
function isFrameObject(plan: Plan, value: object): boolean {
  if (!Array.isArray((value as { events?: unknown }).events)) return false;
  return (
    !fieldsByName(plan.message).has('events') || Object.keys(value).every((key) => key === 'seq' || key === 'events')
  );
}

/** null where it is no sequence number. */
function seqOf(value: unknown): bigint | null {
  if (value === undefined || value === null) return 0n;
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : null;
  if (typeof value !== 'string' || !SEQ.test(value)) return null;
  const seq = BigInt(value);
  return seq < 2n ** 64n ? seq : null;
}

function transcodeOne(
  plan: Plan,
  i: number,
  outcome: number,
  value: unknown,
  counters: { unknownFields: number },
): void {
  starts[i] = writer.end;
  outcomes[i] = outcome === 0 ? transcodeEvent(plan.message, value, writer, counters) : outcome;
  if (outcomes[i] < 0) writer.end = starts[i];
  ends[i] = writer.end;
}
