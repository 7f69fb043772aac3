/**
 * Takes one frame into the block: sequence number, events into rows, what is refused into the dead letters, its line in the
 * ledger, and an entry for its answer. Called by run.ts for each FRAME record, after the epoch has been joined.
 */
// hot path: no allocation

import { EVENT_DUPLICATE } from '../base/outcomes.ts';
import type { FrameEvents } from '../codec/frame-events.ts';
import { appendDeadLetter, appendFrame } from '../columns/block-logs.ts';
import { encodingOf } from '../encodings/index.ts';
import { DEAD_WHOLE_FRAME } from '../layout/dead-letter-entry.ts';
import { FRAME_DEDUP, FRAME_DUPLICATE, FRAME_HAS_SEQ, FRAME_REJECTED } from '../layout/frame-entry.ts';
import { FRAME_BODY_AT, readAdmittedAt, readFrameSeq } from '../layout/frame-record.ts';
import type { RecordBytes } from '../layout/record-kinds.ts';
import { copySeq, hasSeq } from '../layout/seq.ts';
import { SEQ_TAKEN } from '../state/producers.ts';
import { claimSeq } from './claim-seq.ts';
import type { Decider } from './decider.ts';
import { ANSWER_OK, ANSWER_REJECTED, ANSWER_REPEAT, addFrameAnswer } from './frame-answers.ts';
import { keepsLetter } from './letter-share.ts';
import type { Session } from './sessions.ts';
import { beginFrame } from './taken-frame.ts';
import { noteEventDetail, noteFrameDetail, noteUnknownFields, warn } from './tell-refusals.ts';
import { fillSystemColumns, validateRow } from './validate.ts';

/** The FRAME record's payload is [at, end) of a frame lane. */
export function takeFrame(d: Decider, session: Session, lane: RecordBytes, at: number, end: number): void {
  const { bytes, view } = lane;
  const { block, frame } = d;
  const { entry } = frame;
  const admittedAt = readAdmittedAt(view, at);
  if (block.admittedAt === 0 || admittedAt < block.admittedAt) block.admittedAt = admittedAt;
  if (admittedAt > block.newestAt) block.newestAt = admittedAt;
  block.frameBytes += end - at;
  const from = at + FRAME_BODY_AT;
  const events = encodingOf(session.encoding).frames.readFrame(d.input.plan, bytes, view, from, end);
  beginFrame(frame, session, events);
  readFrameSeq(view, at, entry.seq);
  // Where neither the connection nor the request's header has said a seq, the frame's own counts.
  if (!hasSeq(entry.seq)) copySeq(entry.seq, events.seq);
  const outcome = claimSeq(d);
  if (outcome < 0) rejectFrame(d, bytes, from, end, outcome);
  else if (outcome === SEQ_TAKEN) repeatFrame(d);
  else takeEvents(d);
}

function rejectFrame(d: Decider, bytes: Uint8Array, from: number, end: number, outcome: number): void {
  const { block, frame } = d;
  const detail = noteFrameDetail(d, bytes, from, end, outcome);
  frame.letter.index = DEAD_WHOLE_FRAME;
  frame.letter.length = end - from;
  keepLetter(d, bytes, from, outcome, detail);
  frame.entry.flags |= FRAME_REJECTED;
  appendFrame(block.frames, frame.entry);
  addFrameAnswer(block.answers, frame.session, ANSWER_REJECTED, frame.entry, outcome);
}

/** A sequence number that was taken before: nothing changes, and the original decisions are looked up. */
function repeatFrame(d: Decider): void {
  const { block, frame } = d;
  const { entry, events } = frame;
  entry.flags |= FRAME_DUPLICATE | FRAME_HAS_SEQ;
  entry.received = events.count;
  entry.duplicates = events.count;
  appendFrame(block.frames, entry);
  addFrameAnswer(block.answers, frame.session, ANSWER_REPEAT, entry, 0);
}

function takeEvents(d: Decider): void {
  const { block, frame } = d;
  const { entry, events } = frame;
  const { decoder } = d.loops;
  const { answers } = block;
  const { count } = events;
  const first = answers.events;
  for (let i = 0; i < count; i++) {
    const known = decoder.unknownFields;
    let outcome = events.outcomes[i];
    if (outcome === 0) outcome = takeEvent(d, events, i);
    answers.eventOutcome[first + i] = outcome;
    answers.eventRow[first + i] = outcome < 0 ? -1 : block.rows - 1;
    if (decoder.unknownFields !== known) noteUnknownFields(d, i, decoder.unknownFields - known);
    if (outcome === EVENT_DUPLICATE) entry.duplicates++;
    else if (outcome < 0) refuseEvent(d, i, outcome);
  }
  entry.received = count;
  entry.accepted = count - entry.duplicates - entry.dead;
  entry.flags |= (entry.producer === 0 ? 0 : FRAME_HAS_SEQ) | (frame.dedup ? FRAME_DEDUP : 0);
  appendFrame(block.frames, entry);
  if (events.unknown.count !== 0) warn(d);
  addFrameAnswer(answers, frame.session, ANSWER_OK, entry, 0);
}

/** Decodes and checks one event; the next row is its own where it stands. Returns 0 or why it does not. */
export function takeEvent(d: Decider, events: FrameEvents, index: number): number {
  const { block, frame, loops } = d;
  const row = block.rows;
  const { receivedAt } = block.ticket;
  const { decoder, validator } = loops;
  let outcome = decoder.decodeEvent(events.bytes, events.view, events.starts[index], events.ends[index], row);
  if (outcome === 0) outcome = validateRow(validator, row, receivedAt, frame.dedup);
  if (outcome < 0) {
    decoder.clearRow(row);
    return outcome;
  }
  fillSystemColumns(validator, row, receivedAt, frame.entry, index);
  block.rows = row + 1;
  return 0;
}

function refuseEvent(d: Decider, index: number, outcome: number): void {
  const { events, entry, letter } = d.frame;
  const detail = noteEventDetail(d, index, outcome);
  const from = events.sourceStarts[index];
  entry.dead++;
  letter.index = index;
  letter.length = events.sourceEnds[index] - from;
  keepLetter(d, events.source, from, outcome, detail);
}

/**
 * Keeps the bytes of what was refused, as long as its producer has not had too much kept; the ledger counts it in any case.
 */
function keepLetter(
  d: Decider,
  bytes: Uint8Array,
  from: number,
  outcome: number,
  detail: Uint8Array | undefined,
): void {
  const { block, frame } = d;
  const { letter, entry, session } = frame;
  const { producers } = d.input.tables;
  if (!keepsLetter(d.letterShare, producers, entry.producer, letter.length, block.ticket.receivedAt)) return;
  letter.producer = entry.producer;
  copySeq(letter.seq, entry.seq);
  letter.outcome = outcome;
  letter.encoding = session.encoding;
  appendDeadLetter(block.deadLetters, letter, bytes, from, detail);
}
