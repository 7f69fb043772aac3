/**
 * Templates: frames whose slots are empty, all in one piece of memory, since a frame of one event should touch few cache
 * lines. Called by frame-maker.ts, once a run.
 *
 *   frame   [WebSocket header] · 09 seq, 8 bytes · for each event: 12 length event
 */

import { writeVarint } from '../../../../native-free-core/codec/wire-write.ts';
import { FRAME_BYTES_MAX } from '../../../../native-free-core/layout/limits.ts';
import { frameHeaderBytes, writeWebSocketHeader } from '../../../client/raw-websocket.ts';
import { OperatingError } from '../../../errors.ts';
import type { PlacedEvent } from './place-slots.ts';

export interface Templates {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Template t is bytes[starts[t], starts[t + 1]); its number is written at seqAt[t], from its start. */
  readonly starts: Int32Array;
  readonly seqAt: Int32Array;
  /** By slot: where the value of event t * eventsPerFrame + i lies, from its template's start; -1: it has none. */
  readonly places: readonly Int32Array[];
}

export interface TemplateShape {
  readonly eventsPerFrame: number;
  /** Whether a WebSocket header stands before each frame. */
  readonly webSocket: boolean;
  /** How much is made in advance; absent: enough that columns of the table are not a few values over and over. */
  readonly templateBytes?: number;
}

const TEMPLATES_BYTES = 12 << 20;
const TEMPLATES_MAX = 4096;
const TEMPLATES_MIN = 2;
const SEQ_BYTES = 9;
const SEQ_TAG = 0x09;
const EVENT_TAG = 0x12;

/**
 * `next`: the next event; `eventsMin`: so many are to come in, a whole pattern for example; `slots`: how many an event has.
 */
export function makeTemplates(
  shape: TemplateShape,
  next: () => PlacedEvent,
  eventsMin: number,
  slots: number,
): Templates {
  const { eventsPerFrame, templateBytes = TEMPLATES_BYTES } = shape;
  const least = Math.max(TEMPLATES_MIN, Math.ceil(eventsMin / eventsPerFrame));
  const frames: FrameTemplate[] = [];
  for (let bytes = 0; frames.length < least || (bytes < templateBytes && frames.length < TEMPLATES_MAX);) {
    const frame = makeFrame(shape, Array.from({ length: eventsPerFrame }, next));
    frames.push(frame);
    bytes += frame.bytes.length;
  }
  return pack(frames, eventsPerFrame, slots);
}

interface FrameTemplate {
  readonly bytes: Uint8Array;
  readonly seqAt: number;
  readonly events: readonly { readonly at: number; readonly places: readonly number[] }[];
}

function makeFrame({ webSocket }: TemplateShape, events: readonly PlacedEvent[]): FrameTemplate {
  const lengthBytes = new Uint8Array(5);
  const length = events.reduce(
    (sum, { bytes }) => sum + 1 + writeVarint(lengthBytes, 0, bytes.length) + bytes.length,
    SEQ_BYTES,
  );
  if (length > FRAME_BYTES_MAX) {
    const fitting = Math.max(1, Math.floor((events.length * FRAME_BYTES_MAX) / length));
    throw new OperatingError(
      'bad_option',
      `a frame would be too large: events-per-frame=${events.length} bytes=${length} max=${FRAME_BYTES_MAX}; events of this pipeline go with --events-per-frame ${fitting}`,
    );
  }
  const header = webSocket ? frameHeaderBytes(length) : 0;
  const out = Buffer.alloc(header + length);
  if (webSocket) writeWebSocketHeader(out, 0, length);
  out[header] = SEQ_TAG;
  let at = header + SEQ_BYTES;
  const placed = events.map(({ bytes, places }) => {
    out[at] = EVENT_TAG;
    at = writeVarint(out, at + 1, bytes.length);
    out.set(bytes, at);
    at += bytes.length;
    return { at: at - bytes.length, places };
  });
  return { bytes: out, seqAt: header + 1, events: placed };
}

function pack(frames: readonly FrameTemplate[], eventsPerFrame: number, slots: number): Templates {
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.bytes.length, 0));
  const starts = new Int32Array(frames.length + 1);
  const places = Array.from({ length: slots }, () => new Int32Array(frames.length * eventsPerFrame).fill(-1));
  frames.forEach((frame, t) => {
    bytes.set(frame.bytes, starts[t]!);
    starts[t + 1] = starts[t]! + frame.bytes.length;
    frame.events.forEach((event, i) => {
      event.places.forEach((place, slot) => {
        if (place >= 0) places[slot]![t * eventsPerFrame + i] = event.at + place;
      });
    });
  });
  const seqAt = Int32Array.from(frames, (frame) => frame.seqAt);
  return { count: frames.length, bytes, view: new DataView(bytes.buffer), starts, seqAt, places };
}
