/**
 * Takes one frame into the block: sequence number, events into rows, what is refused into the dead letters, and an entry
 * for its answer. Called by run.ts for each FRAME record, after the epoch has been joined.
 */
// hot path: no allocation

import { EVENT_DUPLICATE } from '../base/outcomes.ts';
import { readFrame } from '../codec/frame.ts';
import { ENCODING_PROTO } from '../layout/encoding-codes.ts';
import { FRAME_BODY_AT, readAdmittedAt, readFrameSeq } from '../layout/frame-record.ts';
import { SEQ_TAKEN } from '../state/producers.ts';
import type { Decider } from './decider.ts';
import { closeFrame, dedupOf, frameOutcome, refuse, rejectFrame, repeatFrame, takeEvent } from './frame-steps.ts';
import { noteEventDetail, noteFrameFields, noteUnknownFields } from './refuse.ts';
import type { Session } from './sessions.ts';
import { takeJsonFrame } from './take-json-frame.ts';

/** The FRAME record's payload is bytes[at, end) of a frame lane. */
export function takeFrame(
  d: Decider,
  session: Session,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
): void {
  readFrameSeq(view, at, d.seq);
  const { low: seqLow, high: seqHigh } = d.seq;
  const admittedAt = readAdmittedAt(view, at);
  if (d.admittedAt === 0 || admittedAt < d.admittedAt) d.admittedAt = admittedAt;
  d.frameBytes += end - at;
  const body = at + FRAME_BODY_AT;
  if (session.encoding !== ENCODING_PROTO) {
    takeJsonFrame(d, session, bytes, body, end);
    return;
  }
  const count = readFrame(bytes, view, body, end, d.cursor);
  const outcome = frameOutcome(d, session, count, seqLow, seqHigh);
  if (outcome < 0) {
    rejectFrame(d, session, bytes, body, end, seqLow, seqHigh, outcome, null);
    return;
  }
  if (outcome === SEQ_TAKEN) {
    repeatFrame(d, session, seqLow, seqHigh, count);
    return;
  }
  if (d.cursor.unknownFields !== 0) noteFrameFields(d, bytes, body, end);
  takeEvents(d, session, bytes, view, seqLow, seqHigh, count);
}

function takeEvents(
  d: Decider,
  session: Session,
  bytes: Uint8Array,
  view: DataView,
  seqLow: number,
  seqHigh: number,
  count: number,
): void {
  const { starts, ends } = d.cursor;
  const dedup = dedupOf(session);
  const first = d.answers.events;
  let dead = 0;
  let duplicates = 0;
  for (let i = 0; i < count; i++) {
    const known = d.decoder.unknownFields;
    const outcome = takeEvent(d, session, bytes, view, starts[i], ends[i], seqLow, seqHigh, i, dedup);
    d.answers.eventOutcome[first + i] = outcome;
    d.answers.eventRow[first + i] = outcome < 0 ? -1 : d.rows - 1;
    if (d.decoder.unknownFields !== known)
      noteUnknownFields(d, bytes, starts[i], ends[i], d.decoder.unknownFields - known);
    if (outcome === EVENT_DUPLICATE) duplicates++;
    else if (outcome < 0) {
      dead++;
      const detail = noteEventDetail(d, session, bytes, view, starts[i], ends[i], i, outcome);
      refuse(d, session, bytes, starts[i], ends[i] - starts[i], seqLow, seqHigh, i, outcome, detail);
    }
  }
  closeFrame(d, session, seqLow, seqHigh, count, duplicates, dead, d.unknown);
}
