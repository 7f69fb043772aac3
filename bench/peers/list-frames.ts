/**
 * Frames of a list of events, for one connection: frame by frame the connections take turns in it, and it begins again at its
 * end. Ids are the run's six characters and the event's number in hexadecimal; times are the present, or the sample's.
 */

import type { FrameMaker } from '../../src/cli/load/frames/frame-maker.ts';
import { frameHeaderBytes, writeWebSocketHeader } from '../../src/client/raw-websocket.ts';
import { ID_BYTES, type Encoding, type EventList } from './event-list.ts';

export const RUN_CHARACTERS = 6;

export interface FrameShape {
  readonly encoding: Encoding;
  /** The list's length is a multiple of it. */
  readonly eventsPerFrame: number;
  readonly connection: number;
  readonly connections: number;
  /** Six characters. */
  readonly run: string;
  /** Times of a sample do not depend on when it is sent. */
  readonly isSample: boolean;
}

const SEQ_TAG = 0x09;
const SEQ_BYTES = 9;
const JSON_TAIL = ']}';
/** 2026-11-01T00:00:00Z. */
const SAMPLE_BEGIN = Date.UTC(2026, 10, 1);
/** The sample's three parts take as long each; half of a part comes in its first minute. */
const PART_MS = 600_000;
const BURST_MS = 60_000;
/** Not all come in order. */
const SAMPLE_LATE_MS = 8000;

export class ListFrames implements FrameMaker {
  readonly #list: EventList;
  readonly #shape: FrameShape;
  readonly #digits: Buffer;

  constructor(list: EventList, shape: FrameShape) {
    if (list.count % shape.eventsPerFrame !== 0) throw new Error('the last frame of the list would be shorter');
    this.#list = list;
    this.#shape = shape;
    this.#digits = Buffer.from(shape.run.padEnd(ID_BYTES, '0'), 'latin1');
  }

  bytes(seq: number): number {
    const body = this.bodyBytes(seq);
    return frameHeaderBytes(body) + body;
  }

  write(out: Buffer, at: number, seq: number, _: unknown, timeMs: number): number {
    const { encoding, eventsPerFrame, isSample } = this.#shape;
    const { bytes, starts, idAt, timeAt, count } = this.#list;
    const number = this.#first(seq);
    const first = number % count;
    const [from, to] = [starts[first]!, starts[first + eventsPerFrame]!];
    let end = writeWebSocketHeader(out, at, this.bodyBytes(seq));
    if (encoding === 'json') end += out.write(jsonHead(seq), end, 'latin1');
    else {
      out[end] = SEQ_TAG;
      out.writeBigUInt64LE(BigInt(seq), end + 1);
      end += SEQ_BYTES;
    }
    const shift = end - from;
    end += bytes.copy(out, end, from, to);
    for (let i = 0; i < eventsPerFrame; i++) {
      const event = starts[first + i]! + shift;
      this.#putId(out, event + idAt, number + i);
      putTime(out, event + timeAt, isSample ? sampleTime(number + i, count) : timeMs, encoding);
    }
    // In JSON the last comma gives way.
    if (encoding === 'json') end += out.write(JSON_TAIL, end - 1, 'latin1') - 1;
    return end;
  }

  #first(seq: number): number {
    const { connection, connections, eventsPerFrame } = this.#shape;
    return ((seq - 1) * connections + connection) * eventsPerFrame;
  }

  /** Without the header of its WebSocket message. */
  bodyBytes(seq: number): number {
    const { encoding, eventsPerFrame } = this.#shape;
    const first = this.#first(seq) % this.#list.count;
    const events = this.#list.starts[first + eventsPerFrame]! - this.#list.starts[first]!;
    return encoding === 'json' ? jsonHead(seq).length + events - 1 + JSON_TAIL.length : SEQ_BYTES + events;
  }

  #putId(out: Buffer, at: number, number: number): void {
    const digits = this.#digits;
    for (let place = ID_BYTES - 1, rest = number; place >= RUN_CHARACTERS; place--) {
      const digit = rest % 16;
      digits[place] = digit < 10 ? 48 + digit : 87 + digit;
      rest = (rest - digit) / 16;
    }
    out.set(digits, at);
  }
}

/** Event time of a sample of so many events. */
function sampleTime(number: number, events: number): number {
  const parts = (3 * number) / events;
  const within = parts - Math.floor(parts);
  const inPart = within < 0.5 ? 2 * within * BURST_MS : BURST_MS + (2 * within - 1) * (PART_MS - BURST_MS);
  return SAMPLE_BEGIN + Math.floor(parts) * PART_MS + Math.floor(inPart) - ((number * 7919) % SAMPLE_LATE_MS);
}

function jsonHead(seq: number): string {
  return `{"seq":${seq},"events":[`;
}

/** The text of the present millisecond is made once. */
const shown = { timeMs: -1, text: '' };

function putTime(out: Buffer, at: number, timeMs: number, encoding: Encoding): void {
  if (encoding === 'json') {
    if (shown.timeMs !== timeMs) Object.assign(shown, { timeMs, text: new Date(timeMs).toISOString() });
    out.write(shown.text, at, 'latin1');
    return;
  }
  const seconds = Math.floor(timeMs / 1000);
  putVarint(out, at, seconds);
  putVarint(out, at + 6, (timeMs - seconds * 1000) * 1_000_000);
}

/** In five bytes, whatever it is. */
function putVarint(out: Buffer, at: number, value: number): void {
  for (let i = 0, rest = value; i < 5; i++) {
    out[at + i] = (rest % 128) | (i < 4 ? 128 : 0);
    rest = Math.floor(rest / 128);
  }
}
