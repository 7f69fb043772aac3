/**
 * What an encoding of frames and answers is made of. Each has a file here, entered in the table of index.ts: ingress,
 * workers and look-ups ask the table and know no encoding by name.
 */

import type { AnswerContent } from '../codec/answer.ts';
import type { FrameEvents } from '../codec/frame-events.ts';
import type { Hello } from '../codec/messages.ts';
import type { RejectionDetail } from '../codec/rejection.ts';
import type { UnknownFields } from '../codec/unknown-fields.ts';
import type { EncodingName } from '../layout/encoding-codes.ts';
import type { Seq } from '../layout/seq.ts';
import type { Plan } from '../plan/plan.ts';

/** How frames come. */
export interface FrameEncoding {
  /** Events of a frame, without decoding them; 0 where it does not parse. */
  readonly countEvents: (bytes: Uint8Array) => number;
  /** The seq that a frame carries; 0: none. */
  readonly findSeq: (bytes: Uint8Array, to: Seq) => void;
  /** `countEvents` costs next to nothing, so ingress may call it for every frame. */
  readonly countIsNear: boolean;
  /** `findSeq` costs next to nothing, so ingress may call it for every frame. */
  readonly seqIsNear: boolean;
  /** Reads the frame bytes[from, end). What it returns is valid until the next call on this thread. */
  readonly readFrame: (plan: Plan, bytes: Uint8Array, view: DataView, from: number, end: number) => FrameEvents;
  /** What is wrong with a malformed frame that `readFrame` has not explained; null: its outcome says all that is known. */
  readonly describeFrame: (bytes: Uint8Array, from: number, end: number) => RejectionDetail | null;
}

/** Most bytes that a credit adds to an answer. */
export const CREDIT_BYTES_MAX = 32;

/** How answers go. Writers write at `at`, return where they end, and trust the caller to have made room. */
export interface AnswerEncoding {
  /** Answers are text, and not bytes. */
  readonly isText: boolean;
  /** Most bytes that the answer to a frame of so many events takes, rejections apart. */
  readonly answerBytesMax: (events: number, plan: Plan) => number;
  /** Most bytes that one rejection without details adds; details add their own. */
  readonly rejectionBytesMax: number;
  readonly writeAnswer: (out: Uint8Array, at: number, answer: AnswerContent) => number;
  /** `part`: of `rejections`, or what `rejectionOf` has made. */
  readonly writeRejectedFrame: (out: Uint8Array, at: number, seq: Seq, part: Uint8Array) => number;
  readonly writeRetry: (out: Uint8Array, at: number, seq: Seq, retryAfterMs: number) => number;
  /** Adds the connection's new credit to the answer that ends at `end`: at most CREDIT_BYTES_MAX more. */
  readonly addCredit: (out: Uint8Array, end: number, eventsInFlight: number) => number;
  /** The part of an answer that says why, by -outcome; and with what is wrong in particular. */
  readonly rejections: readonly Uint8Array[];
  readonly rejectionOf: (outcome: number, detail: RejectionDetail) => Uint8Array;
  /** The part of an answer that names unknown fields. */
  readonly warningsOf: (unknown: UnknownFields) => Uint8Array;
  readonly encodeHello: (hello: Hello) => Uint8Array;
}

export interface WireEncoding {
  /** Content types of a request, the usual one first. */
  readonly mediaTypes: readonly [string, ...string[]];
  /** Subprotocol of a WebSocket; null: no WebSocket speaks it. */
  readonly subprotocol: string | null;
  readonly frames: FrameEncoding;
  readonly answers: AnswerEncoding;
  /** The encoding of the answers to its frames: its own, or the one whose `answers` it shares. */
  readonly answersIn: EncodingName;
}
