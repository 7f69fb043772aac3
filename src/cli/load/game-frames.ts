/**
 * Frames of the example game for the load generator. What costs (actions, positions, protobuf) is made once, as templates; for each
 * frame its number, ids, times, players and hunts are put into a copy (patch-frame.ts). A frame is a function of prefix, seq and
 * time, so one that must be sent again is made again, byte for byte.
 */

import { join } from 'node:path';
import protobuf from 'protobufjs';
import { frameHeaderBytes, writeFrameHeader } from '../../client/raw-websocket.ts';
import { OperatingError } from '../../errors.ts';
import { packageRoot } from '../../system/compiled-url.ts';
import { createDigits, EVENTS_PER_SEQ, ID_BYTES, ID_PREFIX_BYTES, patchFrame, type FrameDraws } from './patch-frame.ts';
import { below, pick, seeded } from './random.ts';
import { createZipf, drawZipf, type Zipf } from './zipf.ts';

export interface FrameShape {
  readonly eventsPerFrame: number;
  readonly players: number;
  readonly hunts: number;
  readonly zipfExponent: number;
  readonly seed: number;
  /** Whether a WebSocket header stands before each frame. */
  readonly webSocket: boolean;
  /** An event's fields behind id, player, hunt and time, serialised; absent: position and action of the example game. */
  readonly rest?: (random: () => number) => Uint8Array;
}

export interface FrameMaker {
  /** Bytes of the frame with this number, its header included. */
  bytes(seq: number): number;
  /**
   * Writes the frame and returns where it ends. `prefix`: up to 6 characters, the first of its event ids, unlike those of any
   * other connection. `timeMs`: event time, whole ms.
   */
  write(out: Buffer, at: number, seq: number, prefix: string, timeMs: number): number;
}

/** All templates in one piece of memory: a frame of one event should touch few cache lines. */
interface Templates {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Template t is bytes[starts[t], starts[t + 1]); its number is written at seqAt[t], from its start. */
  readonly starts: Int32Array;
  readonly seqAt: Int32Array;
  /** Where its events begin, from its start: eventAt[t * eventsPerFrame …]. */
  readonly eventAt: Int32Array;
}

const TEMPLATES_BYTES = 16 << 20;
const TEMPLATES_MAX = 4096;
const TEMPLATES_MIN = 16;
const EVENT_BYTES = 90;
const TIME_BYTES = 12;
/** Draws in advance: so many for each number that even the rarest come, within bounds of memory. */
const DRAWS_PER_NUMBER = 40;
const DRAWS_MIN = 1 << 20;
const DRAWS_MAX = 1 << 23;
/** Fibonacci hashing: 2^32 over the golden ratio. */
const HASH_FACTOR = 0x9e3779b1;
/** Its upper bits are the ones that spread: as many as DRAWS_MAX has. */
const HASH_SHIFT = 32 - 23;
const WORD = 4294967296;
const SEQ_BYTES = 9;
/** Below this, copying word by word beats a call. */
const SMALL_FRAME_BYTES = 512;
/** A find is seldom, a dig is not. */
const ACTIONS = ['dig', 'dig', 'dig', 'dig', 'move', 'move', 'clue', 'clue', 'find', 'purchase', 'join'] as const;
type ActionName = (typeof ACTIONS)[number];
/** The whole game plays within a few hundred metres: nobody is taken for a teleporter because of a template. */
const PARK = { lat: 48.137, lon: 11.575, width: 0.006 };

/** Bytes of a varint, and the first number that takes so many: keys of one width can be exchanged in place. */
const WIDTHS = [
  { bytes: 2, from: 2 ** 7, to: 2 ** 14 },
  { bytes: 3, from: 2 ** 14, to: 2 ** 21 },
  { bytes: 4, from: 2 ** 21, to: 2 ** 28 },
];

