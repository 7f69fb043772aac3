/**
 * Takes a JSON or NDJSON frame into the block: the events are first written as the protobuf messages that they stand for, so
 * that there is one way into the columns. Called by take-frame.ts; not the hot path.
 */

import { EVENT_DUPLICATE, FRAME_MALFORMED } from '../base/outcomes.ts';
import { transcodeFrame, type JsonFrame } from '../codec/json-frame.ts';
import { SEQ_TAKEN } from '../state/producers.ts';
import type { Decider } from './decider.ts';
import type { Session } from './sessions.ts';
import { closeFrame, dedupOf, frameOutcome, refuse, rejectFrame, repeatFrame, takeEvent } from './frame-steps.ts';

/** `seqLow`, `seqHigh`: from the connection or the request's header; where 0, the frame's own `seq` counts. */
export function takeJsonFrame(
  d: Decider,
  session: Session,
  bytes: Uint8Array,
  from: number,
  end: number,
  headerLow: number,
  headerHigh: number,
): void {
  const frame = readJson(d, session, bytes, from, end);
  const own = frame !== null && (headerLow | headerHigh) === 0;
  const seqLow = own ? frame.seqLow : headerLow;
  const seqHigh = own ? frame.seqHigh : headerHigh;
  const outcome = frameOutcome(d, session, frame === null ? FRAME_MALFORMED : frame.count, seqLow, seqHigh);
  if (frame === null || outcome < 0) rejectFrame(d, session, bytes, from, end, seqLow, seqHigh, outcome);
  else if (outcome === SEQ_TAKEN) repeatFrame(d, session, seqLow, seqHigh, frame.count);
  else takeEvents(d, session, frame, seqLow, seqHigh);
}

/** null where the bytes are not UTF-8. */
function readJson(d: Decider, session: Session, bytes: Uint8Array, from: number, end: number): JsonFrame | null {
  let text: string;
  try {
    text = d.input.textOf(bytes, from, end);
  } catch {
    return null;
  }
  return transcodeFrame(d.input.plan, text, session.encoding);
}

function takeEvents(d: Decider, session: Session, frame: JsonFrame, seqLow: number, seqHigh: number): void {
  const dedup = dedupOf(session);
  const first = d.answers.events;
  let dead = 0;
  let duplicates = 0;
  for (let i = 0; i < frame.count; i++) {
    const { bytes, view, starts, ends } = frame;
    let outcome = frame.outcomes[i];
    if (outcome === 0) outcome = takeEvent(d, session, bytes, view, starts[i], ends[i], seqLow, seqHigh, i, dedup);
    d.answers.eventOutcome[first + i] = outcome;
    d.answers.eventRow[first + i] = outcome < 0 ? -1 : d.rows - 1;
    if (outcome === EVENT_DUPLICATE) duplicates++;
    else if (outcome < 0) {
      dead++;
      const source = d.input.utf8(frame.source(i));
      refuse(d, session, source, 0, source.length, seqLow, seqHigh, i, outcome);
    }
  }
  closeFrame(d, session, seqLow, seqHigh, frame.count, duplicates, dead);
}
