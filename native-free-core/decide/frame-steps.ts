/**
 * The steps of taking a frame that both encodings share: its sequence number, a refusal, a repetition, one event into a row,
 * the frame's line in the ledger. Called by take-frame.ts and take-json-frame.ts.
 */
// hot path: no allocation

import { FRAME_SEQ_MISSING, FRAME_SEQ_TOO_OLD, FRAME_TOO_MANY_PRODUCERS } from '../base/outcomes.ts';
import type { RejectionDetail } from '../codec/rejection.ts';
import type { UnknownFields } from '../codec/unknown-fields.ts';
import { appendDeadLetter, appendFrame, appendName } from '../columns/logs.ts';
import {
  DEAD_WHOLE_FRAME,
  FRAME_DEDUP,
  FRAME_DUPLICATE,
  FRAME_FIRST,
  FRAME_HAS_SEQ,
  FRAME_REJECTED,
} from '../layout/block-layout.ts';
import { nameProducer } from '../state/producer-names.ts';
import {
  PRODUCER_MOVED,
  PRODUCER_NEW,
  SEQ_NEW,
  SEQ_TAKEN,
  producerLife,
  seeProducer,
  takeSeq,
} from '../state/producers.ts';
import type { Decider } from './decider.ts';
import { ANSWER_REPEAT, ANSWER_OK, ANSWER_REJECTED, addFrameAnswer } from './frame-answers.ts';
import { keepsLetter } from './letter-share.ts';
import { noteFrameDetail, warn } from './refuse.ts';
import type { Session } from './sessions.ts';
import { fillSystemColumns, validateRow } from './validate.ts';

const HIGH = 4294967296;

/** SEQ_NEW or SEQ_TAKEN, or why the frame is refused whole. A frame that parses takes its sequence number. */
export function frameOutcome(d: Decider, session: Session, count: number, seqLow: number, seqHigh: number): number {
  d.firstFlag = 0;
  d.interner.producer = 0;
  if (session.producerName.length === 0) return count < 0 ? count : SEQ_NEW;
  // A frame that does not parse is its producer's too: in the dead letters and in the ledger.
  const known = knowProducer(d, session);
  if (count < 0) return count;
  const seq = seqLow + seqHigh * HIGH;
  if (!known) return FRAME_TOO_MANY_PRODUCERS;
  if (seq === 0 || seq >= Number.MAX_SAFE_INTEGER) return FRAME_SEQ_MISSING;
  const taken = takeSeq(d.input.tables.producers, session.producer, seq);
  return taken === SEQ_NEW || taken === SEQ_TAKEN ? taken : FRAME_SEQ_TOO_OLD;
}

/** `detail`: what the frame's reader found wrong with it; null: it has not said. */
export function rejectFrame(
  d: Decider,
  session: Session,
  bytes: Uint8Array,
  from: number,
  end: number,
  seqLow: number,
  seqHigh: number,
  outcome: number,
  detail: RejectionDetail | null,
): void {
  const packed = noteFrameDetail(d, session, bytes, from, end, seqLow, seqHigh, outcome, detail);
  refuse(d, session, bytes, from, end - from, seqLow, seqHigh, DEAD_WHOLE_FRAME, outcome, packed);
  appendFrame(d.frames, session.producer, FRAME_REJECTED | d.firstFlag, seqLow, seqHigh, 0, 0, 0, 0);
  addFrameAnswer(d.answers, session, ANSWER_REJECTED, d.seq, 0, outcome);
}

/** Keeps the bytes of what was refused, as long as its producer has not had too much kept; the ledger counts it in any case. */
export function refuse(
  d: Decider,
  session: Session,
  bytes: Uint8Array,
  from: number,
  length: number,
  seqLow: number,
  seqHigh: number,
  index: number,
  outcome: number,
  detail: Uint8Array | undefined,
): void {
  const { producer, encoding } = session;
  if (!keepsLetter(d.letterShare, d.input.tables.producers, producer, length, d.ticket.receivedAt)) return;
  appendDeadLetter(d.deadLetters, producer, seqLow, seqHigh, index, outcome, encoding, bytes, from, length, detail);
}

/** A sequence number that was taken before: nothing changes, and the original decisions are looked up. */
export function repeatFrame(d: Decider, session: Session, seqLow: number, seqHigh: number, count: number): void {
  const flags = FRAME_DUPLICATE | FRAME_HAS_SEQ | d.firstFlag;
  appendFrame(d.frames, session.producer, flags, seqLow, seqHigh, count, 0, count, 0);
  addFrameAnswer(d.answers, session, ANSWER_REPEAT, d.seq, count, 0);
}

export function dedupOf(session: Session): boolean {
  return session.producerName.length === 0 || session.dedup;
}

/** Decodes and checks one event; the next row is its own where it stands. Returns 0 or why it does not. */
export function takeEvent(
  d: Decider,
  session: Session,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  seqLow: number,
  seqHigh: number,
  index: number,
  dedup: boolean,
): number {
  const row = d.rows;
  const receivedAt = d.ticket.receivedAt;
  let outcome = d.decoder.decodeEvent(bytes, view, start, end, row);
  if (outcome === 0) outcome = validateRow(d.validator, row, receivedAt, dedup);
  if (outcome < 0) {
    d.decoder.clearRow(row);
    return outcome;
  }
  fillSystemColumns(d.validator, row, receivedAt, session.producer, seqLow, seqHigh, index);
  d.rows = row + 1;
  return 0;
}

/** The frame's line in the ledger and its entry for the answer. `unknown`: fields that its events should not have. */
export function closeFrame(
  d: Decider,
  session: Session,
  seqLow: number,
  seqHigh: number,
  count: number,
  duplicates: number,
  dead: number,
  unknown: UnknownFields,
): void {
  const flags = (session.producer === 0 ? 0 : FRAME_HAS_SEQ) | (dedupOf(session) ? FRAME_DEDUP : 0) | d.firstFlag;
  appendFrame(d.frames, session.producer, flags, seqLow, seqHigh, count, count - duplicates - dead, duplicates, dead);
  if (unknown.count !== 0) warn(d, session, unknown);
  addFrameAnswer(d.answers, session, ANSWER_OK, d.seq, count, 0);
}

/** Gives the session its producer's row, and the block its name; false where the table has no row for another. */
function knowProducer(d: Decider, session: Session): boolean {
  const { producers } = d.input.tables;
  const { receivedAt } = d.ticket;
  let seen =
    session.producer === 0 ? PRODUCER_MOVED : seeProducer(producers, session.producer, session.life, receivedAt);
  while (seen === PRODUCER_MOVED) {
    const name = session.producerName;
    session.namedIn = 0;
    session.producer = nameProducer(producers, name, 0, name.length, receivedAt - producers.forgetAfterMs);
    if (session.producer === 0) return false;
    session.life = producerLife(producers, session.producer);
    seen = seeProducer(producers, session.producer, session.life, receivedAt);
  }
  if (seen === PRODUCER_NEW) d.firstFlag = FRAME_FIRST;
  if (session.namedIn !== d.blockNumber) {
    appendName(d.names, session.producer, session.producerName);
    session.namedIn = d.blockNumber;
  }
  d.interner.producer = session.producer;
  return true;
}
