/**
 * Answers and hellos as objects: what the client reads, and the hello that a connection begins with. No dependencies, so
 * that a browser can use it. proto/hunt/v1/wire.proto is the contract.
 */

import { utf8Of } from './answer-texts.ts';
import {
  beginBlock,
  createByteWriter,
  putFixed64,
  putTag,
  appendText,
  putVarint,
  type ByteWriter,
  endBlock,
} from './byte-writer.ts';
import { readUtf8 } from './utf8.ts';
import { READ_MARGIN, WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT, readLong, readTag, readWords, skipField } from './wire.ts';
import { WORD } from '../base/words.ts';

export interface Rejection {
  readonly index: number;
  /** Stable, for programs. */
  readonly code: string;
  /** For people: field, what was expected, value, and the event's row in its frame, counted from 1. */
  readonly text: string;
  /** Path of the field that is to blame; absent where none is. */
  readonly field?: string;
  /** Its value as it came, cut where it is long. */
  readonly value?: string;
}

/** Something was taken that is most likely a mistake. */
export interface Warning {
  /** `unknown_field`. */
  readonly code: string;
  /** Path of the field; absent where several are counted together. */
  readonly field?: string;
  /** How often in this frame. */
  readonly count: number;
  readonly text: string;
}

export interface Answer {
  /** Below 2^53. */
  readonly seq: number;
  /** STATUS_* of answer.ts. */
  readonly status: number;
  readonly events: number;
  /** Row-major, events x decisions: 0, or 1 + index of the action. */
  readonly decisions: ArrayLike<number>;
  readonly rejections: readonly Rejection[];
  readonly warnings: readonly Warning[];
  readonly retryAfterMs: number;
  /** From here on the connection's credit in events; 0: as before. */
  readonly eventsInFlight: number;
}

export interface DecisionNames {
  readonly name: string;
  readonly actions: readonly string[];
}

export interface Hello {
  readonly pipeline: string;
  readonly pipelineVersion: string;
  readonly decisions: readonly DecisionNames[];
  readonly framesInFlight: number;
  readonly frameBytesMax: number;
  readonly frameEventsMax: number;
  /** Below 2^53. */
  readonly highestSeq: number;
  /** 0: not bounded. */
  readonly eventsInFlight: number;
}

/** Reads the fields of one message; `value` is the number of a varint or fixed64, or where bytes begin. */
type OnField = (number: number, wire: number, value: number, length: number) => void;