export function createFrameMaker(shape: FrameShape): FrameMaker {
  if (shape.eventsPerFrame > EVENTS_PER_SEQ)
    throw new OperatingError(
      'bad_option',
      `too many events for one frame: events-per-frame=${shape.eventsPerFrame} max=${EVENTS_PER_SEQ}`,
    );
  const random = seeded(shape.seed);
  const playerWidth = widthOf('players', shape.players, 3, 4);
  const huntWidth = widthOf('hunts', shape.hunts, 2, 3);
  const draws: FrameDraws = {
    players: drawKeys(createZipf(shape.players, shape.zipfExponent, random), playerWidth, [0x18], random),
    hunts: drawKeys(createZipf(shape.hunts, shape.zipfExponent, random), huntWidth, [0x22, TIME_BYTES], random),
    playerBytes: playerWidth.bytes,
    huntBytes: huntWidth.bytes,
  };
  const digits = createDigits();
  const rest = shape.rest ?? gameRest();
  const wanted = Math.floor(TEMPLATES_BYTES / (EVENT_BYTES * shape.eventsPerFrame));
  const count = Math.max(TEMPLATES_MIN, Math.min(TEMPLATES_MAX, wanted));
  const made = Array.from({ length: count }, () => makeTemplate(shape, draws, rest, random));
  const templates = packTemplates(made, shape.eventsPerFrame);
  const { starts, seqAt, eventAt } = templates;
  let buffer: ArrayBufferLike | null = null;
  let view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));
  return {
    bytes: (seq) => starts[(seq % count) + 1]! - starts[seq % count]!,
    write(out, at, seq, prefix, timeMs) {
      const t = seq % count;
      const start = starts[t]!;
      const end = starts[t + 1]!;
      const low = charactersOf(prefix, 0, 4);
      const high = charactersOf(prefix, 4, ID_PREFIX_BYTES);
      const to = out.byteOffset + at;
      if (out.buffer !== buffer) view = new DataView((buffer = out.buffer));
      if (end - start > SMALL_FRAME_BYTES) out.set(templates.bytes.subarray(start, end), at);
      else copySmall(templates.view, start, end, view, to);
      patchFrame(
        view,
        to,
        seqAt[t]!,
        eventAt,
        t * shape.eventsPerFrame,
        shape.eventsPerFrame,
        seq,
        low,
        high,
        timeMs,
        digits,
        draws,
        // Consecutive frames read on where the last one stopped; connections begin far from one another.
        ((Math.imul(low ^ high, HASH_FACTOR) >>> HASH_SHIFT) + seq * shape.eventsPerFrame) | 0,
      );
      return at + end - start;
    },
  };
}

function copySmall(from: DataView, start: number, end: number, to: DataView, at: number): void {
  const words = start + ((end - start) & ~3);
  const shift = at - start;
  for (let p = start; p < words; p += 4) to.setInt32(p + shift, from.getInt32(p, true), true);
  for (let p = words; p < end; p++) to.setUint8(p + shift, from.getUint8(p));
}

function widthOf(name: string, count: number, least: number, most: number): (typeof WIDTHS)[number] {
  const width = WIDTHS.find(({ bytes, from, to }) => bytes >= least && bytes <= most && count <= to - from);
  if (width !== undefined) return width;
  throw new OperatingError('bad_option', `too many: ${name}=${count}`);
}

/** Keys by the law, each a varint as it lies in memory, filled up to four bytes with what follows it in an event. */
function drawKeys(
  zipf: Zipf,
  width: (typeof WIDTHS)[number],
  after: readonly number[],
  random: () => number,
): Uint32Array {
  const wanted = 2 ** Math.ceil(Math.log2(zipf.count * DRAWS_PER_NUMBER));
  const draws = new Uint32Array(Math.min(DRAWS_MAX, Math.max(DRAWS_MIN, wanted)));
  const four = Buffer.alloc(4);
  for (let i = width.bytes; i < 4; i++) four[i] = after[i - width.bytes]!;
  const last = width.bytes - 1;
  for (let d = 0; d < draws.length; d++) {
    const key = width.from + drawZipf(zipf, random() * WORD, random() * WORD);
    for (let i = 0; i < last; i++) four[i] = (key >>> (7 * i)) | 128;
    four[last] = key >>> (7 * last);
    draws[d] = four.readUInt32LE(0);
  }
  return draws;
}

/** Characters [from, to) as a little-endian number; '0' where the prefix is shorter. */
function charactersOf(prefix: string, from: number, to: number): number {
  let value = 0;
  for (let i = to - 1; i >= from; i--) value = (value << 8) | (i < prefix.length ? prefix.charCodeAt(i) : 0x30);
  return value;
}

