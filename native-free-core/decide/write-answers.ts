/**
 * Writes what a worker has to say to the ingress threads: answers of a sealed block's frames, hellos, entity look-ups.
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
import { keyExpectation, keyFromText } from '../features/keys.ts';
import {
  ANSWER_HEADER_BYTES,
  ENCODING_PROTO,
  READ_AT_NOW,
  READ_HEADER_BYTES,
  RECORD_ANSWER,
  RECORD_HELLO,
  RECORD_LOOKUP,
  RECORD_READ_ANSWER,
} from '../layout/records.ts';
import { commit, shrink, type Lane } from '../ring/lane.ts';
import { findEntry } from '../state/dictionary.ts';
import { findProducer } from '../state/producer-names.ts';
import { highestSeq } from '../state/producers.ts';
import { timeNow } from './epoch.ts';
import type { Decider, PendingRead } from './decider.ts';
import { reserveWaiting } from './reserve-waiting.ts';
import { ANSWER_LOOKUP, ANSWER_REJECTED } from './frame-answers.ts';
import type { Session } from './sessions.ts';

const HIGH = 4294967296;

function laneOf(d: Decider, session: Session): Lane {
  return (session.stored ? d.input.storedLanes : d.input.durableLanes)[session.ingress];
}

function writeHeader(
  lane: Lane,
  at: number,
  connection: number,
  generation: number,
  epochLow: number,
  flags: number,
): void {
  lane.view.setUint32(at, connection, true);
  lane.view.setUint32(at + 4, generation, true);
  lane.view.setInt32(at + 8, epochLow, true);
  lane.view.setUint32(at + 12, flags, true);
}

export function writeAnswers(d: Decider): void {
  const answers = d.answers;
  for (let i = 0; i < answers.count; i++) {
    const session = answers.sessions[i]!;
    if (answers.kinds[i] === ANSWER_LOOKUP) writeLookup(d, session, answers.seqLow[i], answers.seqHigh[i]);
    else writeAnswer(d, session, i);
  }
}

function writeAnswer(d: Decider, session: Session, i: number): void {
  const answers = d.answers;
  const lane = laneOf(d, session);
  const count = answers.eventCount[i];
  const rejected = answers.kinds[i] === ANSWER_REJECTED;
  const rejections = rejected ? 1 : rejectionsOf(d, i);
  const warnings = answers.warnings.get(i);
  const room =
    ANSWER_HEADER_BYTES +
    answerBytesMax(session.encoding, count, d.input.plan) +
    rejectionBytesMax(session.encoding) * rejections +
    (rejections > 0 ? detailBytes(d, i) : 0) +
    (warnings?.length ?? 0);
  const at = reserveWaiting(d, lane, RECORD_ANSWER, room);
  writeHeader(
    lane,
    at,
    session.connection,
    session.generation,
    d.ticket.epochLow,
    rejected ? STATUS_REJECTED : STATUS_OK,
  );
  const body = at + ANSWER_HEADER_BYTES;
  const [low, high] = [answers.seqLow[i], answers.seqHigh[i]];
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

function writeLookup(d: Decider, session: Session, seqLow: number, seqHigh: number): void {
  const lane = laneOf(d, session);
  const name = session.producerName;
  const at = reserveWaiting(d, lane, RECORD_LOOKUP, ANSWER_HEADER_BYTES + 12 + name.length);
  writeHeader(lane, at, session.connection, session.generation, d.ticket.epochLow, 0);
  lane.view.setUint32(at + 16, seqLow, true);
  lane.view.setUint32(at + 20, seqHigh, true);
  lane.view.setUint32(at + 24, name.length, true);
  lane.bytes.set(name, at + 28);
  commit(lane);
}

export function writeHellos(d: Decider, epochLow: number): void {
  for (const session of d.hellos.splice(0)) {
    const { producers } = d.input.tables;
    const row = findProducer(producers, session.producerName, 0, session.producerName.length);
    const highest = row > 0 ? highestSeq(producers, row, d.input.now()) : 0;
    // On the durable lane whatever the ack level: a hello must not wait for ClickHouse. One that comes again stands behind the answers
    // that the former version has written.
    const lane = session.greeted ? laneOf(d, session) : d.input.durableLanes[session.ingress];
    session.greeted = true;
    const at = reserveWaiting(d, lane, RECORD_HELLO, ANSWER_HEADER_BYTES + 8);
    writeHeader(lane, at, session.connection, session.generation, epochLow, 0);
    lane.view.setUint32(at + 16, highest % HIGH, true);
    lane.view.setUint32(at + 20, Math.floor(highest / HIGH), true);
    commit(lane);
  }
}

export function readPending(d: Decider, lane: Lane, ingress: number, at: number, end: number): PendingRead {
  return {
    ingress,
    connection: lane.view.getUint32(at, true),
    generation: lane.view.getUint32(at + 4, true),
    entity: lane.view.getUint32(at + 8, true),
    atNow: (lane.view.getUint32(at + 12, true) & READ_AT_NOW) !== 0,
    key: d.input.textOf(lane.bytes, at + READ_HEADER_BYTES, end),
  };
}

export function writeReads(d: Decider, epochLow: number): void {
  for (const read of d.reads.splice(0)) {
    const { status, body } = readEntity(d, read);
    const bytes = d.input.utf8(JSON.stringify(body));
    const lane = d.input.durableLanes[read.ingress];
    const at = reserveWaiting(d, lane, RECORD_READ_ANSWER, ANSWER_HEADER_BYTES + bytes.length);
    writeHeader(lane, at, read.connection, read.generation, epochLow, status);
    lane.bytes.set(bytes, at + ANSWER_HEADER_BYTES);
    commit(lane);
  }
}

function readEntity(d: Decider, read: PendingRead): { status: number; body: unknown } {
  const plan = d.input.plan;
  const entity = plan.entities[read.entity];
  const texts = read.key.split(',').map(decodeText);
  const key =
    entity &&
    keyFromText(plan, entity, texts, { utf8: d.input.utf8, label: (column, text) => labelOf(d, column, text) });
  if (!key)
    return failure(
      400,
      'bad_key',
      `not a key of ${entity?.name ?? 'any entity'}: ${read.key}; expected ${entity === undefined ? 'an entity of the pipeline' : keyExpectation(plan, entity)}`,
    );
  const state = d.readers[read.entity](
    key,
    read.atNow ? timeNow(d.input.control, d.input.now(), d.input.monotonic()) : 0,
  );
  if (state === null)
    return failure(
      404,
      'unknown_entity',
      `no ${entity.name} has been seen under this key${read.atNow ? ' within its ttl' : ''}: ${read.key}`,
    );
  return { status: 200, body: { entity: entity.name, key: texts.length === 1 ? texts[0] : texts, ...state } };
}

function failure(status: number, code: string, message: string): { status: number; body: unknown } {
  return { status, body: { error: { code, message } } };
}

/** Percent-decoding by hand: the core has no URL functions of a platform. */
function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function labelOf(d: Decider, column: number, text: string): number {
  const plan = d.input.plan.columns[column];
  if (plan.kind === 'code') return plan.labels!.indexOf(text);
  if (plan.kind === 'enum') return plan.enumNames!.find(([, name]) => name === text)?.[0] ?? -1;
  const bytes = d.input.utf8(text);
  return findEntry(d.input.tables.dictionary, bytes, 0, bytes.length);
}
