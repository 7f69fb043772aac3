/** Frames and answers in JSON: a list of events, a frame with its seq, or one event. */

import { REJECTION_JSON, rejectionJsonOf, warningJson } from '../codec/answer-texts.ts';
import { countJsonEvents, findJsonSeq } from '../codec/json/count-events.ts';
import { transcodeJson } from '../codec/json/json-frame.ts';
import {
  addCreditJson,
  JSON_REJECTION_BYTES_MAX,
  jsonAnswerBytesMax,
  writeAnswerJson,
  writeRejectedFrameJson,
  writeRetryJson,
} from '../codec/json-answer.ts';
import { encodeHelloJson } from '../codec/messages.ts';
import type { WireEncoding } from './encoding.ts';

export const JSON_TEXT: WireEncoding = {
  mediaTypes: ['application/json'],
  subprotocol: 'hunt.v1.json',
  frames: {
    countEvents: countJsonEvents,
    countIsNear: false,
    findSeq: findJsonSeq,
    // It may stand behind all events.
    seqIsNear: false,
    readFrame: (plan, bytes, _view, from, end) => transcodeJson(plan, bytes, from, end),
    describeFrame: () => null,
  },
  answers: {
    isText: true,
    answerBytesMax: jsonAnswerBytesMax,
    rejectionBytesMax: JSON_REJECTION_BYTES_MAX,
    writeAnswer: writeAnswerJson,
    writeRejectedFrame: writeRejectedFrameJson,
    writeRetry: writeRetryJson,
    addCredit: addCreditJson,
    rejections: REJECTION_JSON,
    rejectionOf: rejectionJsonOf,
    warningsOf: warningJson,
    encodeHello: encodeHelloJson,
  },
  answersIn: 'json',
};