function loadGame(): protobuf.Type {
  const root = new protobuf.Root();
  const folder = join(packageRoot(import.meta.url), 'proto');
  root.resolvePath = (_, target) => (target.startsWith('google/') ? target : join(folder, target));
  return root.loadSync('game/v1/events.proto').lookupType('game.v1.GameEvent');
}

type Rest = (random: () => number) => Uint8Array;

interface Made {
  readonly bytes: Buffer;
  readonly seqAt: number;
  readonly eventAt: readonly number[];
}

function packTemplates(made: readonly Made[], eventsPerFrame: number): Templates {
  const bytes = new Uint8Array(made.reduce((sum, template) => sum + template.bytes.length, 0));
  const starts = new Int32Array(made.length + 1);
  const eventAt = new Int32Array(made.length * eventsPerFrame);
  made.forEach((template, t) => {
    bytes.set(template.bytes, starts[t]!);
    starts[t + 1] = starts[t]! + template.bytes.length;
    eventAt.set(template.eventAt, t * eventsPerFrame);
  });
  return {
    bytes,
    view: new DataView(bytes.buffer),
    starts,
    seqAt: Int32Array.from(made, ({ seqAt }) => seqAt),
    eventAt,
  };
}

function makeTemplate(shape: FrameShape, draws: FrameDraws, rest: Rest, random: () => number): Made {
  const events = Array.from({ length: shape.eventsPerFrame }, () => makeEvent(draws, rest(random)));
  const length = events.reduce((sum, event) => sum + 1 + varintBytes(event.length) + event.length, SEQ_BYTES);
  const header = shape.webSocket ? frameHeaderBytes(length) : 0;
  const bytes = Buffer.alloc(header + length);
  if (shape.webSocket) writeFrameHeader(bytes, 0, length);
  bytes[header] = 0x09;
  let at = header + SEQ_BYTES;
  const eventAt = events.map((event) => {
    bytes[at++] = 0x12;
    at = putVarint(bytes, at, event.length);
    bytes.set(event, at);
    at += event.length;
    return at - event.length;
  });
  return { bytes, seqAt: header + 1, eventAt };
}

/** Position and action, as protobufjs serialises them. */
function gameRest(): Rest {
  const game = loadGame();
  return (random) => {
    const lat = PARK.lat + Math.round(random() * PARK.width * 1e6) / 1e6;
    const lon = PARK.lon + Math.round(random() * PARK.width * 1e6) / 1e6;
    const action = pick(random, ACTIONS);
    return game.encode(game.fromObject({ lat, lon, [action]: actionOf(action, random) })).finish();
  };
}

/** Placeholders of the right width for all that is patched, then the rest. */
function makeEvent(draws: FrameDraws, rest: Uint8Array): Buffer {
  const head = Buffer.alloc(2 + ID_BYTES + 1 + draws.playerBytes + 1 + draws.huntBytes + 2 + TIME_BYTES);
  let at = 0;
  head[at++] = 0x0a;
  head[at++] = ID_BYTES;
  at += ID_BYTES;
  head[at++] = 0x10;
  at += draws.playerBytes;
  head[at++] = 0x18;
  at += draws.huntBytes;
  head[at++] = 0x22;
  head[at++] = TIME_BYTES;
  return Buffer.concat([head, rest]);
}

function actionOf(action: ActionName, random: () => number): object {
  switch (action) {
    case 'join':
      return { platform: pick(random, ['ios', 'android', 'web']) };
    case 'move':
      return { metres: 1 + below(random, 50) };
    case 'dig':
      return { depth: below(random, 300) / 100, tool: below(random, 3) };
    case 'clue':
      return { clueId: 1 + below(random, 200) };
    case 'find':
      return { points: 1 + below(random, 100), rarity: below(random, 3) };
    case 'purchase':
      return { amount: below(random, 5000) / 100, item: `item-${below(random, 40)}` };
  }
}

function varintBytes(value: number): number {
  return value < 128 ? 1 : 2;
}

function putVarint(out: Buffer, at: number, value: number): number {
  if (value < 128) return out.writeUInt8(value, at);
  out[at] = (value & 127) | 128;
  return out.writeUInt8(value >> 7, at + 1);
}
