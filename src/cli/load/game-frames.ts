/**
 * Frames of the example game for the load generator. What costs (actions, positions, protobuf) is made once, as templates; for each
 * frame its number, ids, times, players and hunts are put into a copy (patch-frame.ts). A frame is a function of prefix, seq and
 * time, so one that must be sent again is made again, byte for byte.
 */

import { join } from 'node:path';
import protobuf from 'protobufjs';
import { frameHeaderBytes, writeFrameHeader } from '../../client/raw-websocket.ts';
import { OperatingError } from '../../errors.ts';
import { packageRoot } from '../../ops/compiled-url.ts';
import { createDigits, EVENTS_PER_SEQ, ID_BYTES, ID_PREFIX_BYTES, patchFrame, type FramePatch } from './patch-frame.ts';
import { below, pick, seeded } from './random.ts';
import { createZipf } from './zipf.ts';

export interface FrameShape {
  readonly eventsPerFrame: number;
  readonly players: number;
  readonly hunts: number;
  readonly zipfExponent: number;
  readonly seed: number;
  /** Whether a WebSocket header stands before each frame. */
  readonly webSocket: boolean;
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

interface Template {
  readonly bytes: Buffer;
  readonly seqAt: number;
  readonly eventAt: Int32Array;
}

const TEMPLATES_BYTES = 16 << 20;
const TEMPLATES_MAX = 20_000;
const TEMPLATES_MIN = 16;
const EVENT_BYTES = 90;
const SEQ_BYTES = 9;
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
  const patch: FramePatch = {
    players: createZipf(shape.players, shape.zipfExponent, random),
    playerFrom: playerWidth.from,
    playerBytes: playerWidth.bytes,
    hunts: createZipf(shape.hunts, shape.zipfExponent, random),
    huntFrom: huntWidth.from,
    huntBytes: huntWidth.bytes,
    seed: shape.seed | 0,
    digits: createDigits(),
  };
  const game = loadGame();
  const wanted = Math.floor(TEMPLATES_BYTES / (EVENT_BYTES * shape.eventsPerFrame));
  const count = Math.max(TEMPLATES_MIN, Math.min(TEMPLATES_MAX, wanted));
  const templates = Array.from({ length: count }, () => makeTemplate(shape, patch, game, random));
  const templateOf = (seq: number): Template => templates[seq % count]!;
  let buffer: ArrayBufferLike | null = null;
  let view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));
  return {
    bytes: (seq) => templateOf(seq).bytes.length,
    write(out, at, seq, prefix, timeMs) {
      const { bytes, seqAt, eventAt } = templateOf(seq);
      if (out.buffer !== buffer) view = new DataView((buffer = out.buffer));
      out.set(bytes, at);
      patchFrame(
        view,
        out.byteOffset + at,
        seqAt,
        eventAt,
        seq,
        charactersOf(prefix, 0, 4),
        charactersOf(prefix, 4, ID_PREFIX_BYTES),
        timeMs,
        patch,
      );
      return at + bytes.length;
    },
  };
}

function widthOf(name: string, count: number, least: number, most: number): (typeof WIDTHS)[number] {
  const width = WIDTHS.find(({ bytes, from, to }) => bytes >= least && bytes <= most && count <= to - from);
  if (width !== undefined) return width;
  throw new OperatingError('bad_option', `too many: ${name}=${count}`);
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

function makeTemplate(shape: FrameShape, patch: FramePatch, game: protobuf.Type, random: () => number): Template {
  const events = Array.from({ length: shape.eventsPerFrame }, () => makeEvent(patch, game, random));
  const length = events.reduce((sum, event) => sum + 1 + varintBytes(event.length) + event.length, SEQ_BYTES);
  const header = shape.webSocket ? frameHeaderBytes(length) : 0;
  const bytes = Buffer.alloc(header + length);
  if (shape.webSocket) writeFrameHeader(bytes, 0, length);
  bytes[header] = 0x09;
  let at = header + SEQ_BYTES;
  const eventAt = Int32Array.from(events, (event) => {
    bytes[at++] = 0x12;
    at = putVarint(bytes, at, event.length);
    bytes.set(event, at);
    at += event.length;
    return at - event.length;
  });
  return { bytes, seqAt: header + 1, eventAt };
}

/** Placeholders of the right width for all that is patched, then what protobufjs makes of position and action. */
function makeEvent(patch: FramePatch, game: protobuf.Type, random: () => number): Buffer {
  const lat = PARK.lat + Math.round(random() * PARK.width * 1e6) / 1e6;
  const lon = PARK.lon + Math.round(random() * PARK.width * 1e6) / 1e6;
  const action = pick(random, ACTIONS);
  const rest = game.encode(game.fromObject({ lat, lon, [action]: actionOf(action, random) })).finish();
  const head = Buffer.alloc(2 + ID_BYTES + 1 + patch.playerBytes + 1 + patch.huntBytes + 2 + 12);
  let at = 0;
  head[at++] = 0x0a;
  head[at++] = ID_BYTES;
  at += ID_BYTES;
  head[at++] = 0x10;
  at += patch.playerBytes;
  head[at++] = 0x18;
  at += patch.huntBytes;
  head[at++] = 0x22;
  head[at++] = 12;
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
