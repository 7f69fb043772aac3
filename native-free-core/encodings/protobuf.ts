/** Frames and answers in protobuf (proto/hunt/v1/wire.proto): events are the pipeline's messages as they stand. */

import { REJECTION_FIELDS, rejectionFieldsOf, warningFields } from '../codec/answer-texts.ts';
import { countFrameEvents, findFrameSeq, readFrame, type FrameCursor } from '../codec/frame.ts';
import { createFrameEvents, type FrameEvents } from '../codec/frame-events.ts';
import { encodeHelloProto } from '../codec/messages.ts';
import {
  addCreditProto,
  PROTO_REJECTION_BYTES_MAX,
  protoAnswerBytesMax,
  writeAnswerProto,
  writeRejectedFrameProto,
  writeRetryProto,
} from '../codec/proto-answer.ts';
import { clearUnknownFields } from '../codec/unknown-fields.ts';
import { walkFrame } from '../codec/walk-frame.ts';
import type { Plan } from '../plan/plan.ts';
import type { WireEncoding } from './encoding.ts';

const events = createFrameEvents(true);
const cursor: FrameCursor = { starts: events.starts, ends: events.ends, seq: events.seq, unknownFields: 0 };

function readProtoFrame(_plan: Plan, bytes: Uint8Array, view: DataView, from: number, end: number): FrameEvents {
  clearUnknownFields(events.unknown);
  events.bytes = bytes;
  events.view = view;
  events.source = bytes;
  events.count = readFrame(bytes, view, from, end, cursor);
  if (cursor.unknownFields !== 0) walkFrame(bytes, from, end, events.unknown);
  return events;
}

export const PROTOBUF: WireEncoding = {
  mediaTypes: ['application/x-protobuf', 'application/protobuf'],
  subprotocol: 'hunt.v1.proto',
  frames: {
    countEvents: (bytes) => Math.max(0, countFrameEvents(bytes, 0, bytes.length)),
    countIsNear: true,
    findSeq: (bytes, to) => findFrameSeq(bytes, 0, bytes.length, to),
    seqIsNear: true,
    readFrame: readProtoFrame,
    describeFrame: (bytes, from, end) => walkFrame(bytes, from, end, null),
  },
  answers: {
    isText: false,
    answerBytesMax: protoAnswerBytesMax,
    rejectionBytesMax: PROTO_REJECTION_BYTES_MAX,
    writeAnswer: writeAnswerProto,
    writeRejectedFrame: writeRejectedFrameProto,
    writeRetry: writeRetryProto,
    addCredit: addCreditProto,
    rejections: REJECTION_FIELDS,
    rejectionOf: rejectionFieldsOf,
    warningsOf: warningFields,
    encodeHello: encodeHelloProto,
  },
  answersIn: 'protobuf',
};
