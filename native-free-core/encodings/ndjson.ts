/** Frames of one JSON event a line. Lines have no place for a seq and no form for an answer: that is one JSON object. */

import { countLines } from '../codec/json/count-events.ts';
import { transcodeLines } from '../codec/json/json-frame.ts';
import { setSeq } from '../layout/seq.ts';
import type { WireEncoding } from './encoding.ts';
import { JSON_TEXT } from './json.ts';

export const NDJSON: WireEncoding = {
  mediaTypes: ['application/x-ndjson'],
  subprotocol: null,
  frames: {
    countEvents: countLines,
    countIsNear: false,
    findSeq: (_bytes, to) => setSeq(to, 0),
    seqIsNear: true,
    readFrame: (plan, bytes, _view, from, end) => transcodeLines(plan, bytes, from, end),
    describeFrame: () => null,
  },
  answers: JSON_TEXT.answers,
  answersIn: 'json',
};
