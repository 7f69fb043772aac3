/**
 * Writes what a worker has to say to the ingress threads: answers of a sealed block's frames, and hellos.
 * Every record names the epoch that must be durable (or stored) before it may be sent.
 */

import {
  answerBytesMax,
  rejectionBytesMax,
  writeAnswerJson,
  writeAnswerProto,
  writeRejectedFrameJson,
  writeRejectedFrameProto,
  STATUS_OK,
  STATUS_REJECTED,
} from '../codec/answer.ts';
import { REJECTION_FIELDS, REJECTION_JSON } from '../codec/answer-texts.ts';
import { ENCODING_PROTO } from '../layout/encoding-codes.ts';
import { ANSWER_BODY_AT, writeAnswerHeader } from '../layout/answer-record.ts';
import { HELLO_RECORD_BYTES, writeHighestSeq } from '../layout/hello-record.ts';
import { RECORD_ANSWER, RECORD_HELLO, RECORD_REPEAT } from '../layout/record-kinds.ts';
import { repeatRecordBytes, writeRepeat } from '../layout/repeat-record.ts';
import { createSeq, loadSeq, SEQ_WORDS, setSeq, type Seq } from '../layout/seq.ts';
import { commit, shrink, type Lane } from '../ring/lane.ts';
import { findProducer } from '../state/producer-names.ts';
import { highestSeq } from '../state/producers.ts';
import type { Decider } from './decider.ts';
import { reserveWaiting } from './reserve-waiting.ts';
import { ANSWER_REPEAT, ANSWER_REJECTED, type FrameAnswers } from './frame-answers.ts';
import type { Session } from './sessions.ts';

function laneOf(d: Decider, session: Session): Lane {
  return (session.stored ? d.input.storedLanes : d.input.durableLanes)[session.ingress];
}

export function writeAnswers(d: Decider): void {
  const answers = d.answers;
  for (let i = 0; i < answers.count; i++) {
    const session = answers.sessions[i]!;
    if (answers.kinds[i] === ANSWER_REPEAT) writeRepeated(d, session, seqOf(answers, i));
    else writeAnswer(d, session, i);
  }
}

const frameSeq = createSeq();

function seqOf({ seqs }: FrameAnswers, frame: number): Seq {
  loadSeq(seqs, frame * SEQ_WORDS, frameSeq);
  return frameSeq;
}

function writeAnswer(d: Decider, session: Session, i: number): void {
  const answers = d.answers;
  const lane = laneOf(d, session);
  const count = answers.eventCount[i];
  const rejected = answers.kinds[i] === ANSWER_REJECTED;
  const rejections = rejected ? 1 : rejectionsOf(d, i);
  const warnings = answers.warnings.get(i);
  const room =
    ANSWER_BODY_AT +
    answerBytesMax(session.encoding, count, d.input.plan) +
    rejectionBytesMax(session.encoding) * rejections +
    (rejections > 0 ? detailBytes(d, i) : 0) +
    (warnings?.length ?? 0);
  const at = reserveWaiting(d, lane, RECORD_ANSWER, room);
  writeAnswerHeader(lane.view, at, session, d.ticket.epochLow, rejected ? STATUS_REJECTED : STATUS_OK);
  const body = at + ANSWER_BODY_AT;
  const { low, high } = seqOf(answers, i);
  const proto = session.encoding === ENCODING_PROTO;
  let end: number;
  if (rejected) {
    end = (proto ? writeRejectedFrameProto : writeRejectedFrameJson)(
      lane.bytes,
      body,
      low,
      high,
      answers.details.get(-1 - i) ?? (proto ? REJECTION_FIELDS : REJECTION_JSON)[-answers.frameOutcome[i]],
    );
  } else if (proto) {
    end = writeAnswerProto(
      lane.bytes,
      body,
      low,
      high,
      d.actions,
      answers.eventRow,
      answers.eventOutcome,
      answers.firstEvent[i],
      count,
      STATUS_OK,
      answers.details,
      warnings,
    );
  } else {
    end = writeAnswerJson(
      lane.bytes,
      body,
      low,
      high,
      d.input.plan,
      d.actions,
      answers.eventRow,
      answers.eventOutcome,
      answers.firstEvent[i],
      count,
      STATUS_OK,
      answers.details,
      warnings,
    );
  }
  shrink(lane, at, end - at);
  commit(lane);
}

function rejectionsOf(d: Decider, i: number): number {
  const { firstEvent, eventCount, eventOutcome } = d.answers;
  let rejections = 0;
  for (let e = firstEvent[i]; e < firstEvent[i] + eventCount[i]; e++) if (eventOutcome[e] < 0) rejections++;
  return rejections;
}

/** What the details of a frame's rejections add to its answer. */
function detailBytes(d: Decider, i: number): number {
  const { firstEvent, eventCount, eventOutcome, details } = d.answers;
  let bytes = details.get(-1 - i)?.length ?? 0;
  for (let e = firstEvent[i]; e < firstEvent[i] + eventCount[i]; e++)
    if (eventOutcome[e] < 0) bytes += details.get(e)?.length ?? 0;
  return bytes;
}

function writeRepeated(d: Decider, session: Session, seq: Seq): void {
  const lane = laneOf(d, session);
  const at = reserveWaiting(d, lane, RECORD_REPEAT, repeatRecordBytes(session.producerName));
  writeAnswerHeader(lane.view, at, session, d.ticket.epochLow, 0);
  writeRepeat(lane, at, seq, session.producerName);
  commit(lane);
}

const highestSeqOf = createSeq();

export function writeHellos(d: Decider, epochLow: number): void {
  for (const session of d.hellos.splice(0)) {
    const { producers } = d.input.tables;
    const row = findProducer(producers, session.producerName, 0, session.producerName.length);
    setSeq(highestSeqOf, row > 0 ? highestSeq(producers, row, d.input.now()) : 0);
    // On the durable lane whatever the ack level: a hello must not wait for ClickHouse. One that comes again stands behind the answers
    // that the former version has written.
    const lane = session.greeted ? laneOf(d, session) : d.input.durableLanes[session.ingress];
    session.greeted = true;
    const at = reserveWaiting(d, lane, RECORD_HELLO, HELLO_RECORD_BYTES);
    writeAnswerHeader(lane.view, at, session, epochLow, 0);
    writeHighestSeq(lane.view, at, highestSeqOf);
    commit(lane);
  }
}
