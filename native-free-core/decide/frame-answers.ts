/**
 * What the frames of a block are to be answered, kept until the block is sealed: one entry a frame, one outcome and row
 * an event. Preallocated; the block closes before they overflow.
 */
// hot path: no allocation

import type { FrameEntry } from '../layout/frame-entry.ts';
import { BLOCK_FRAMES_MAX, BLOCK_ROWS_MAX } from '../layout/limits.ts';
import { SEQ_WORDS, storeSeq } from '../layout/seq.ts';
import type { Session } from './sessions.ts';

export const ANSWER_OK = 0;
export const ANSWER_REJECTED = 1;
export const ANSWER_REPEAT = 2;

export interface FrameAnswers {
  count: number;
  /** Events of all frames so far. */
  events: number;
  readonly sessions: (Session | null)[];
  readonly kinds: Uint8Array;
  /** Two words a frame (layout/seq.ts). */
  readonly seqs: Uint32Array;
  readonly firstEvent: Int32Array;
  readonly eventCount: Int32Array;
  /** ANSWER_REJECTED: the frame's outcome. */
  readonly frameOutcome: Int32Array;
  /** Per event: its row in the block, or -1; 0 or why it has none. */
  readonly eventRow: Int32Array;
  readonly eventOutcome: Int32Array;
  /**
   * What rejections say in particular, encoded for their connection: by event, and of a frame that is refused whole by -1 -
   * its index. Of the frame that is being taken so many bytes.
   */
  readonly details: Map<number, Uint8Array>;
  frameDetailBytes: number;
  /** Encoded warnings by frame; most frames have none. */
  readonly warnings: Map<number, Uint8Array>;
}

export function createFrameAnswers(): FrameAnswers {
  return {
    count: 0,
    events: 0,
    sessions: Array.from<Session | null>({ length: BLOCK_FRAMES_MAX }).fill(null),
    kinds: new Uint8Array(BLOCK_FRAMES_MAX),
    seqs: new Uint32Array(BLOCK_FRAMES_MAX * SEQ_WORDS),
    firstEvent: new Int32Array(BLOCK_FRAMES_MAX),
    eventCount: new Int32Array(BLOCK_FRAMES_MAX),
    frameOutcome: new Int32Array(BLOCK_FRAMES_MAX),
    eventRow: new Int32Array(BLOCK_ROWS_MAX),
    eventOutcome: new Int32Array(BLOCK_ROWS_MAX),
    details: new Map<number, Uint8Array>(),
    frameDetailBytes: 0,
    warnings: new Map<number, Uint8Array>(),
  };
}

/** Adds a frame; its events' rows and outcomes are at `firstEvent` onwards. */
export function addFrameAnswer(
  answers: FrameAnswers,
  session: Session,
  kind: number,
  entry: FrameEntry,
  frameOutcome: number,
): void {
  const i = answers.count++;
  const eventCount = entry.received;
  answers.sessions[i] = session;
  answers.kinds[i] = kind;
  storeSeq(answers.seqs, i * SEQ_WORDS, entry.seq);
  answers.firstEvent[i] = answers.events;
  answers.eventCount[i] = eventCount;
  answers.frameOutcome[i] = frameOutcome;
  if (kind === ANSWER_OK) answers.events += eventCount;
  answers.frameDetailBytes = 0;
}

export function resetFrameAnswers(answers: FrameAnswers): void {
  for (let i = 0; i < answers.count; i++) answers.sessions[i] = null;
  answers.count = 0;
  answers.events = 0;
  if (answers.details.size !== 0) answers.details.clear();
  if (answers.warnings.size !== 0) answers.warnings.clear();
}
