/**
 * Takes a JSON or NDJSON frame into the block: the events are first written as the protobuf messages that they stand for, so
 * that there is one way into the columns. Called by take-frame.ts; not the hot path.
 */

import { EVENT_DUPLICATE } from '../base/outcomes.ts';
import { transcodeFrame, type JsonFrame } from '../codec/json/frame.ts';
import { copySeq, hasSeq } from '../layout/seq.ts';
import { SEQ_TAKEN } from '../state/producers.ts';
import type { Decider } from './decider.ts';
import { noteJsonDetail } from './refuse.ts';
import type { Session } from './sessions.ts';
import { closeFrame, dedupOf, frameOutcome, refuse, rejectFrame, repeatFrame, takeEvent } from './frame-steps.ts';

/** Where neither the connection nor the request's header has said a seq, the frame's own counts. */
export function takeJsonFrame(d: Decider, session: Session, bytes: Uint8Array, from: number, end: number): void {
  const frame = transcodeFrame(d.input.plan, bytes, from, end, session.encoding);
  if (!hasSeq(d.seq)) copySeq(d.seq, frame.seq);
  const { low: seqLow, high: seqHigh } = d.seq;
  const outcome = frameOutcome(d, session, frame.count, seqLow, seqHigh);
  if (outcome < 0) rejectFrame(d, session, bytes, from, end, seqLow, seqHigh, outcome, frame.problem);
  else if (outcome === SEQ_TAKEN) repeatFrame(d, session, seqLow, seqHigh, frame.count);
  else takeEvents(d, session, frame, seqLow, seqHigh);
}

function takeEvents(d: Decider, session: Session, frame: JsonFrame, seqLow: number, seqHigh: number): void {
  const dedup = dedupOf(session);
  const first = d.answers.events;
  const { bytes, view, starts, ends } = frame;
  let dead = 0;
  let duplicates = 0;
  for (let i = 0; i < frame.count; i++) {
    let outcome = frame.outcomes[i];
    if (outcome === 0) outcome = takeEvent(d, session, bytes, view, starts[i], ends[i], seqLow, seqHigh, i, dedup);
    d.answers.eventOutcome[first + i] = outcome;
    d.answers.eventRow[first + i] = outcome < 0 ? -1 : d.rows - 1;
    if (outcome === EVENT_DUPLICATE) duplicates++;
    else if (outcome < 0) {
      dead++;
      const { source, sourceStarts, sourceEnds } = frame;
      const detail = noteJsonDetail(d, session, frame, i, outcome);
      const length = sourceEnds[i] - sourceStarts[i];
      refuse(d, session, source, sourceStarts[i], length, seqLow, seqHigh, i, outcome, detail);
    }
  }
  closeFrame(d, session, seqLow, seqHigh, frame.count, duplicates, dead, frame.unknown);
}
