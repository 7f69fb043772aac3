/**
 * Writes what a worker has to say to the ingress threads: answers of a sealed block's frames, and hellos.
 * Every record names the epoch that must be durable (or stored) before it may be sent.
 */

import { NO_WARNINGS, STATUS_OK, STATUS_REJECTED } from '../codec/answer.ts';
import { encodingOf } from '../encodings/index.ts';
import { ANSWER_BODY_AT, writeAnswerHeader } from '../layout/answer-record.ts';
import { HELLO_RECORD_BYTES, writeHighestSeq } from '../layout/hello-record.ts';
import { RECORD_ANSWER, RECORD_HELLO, RECORD_REPEAT } from '../layout/record-kinds.ts';
import { repeatRecordBytes, writeRepeat } from '../layout/repeat-record.ts';
import { createSeq, loadSeq, SEQ_WORDS, setSeq, type Seq } from '../layout/seq.ts';
import { commit, shrink, type Lane } from '../ring/lane.ts';
import { findProducer } from '../state/producer-names.ts';
import { highestSeq } from '../state/producers.ts';
import type { Decider } from './decider.ts';
import { ANSWER_REJECTED, ANSWER_REPEAT, type FrameAnswers } from './frame-answers.ts';
import { reserveWaiting } from './reserve-waiting.ts';
import type { Session } from './sessions.ts';

function laneOf(d: Decider, session: Session): Lane {
  return (session.stored ? d.input.storedLanes : d.input.durableLanes)[session.ingress];
}

export function writeAnswers(d: Decider): void {
  const { answers } = d.block;
  for (let i = 0; i < answers.count; i++) {
    const session = answers.sessions[i]!;
    if (answers.kinds[i] === ANSWER_REPEAT) writeRepeated(d, session, seqOf(answers, i));
    else if (answers.kinds[i] === ANSWER_REJECTED) writeRejected(d, session, i);
    else writeDecided(d, session, i);
  }
}

const frameSeq = createSeq();

function seqOf({ seqs }: FrameAnswers, frame: number): Seq {
  loadSeq(seqs, frame * SEQ_WORDS, frameSeq);
  return frameSeq;
}

/** The answer to a frame that was refused whole. */
function writeRejected(d: Decider, session: Session, i: number): void {
  const { answers, ticket } = d.block;
  const lane = laneOf(d, session);
  const encoding = encodingOf(session.answerEncoding).answers;
  const part = answers.details.get(-1 - i) ?? encoding.rejections[-answers.frameOutcome[i]];
  const room = ANSWER_BODY_AT + encoding.answerBytesMax(0, d.input.plan) + encoding.rejectionBytesMax + part.length;
  const at = reserveWaiting(d, lane, RECORD_ANSWER, room);
  writeAnswerHeader(lane.view, at, session, ticket.epochLow, STATUS_REJECTED);
  const end = encoding.writeRejectedFrame(lane.bytes, at + ANSWER_BODY_AT, seqOf(answers, i), part);
  shrink(lane, at, end - at);
  commit(lane);
}

/** The answer to a frame whose events were taken, apart from those that were refused. */
function writeDecided(d: Decider, session: Session, i: number): void {
  const { answers, ticket } = d.block;
  const { plan } = d.input;
  const lane = laneOf(d, session);
  const encoding = encodingOf(session.answerEncoding).answers;
  const count = answers.eventCount[i];
  const rejections = rejectionsOf(answers, i);
  const warnings = answers.warnings.get(i) ?? NO_WARNINGS;
  const room =
    ANSWER_BODY_AT +
    encoding.answerBytesMax(count, plan) +
    encoding.rejectionBytesMax * rejections +
    (rejections > 0 ? detailBytes(answers, i) : 0) +
    warnings.length;
  const at = reserveWaiting(d, lane, RECORD_ANSWER, room);
  writeAnswerHeader(lane.view, at, session, ticket.epochLow, STATUS_OK);
  const end = encoding.writeAnswer(lane.bytes, at + ANSWER_BODY_AT, {
    plan,
    seq: seqOf(answers, i),
    status: STATUS_OK,
    actions: d.loops.actions,
    eventRow: answers.eventRow,
    eventOutcome: answers.eventOutcome,
    first: answers.firstEvent[i],
    count,
    parts: answers.details,
    warnings,
  });
  shrink(lane, at, end - at);
  commit(lane);
}

function rejectionsOf({ firstEvent, eventCount, eventOutcome }: FrameAnswers, i: number): number {
  let rejections = 0;
  for (let e = firstEvent[i]; e < firstEvent[i] + eventCount[i]; e++) if (eventOutcome[e] < 0) rejections++;
  return rejections;
}

/** What the details of a frame's rejections add to its answer. */
function detailBytes({ firstEvent, eventCount, eventOutcome, details }: FrameAnswers, i: number): number {
  let bytes = 0;
  for (let e = firstEvent[i]; e < firstEvent[i] + eventCount[i]; e++)
    if (eventOutcome[e] < 0) bytes += details.get(e)?.length ?? 0;
  return bytes;
}

function writeRepeated(d: Decider, session: Session, seq: Seq): void {
  const lane = laneOf(d, session);
  const at = reserveWaiting(d, lane, RECORD_REPEAT, repeatRecordBytes(session.producerName));
  writeAnswerHeader(lane.view, at, session, d.block.ticket.epochLow, 0);
  writeRepeat(lane, at, seq, session.producerName);
  commit(lane);
}

const highestSeqOf = createSeq();

export function writeHellos(d: Decider, epochLow: number): void {
  for (const session of d.connections.hellos.splice(0)) {
    const { producers } = d.input.tables;
    const row = findProducer(producers, session.producerName, 0, session.producerName.length);
    setSeq(highestSeqOf, row > 0 ? highestSeq(producers, row, d.input.now()) : 0);
    // On the durable lane whatever the ack level: a hello must not wait for ClickHouse. One that comes again stands behind
    // the answers that the former version has written.
    const lane = session.greeted ? laneOf(d, session) : d.input.durableLanes[session.ingress];
    session.greeted = true;
    const at = reserveWaiting(d, lane, RECORD_HELLO, HELLO_RECORD_BYTES);
    writeAnswerHeader(lane.view, at, session, epochLow, 0);
    writeHighestSeq(lane.view, at, highestSeqOf);
    commit(lane);
  }
}
