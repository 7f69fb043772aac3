/**
 * A frame's events as the decoder takes them, whatever the frame's encoding: each as the protobuf message that it stands
 * for, beside its bytes as they came. Made once for each encoding and thread, and valid until the thread reads its next
 * frame.
 */

import { FRAME_EVENTS_MAX } from '../layout/limits.ts';
import { createSeq, type Seq } from '../layout/seq.ts';
import type { RejectionDetail } from './rejection.ts';
import { createUnknownFields, type UnknownFields } from './unknown-fields.ts';

export interface FrameEvents {
  /** Number of events, or FRAME_MALFORMED or FRAME_TOO_MANY_EVENTS. */
  count: number;
  /** Why the frame is refused whole; null: the outcome says it. */
  problem: RejectionDetail | null;
  /** 0 where the frame has none. */
  readonly seq: Seq;
  /** 0, or why event i is refused; otherwise it is bytes[starts[i], ends[i]). */
  readonly outcomes: Int32Array;
  /** Details of those that are refused. */
  readonly details: Map<number, RejectionDetail>;
  bytes: Uint8Array;
  view: DataView;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Event i as it came is source[sourceStarts[i], sourceEnds[i]). */
  source: Uint8Array;
  readonly sourceStarts: Int32Array;
  readonly sourceEnds: Int32Array;
  /** Fields that the message does not have, as far as the frame's reader has seen any. */
  readonly unknown: UnknownFields;
}

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/** `isSource`: events come as the messages themselves. */
export function createFrameEvents(isSource: boolean): FrameEvents {
  const starts = new Int32Array(FRAME_EVENTS_MAX);
  const ends = new Int32Array(FRAME_EVENTS_MAX);
  return {
    count: 0,
    problem: null,
    seq: createSeq(),
    outcomes: new Int32Array(FRAME_EVENTS_MAX),
    details: new Map(),
    bytes: NO_BYTES,
    view: NO_VIEW,
    starts,
    ends,
    source: NO_BYTES,
    sourceStarts: isSource ? starts : new Int32Array(FRAME_EVENTS_MAX),
    sourceEnds: isSource ? ends : new Int32Array(FRAME_EVENTS_MAX),
    unknown: createUnknownFields(),
  };
}
