/** Hellos and answers in the form that programs use: decisions by name. Used by hunt-client.ts. */

import { enter } from '../../native-free-core/base/lookup.ts';
import {
  readAnswerProto,
  readHelloProto,
  type Answer,
  type Hello,
  type Rejection,
  type Warning,
} from '../../native-free-core/codec/messages.ts';
import { STATUS_DUPLICATE, STATUS_OK, STATUS_REJECTED, STATUS_RETRY } from '../../native-free-core/codec/answer.ts';
import type { Encoding } from './frame.ts';

export type { Hello as ClientHello, Rejection, Warning } from '../../native-free-core/codec/messages.ts';

/** By a decision's name the action taken, or null where the decision was not asked (its `where` was not true). */
export type Decisions = Readonly<Record<string, string | null>>;

export interface ClientAnswer {
  readonly seq: number;
  /** DUPLICATE: this seq was answered before; the decisions are the original ones. REJECTED: the frame was refused whole. */
  readonly status: 'OK' | 'DUPLICATE' | 'REJECTED';
  /** How many events the frame held. */
  readonly events: number;
  /** One entry for each event; null for an event that was rejected. */
  readonly decisions: readonly (Decisions | null)[];
  /** Rejected events by their index in the frame; code `duplicate` for an event id that was seen before. */
  readonly rejections: readonly Rejection[];
  /** What was taken and is most likely a mistake: fields that the pipeline's message does not have. */
  readonly warnings: readonly Warning[];
}

/** The server is over a limit: the frame is to be sent again. */
export interface RetryAnswer {
  readonly seq: number;
  readonly status: 'RETRY';
  readonly retryAfterMs: number;
}

export interface ReceivedAnswer {
  readonly answer: ClientAnswer | RetryAnswer;
  /** What the connection's credit in events is from here on; 0: what it was. */
  readonly eventsInFlight: number;
}

const decoder = new TextDecoder();

const STATUS_NAMES: Readonly<Record<number, ClientAnswer['status'] | 'RETRY'>> = {
  [STATUS_OK]: 'OK',
  [STATUS_DUPLICATE]: 'DUPLICATE',
  [STATUS_REJECTED]: 'REJECTED',
  [STATUS_RETRY]: 'RETRY',
};

interface JsonAnswer {
  readonly seq: string;
  readonly status: ClientAnswer['status'] | 'RETRY';
  readonly events?: number;
  readonly decisions?: readonly (Decisions | null)[];
  readonly rejections?: readonly Rejection[];
  readonly warnings?: readonly Warning[];
  readonly retryAfterMs?: number;
  readonly eventsInFlight?: number;
}

/** null where the bytes are no hello. */
export function readHello(encoding: Encoding, bytes: Uint8Array): Hello | null {
  if (encoding === 'proto') return readHelloProto(bytes);
  const value = parse<Omit<Hello, 'highestSeq'> & { highestSeq: string }>(bytes);
  if (value === null || value.highestSeq === undefined) return null;
  // Older servers say nothing of events.
  return { ...value, highestSeq: Number(value.highestSeq), eventsInFlight: value.eventsInFlight ?? 0 };
}

/** First byte of a hello: the tag of its first field. An answer begins with another one. */
export const HELLO_TAG = 0x0a;

/**
 * A hello that comes between answers: from here on the decisions have the names that it says. null: the bytes are no hello.
 */
export function readHelloAgain(encoding: Encoding, bytes: Uint8Array): Hello | null {
  if (encoding === 'proto') return bytes[0] === HELLO_TAG ? readHelloProto(bytes) : null;
  return includesText(bytes, '"pipelineVersion"') ? readHello(encoding, bytes) : null;
}

/** null where the bytes are no answer. */
export function readAnswer(encoding: Encoding, bytes: Uint8Array, hello: Hello): ReceivedAnswer | null {
  return encoding === 'proto' ? readProto(bytes, hello) : readJson(bytes);
}

function readProto(bytes: Uint8Array, hello: Hello): ReceivedAnswer | null {
  const read = readAnswerProto(bytes);
  if (read === null) return null;
  const answer = named(read, hello);
  return answer === null ? null : { answer, eventsInFlight: read.eventsInFlight };
}

function named(answer: Answer, hello: Hello): ClientAnswer | RetryAnswer | null {
  const { seq, events, rejections, warnings, retryAfterMs } = answer;
  const status = STATUS_NAMES[answer.status];
  if (status === undefined) return null;
  if (status === 'RETRY') return { seq, status, retryAfterMs };
  const refused = new Set(rejections.map(({ index }) => index));
  const width = hello.decisions.length;
  const decisions = Array.from({ length: status === 'REJECTED' ? 0 : events }, (_, event) =>
    refused.has(event) ? null : byName(answer.decisions, event * width, hello),
  );
  return { seq, status, events, decisions, rejections, warnings };
}

function byName(codes: ArrayLike<number>, at: number, hello: Hello): Decisions {
  const decisions: Record<string, string | null> = {};
  hello.decisions.forEach(({ name, actions }, i) => enter(decisions, name, actions[(codes[at + i] ?? 0) - 1] ?? null));
  return decisions;
}

function readJson(bytes: Uint8Array): ReceivedAnswer | null {
  const value = parse<JsonAnswer>(bytes);
  if (value === null || value.status === undefined) return null;
  return { answer: filled(value, value.status), eventsInFlight: value.eventsInFlight ?? 0 };
}

function filled(value: JsonAnswer, status: JsonAnswer['status']): ClientAnswer | RetryAnswer {
  const seq = Number(value.seq);
  if (status === 'RETRY') return { seq, status, retryAfterMs: value.retryAfterMs ?? 0 };
  return {
    seq,
    status,
    events: value.events ?? 0,
    decisions: value.decisions ?? [],
    rejections: value.rejections ?? [],
    warnings: value.warnings ?? [],
  };
}

/** `text` is ASCII. */
function includesText(bytes: Uint8Array, text: string): boolean {
  const first = text.charCodeAt(0);
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let i = 1;
    while (i < text.length && bytes[at + i] === text.charCodeAt(i)) i++;
    if (i === text.length) return true;
  }
  return false;
}

function parse<T>(bytes: Uint8Array): T | null {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === 'object' ? (value as T) : null;
  } catch {
    return null;
  }
}
