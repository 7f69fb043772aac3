/** Frames as bytes, in both encodings of the wire (proto/hunt/v1/wire.proto). Used by hunt-client.ts. */

import { WORD } from '../../native-free-core/base/words.ts';
import { writeFixed64, writeVarint } from '../../native-free-core/codec/wire-write.ts';

export type Encoding = 'proto' | 'json';

/** An event that is JSON already: goes out as it is, so that no digit of a 64-bit number is lost on the way. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** `proto`: a serialised message of the pipeline's type. `json`: an object in protobuf's JSON mapping, or its text. */
export type ClientEvent = Uint8Array | object | JsonText;

const TAG_SEQ = 0x09;
const TAG_EVENT = 0x12;
/** A tag and a length of at most 5 bytes. */
const EVENT_HEAD_BYTES_MAX = 6;

/** Throws a TypeError where an event does not suit the encoding. */
export function encodeFrame(encoding: Encoding, seq: number, events: readonly ClientEvent[]): Uint8Array | string {
  return encoding === 'proto' ? encodeProto(seq, events) : encodeJson(seq, events);
}

function encodeProto(seq: number, events: readonly ClientEvent[]): Uint8Array {
  let bytesMax = 9;
  for (const event of events) {
    if (!(event instanceof Uint8Array))
      throw new TypeError(
        'events of a connection in protobuf are Uint8Arrays: serialise them, or connect with encoding json',
      );
    bytesMax += EVENT_HEAD_BYTES_MAX + event.length;
  }
  const out = new Uint8Array(bytesMax);
  out[0] = TAG_SEQ;
  let p = writeFixed64(out, 1, seq % WORD, Math.floor(seq / WORD));
  for (const event of events as readonly Uint8Array[]) {
    out[p] = TAG_EVENT;
    p = writeVarint(out, p + 1, event.length);
    out.set(event, p);
    p += event.length;
  }
  return out.subarray(0, p);
}

/** `seq` stands first, as in protobuf, and as text: it may go beyond 2^53. */
function encodeJson(seq: number, events: readonly ClientEvent[]): string {
  const texts = events.map((event) => {
    if (event instanceof JsonText) return event.text;
    if (event instanceof Uint8Array)
      throw new TypeError('events of a connection in JSON are objects: connect with encoding proto to send bytes');
    return JSON.stringify(event);
  });
  return `{"seq":"${seq}","events":[${texts.join(',')}]}`;
}

/** Bytes that a text will have; half of a pair alone goes out as U+FFFD, which has three. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // Of a pair, both units and two more are counted then: its four bytes.
    if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i++;
  }
  return bytes;
}