/** False where the bytes are not a message. */
function eachField(bytes: Uint8Array, at: number, end: number, onField: OnField): boolean {
  let p = at;
  while (p < end) {
    const start = readTag(bytes, p);
    if (start < 0 || start > end) return false;
    const tag = readWords[0];
    p = skipField(bytes, start, end, tag, 0);
    if (p < 0) return false;
    const wire = tag & 7;
    if (wire === WIRE_BYTES) {
      const from = readTag(bytes, start);
      onField(tag >>> 3, wire, from, p - from);
      continue;
    }
    if (wire === WIRE_VARINT) {
      if (readLong(bytes, start) < 0) return false;
    } else if (wire === WIRE_FIXED64) {
      readWords[0] = word(bytes, start);
      readWords[1] = word(bytes, start + 4);
    } else continue;
    onField(tag >>> 3, wire, (readWords[0] >>> 0) + (readWords[1] >>> 0) * WORD, 0);
  }
  return true;
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

/** Reading may go a little beyond the end; a message that came alone in its buffer is copied into a larger one. */
function withMargin(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.length + READ_MARGIN);
  bytes.set(message);
  return bytes;
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** null where the bytes are not an answer. */
export function readAnswerProto(message: Uint8Array): Answer | null {
  const bytes = withMargin(message);
  const decisions: number[] = [];
  const rejections: Rejection[] = [];
  const warnings: Warning[] = [];
  const answer: Draft<Answer> = {
    seq: 0,
    status: 0,
    events: 0,
    decisions,
    rejections,
    warnings,
    retryAfterMs: 0,
    eventsInFlight: 0,
  };
  let whole = true;
  const read = eachField(bytes, 0, message.length, (number, wire, value, length) => {
    if (wire === WIRE_FIXED64 && number === 1) answer.seq = value;
    else if (wire === WIRE_VARINT && number === 2) answer.status = value;
    else if (wire === WIRE_VARINT && number === 3) decisions.push(value >>> 0);
    else if (wire === WIRE_BYTES && number === 3) whole = readPacked(bytes, value, value + length, decisions) && whole;
    else if (wire === WIRE_BYTES && number === 4)
      whole = readRejection(bytes, value, value + length, rejections) && whole;
    else if (wire === WIRE_VARINT && number === 5) answer.retryAfterMs = value >>> 0;
    else if (wire === WIRE_VARINT && number === 6) answer.events = value >>> 0;
    else if (wire === WIRE_BYTES && number === 7) whole = readWarning(bytes, value, value + length, warnings) && whole;
    else if (wire === WIRE_VARINT && number === 8) answer.eventsInFlight = value >>> 0;
  });
  return read && whole ? answer : null;
}

function readPacked(bytes: Uint8Array, at: number, end: number, into: number[]): boolean {
  let p = at;
  while (p < end) {
    // Nearly all are one byte.
    if (bytes[p] < 128) {
      into.push(bytes[p++]);
      continue;
    }
    p = readLong(bytes, p);
    if (p < 0) return false;
    into.push(readWords[0] >>> 0);
  }
  return p === end;
}

function readRejection(bytes: Uint8Array, at: number, end: number, into: Rejection[]): boolean {
  const rejection: Draft<Rejection> = { index: 0, code: '', text: '' };
  const read = eachField(bytes, at, end, (number, wire, value, length) => {
    if (wire === WIRE_VARINT && number === 1) rejection.index = value >>> 0;
    else if (wire === WIRE_BYTES && number === 2) rejection.code = readUtf8(bytes, value, length);
    else if (wire === WIRE_BYTES && number === 3) rejection.text = readUtf8(bytes, value, length);
    else if (wire === WIRE_BYTES && number === 4) rejection.field = readUtf8(bytes, value, length);
    else if (wire === WIRE_BYTES && number === 5) rejection.value = readUtf8(bytes, value, length);
  });
  into.push(rejection);
  return read;
}

function readWarning(bytes: Uint8Array, at: number, end: number, into: Warning[]): boolean {
  const warning: Draft<Warning> = { code: '', count: 0, text: '' };
  const read = eachField(bytes, at, end, (number, wire, value, length) => {
    if (wire === WIRE_BYTES && number === 1) warning.code = readUtf8(bytes, value, length);
    else if (wire === WIRE_BYTES && number === 2) warning.field = readUtf8(bytes, value, length);
    else if (wire === WIRE_VARINT && number === 3) warning.count = value >>> 0;
    else if (wire === WIRE_BYTES && number === 4) warning.text = readUtf8(bytes, value, length);
  });
  into.push(warning);
  return read;
}

/** null where the bytes are not a hello. */
export function readHelloProto(message: Uint8Array): Hello | null {
  const bytes = withMargin(message);
  const decisions: DecisionNames[] = [];
  const hello: Draft<Hello> = {
    pipeline: '',
    pipelineVersion: '',
    decisions,
    framesInFlight: 0,
    frameBytesMax: 0,
    frameEventsMax: 0,
    highestSeq: 0,
    eventsInFlight: 0,
  };
  let whole = true;
  const read = eachField(bytes, 0, message.length, (number, wire, value, length) => {
    if (wire === WIRE_BYTES && number === 1) hello.pipeline = readUtf8(bytes, value, length);
    else if (wire === WIRE_BYTES && number === 2) hello.pipelineVersion = readUtf8(bytes, value, length);
    else if (wire === WIRE_BYTES && number === 3)
      whole = readDecision(bytes, value, value + length, decisions) && whole;
    else if (wire === WIRE_VARINT && number === 4) hello.framesInFlight = value >>> 0;
    else if (wire === WIRE_VARINT && number === 5) hello.frameBytesMax = value >>> 0;
    else if (wire === WIRE_VARINT && number === 6) hello.frameEventsMax = value >>> 0;
    else if (wire === WIRE_FIXED64 && number === 7) hello.highestSeq = value;
    else if (wire === WIRE_VARINT && number === 8) hello.eventsInFlight = value >>> 0;
  });
  return read && whole ? hello : null;
}

function readDecision(bytes: Uint8Array, at: number, end: number, into: DecisionNames[]): boolean {
  const actions: string[] = [];
  let name = '';
  const read = eachField(bytes, at, end, (number, wire, value, length) => {
    if (wire === WIRE_BYTES && number === 1) name = readUtf8(bytes, value, length);
    else if (wire === WIRE_BYTES && number === 2) actions.push(readUtf8(bytes, value, length));
  });
  into.push({ name, actions });
  return read;
}

function putNumber(w: ByteWriter, number: number, value: number): void {
  if (value === 0) return;
  putTag(w, number, WIRE_VARINT);
  putVarint(w, value);
}

function putSeq(w: ByteWriter, number: number, seq: number): void {
  if (seq === 0) return;
  putTag(w, number, WIRE_FIXED64);
  putFixed64(w, seq % WORD, Math.floor(seq / WORD));
}

function putString(w: ByteWriter, number: number, text: string): void {
  if (text === '') return;
  putTag(w, number, WIRE_BYTES);
  appendText(w, text);
}

export function encodeHelloProto(hello: Hello): Uint8Array {
  const w = createByteWriter(512);
  putString(w, 1, hello.pipeline);
  putString(w, 2, hello.pipelineVersion);
  for (const { name, actions } of hello.decisions) {
    const begin = beginBlock(w, 3);
    putString(w, 1, name);
    for (const action of actions) putString(w, 2, action);
    endBlock(w, begin);
  }
  putNumber(w, 4, hello.framesInFlight);
  putNumber(w, 5, hello.frameBytesMax);
  putNumber(w, 6, hello.frameEventsMax);
  putSeq(w, 7, hello.highestSeq);
  putNumber(w, 8, hello.eventsInFlight);
  return w.bytes.slice(0, w.end);
}

export function encodeHelloJson(hello: Hello): Uint8Array {
  return utf8Of(JSON.stringify({ ...hello, highestSeq: String(hello.highestSeq) }));
}
