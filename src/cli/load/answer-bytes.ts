/**
 * Reads what the load generator needs of an answer in protobuf, in place: most of it are decisions, which are passed over.
 * Called by load-stream.ts for every answer. The answer's layout: native-free-core/codec/answer.ts.
 */
// hot path: no allocation

const TAG_SEQ = 0x09;
const TAG_STATUS = 0x10;
const TAG_REJECTIONS = 0x22;
const TAG_RETRY_AFTER_MS = 0x28;
const TAG_EVENTS_IN_FLIGHT = 0x40;
const WIRE_BYTES = 2;
const WIRE_FIXED64 = 1;
const HIGH = 4294967296;

export interface AnswerFigures {
  seq: number;
  status: number;
  /** Events that were refused alone. */
  rejections: number;
  retryAfterMs: number;
  /** The credit in events from here on; 0: as before. */
  eventsInFlight: number;
}

/** Where a varint ends that `readVarint` began, and its value. */
const varint = { end: 0, value: 0 };

function readVarint(bytes: Uint8Array, at: number): void {
  let p = at;
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = bytes[p++]!;
    value += (byte & 127) * scale;
    if (byte < 128) break;
    scale *= 128;
  }
  varint.end = p;
  varint.value = value;
}

export function readAnswerFigures(bytes: Uint8Array, start: number, end: number, into: AnswerFigures): void {
  into.seq = 0;
  into.status = 0;
  into.rejections = 0;
  into.retryAfterMs = 0;
  into.eventsInFlight = 0;
  let p = start;
  while (p < end) {
    const tag = bytes[p++]!;
    const wire = tag & 7;
    if (wire === WIRE_FIXED64) {
      if (tag === TAG_SEQ) {
        into.seq = word(bytes, p) + word(bytes, p + 4) * HIGH;
      }
      p += 8;
      continue;
    }
    readVarint(bytes, p);
    p = varint.end;
    if (wire === WIRE_BYTES) {
      p += varint.value;
      if (tag === TAG_REJECTIONS) into.rejections++;
    } else if (tag === TAG_STATUS) into.status = varint.value;
    else if (tag === TAG_RETRY_AFTER_MS) into.retryAfterMs = varint.value;
    else if (tag === TAG_EVENTS_IN_FLIGHT) into.eventsInFlight = varint.value;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
