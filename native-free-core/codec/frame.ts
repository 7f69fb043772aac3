/**
 * Frames: where the events of one frame begin and end, and its sequence number. Called by workers for each frame, by
 * ingress for the sequence number and for the number of events.
 *
 *   Frame  fixed64 seq = 1 (tag 0x09) · repeated bytes events = 2 (tag 0x12) · anything else is skipped
 *
 * Stricter than protobuf in two points, so that ingress and worker cannot read two numbers from one frame: a second seq is
 * refused (protobuf takes the last), and so are these two tags in more bytes than they need.
 */
// hot path: no allocation

import { FRAME_MALFORMED, FRAME_TOO_MANY_EVENTS } from '../base/outcomes.ts';
import { FRAME_EVENTS_MAX } from '../layout/limits.ts';
import { createSeq, readSeq, readSeqBytes, SEQ_BYTES, setSeq, type Seq } from '../layout/seq.ts';
import { readLength, readTag, readWords, skipField } from './wire.ts';

const TAG_SEQ = 0x09;
const TAG_EVENT = 0x12;
const SEQ_FIELD_BYTES = 1 + SEQ_BYTES;

export interface FrameCursor {
  /** Event i is bytes[starts[i], ends[i]). */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Of the last frame read; 0 where it has none. */
  readonly seq: Seq;
  /** Fields of it that frames do not have. */
  unknownFields: number;
}

export function createFrameCursor(): FrameCursor {
  return {
    starts: new Int32Array(FRAME_EVENTS_MAX),
    ends: new Int32Array(FRAME_EVENTS_MAX),
    seq: createSeq(),
    unknownFields: 0,
  };
}

/**
 * Fills `target` from the frame bytes[at, end). Returns the number of events, or FRAME_MALFORMED or FRAME_TOO_MANY_EVENTS.
 */
export function readFrame(bytes: Uint8Array, view: DataView, at: number, end: number, target: FrameCursor): number {
  const { starts, ends } = target;
  setSeq(target.seq, 0);
  target.unknownFields = 0;
  let count = 0;
  let p = at;
  let seqs = 0;
  while (p < end) {
    const tag = bytes[p];
    if (tag === TAG_EVENT) {
      p = eventStart(bytes, p + 1, end);
      if (p < 0) return FRAME_MALFORMED;
      if (count === FRAME_EVENTS_MAX) return FRAME_TOO_MANY_EVENTS;
      starts[count] = p;
      p += readWords[0];
      ends[count++] = p;
    } else if (tag === TAG_SEQ) {
      if (p + SEQ_FIELD_BYTES > end || seqs++ !== 0) return FRAME_MALFORMED;
      readSeq(view, p + 1, target.seq);
      p += SEQ_FIELD_BYTES;
    } else {
      p = skipUnknown(bytes, p, end);
      if (p < 0) return FRAME_MALFORMED;
      target.unknownFields++;
    }
  }
  return count;
}

/** Where the event's bytes begin, their number in `readWords[0]`; -1 where they do not lie within the frame. */
function eventStart(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1;
  const first = bytes[at];
  let p = at + 1;
  if (first < 128) readWords[0] = first;
  else p = readLength(bytes, at);
  return p < 0 || readWords[0] > end - p ? -1 : p;
}

/** Tags of the two known fields in more bytes than they need are the same tags: protobuf allows it, nobody writes them. */
function skipUnknown(bytes: Uint8Array, at: number, end: number): number {
  const p = readTag(bytes, at);
  if (p < 0 || p > end) return -1;
  const tag = readWords[0];
  if (tag === TAG_SEQ || tag === TAG_EVENT) return -1;
  return skipField(bytes, p, end, tag, 0);
}

/** Sequence number of a frame; 0 where it has none or does not parse. Nearly always it stands first. */
export function findFrameSeq(bytes: Uint8Array, at: number, end: number, to: Seq): void {
  setSeq(to, 0);
  let p = at;
  while (p >= 0 && p < end) {
    if (bytes[p] === TAG_SEQ) {
      if (p + SEQ_FIELD_BYTES <= end) readSeqBytes(bytes, p + 1, to);
      return;
    }
    if (bytes[p] === TAG_EVENT) {
      p = eventStart(bytes, p + 1, end);
      if (p >= 0) p += readWords[0];
    } else {
      p = skipUnknown(bytes, p, end);
    }
  }
}

/** Number of events of a frame, or FRAME_MALFORMED. */
export function countFrameEvents(bytes: Uint8Array, at: number, end: number): number {
  let count = 0;
  let p = at;
  while (p < end) {
    if (bytes[p] === TAG_EVENT) {
      p = eventStart(bytes, p + 1, end);
      if (p < 0) return FRAME_MALFORMED;
      p += readWords[0];
      count++;
    } else if (bytes[p] === TAG_SEQ) {
      p += SEQ_FIELD_BYTES;
      if (p > end) return FRAME_MALFORMED;
    } else {
      p = skipUnknown(bytes, p, end);
      if (p < 0) return FRAME_MALFORMED;
    }
  }
  return count;
}
