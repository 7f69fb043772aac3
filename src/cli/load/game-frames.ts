/**
 * Frames of the example game, made once and patched for each sending: sequence number, event ids and event time lie at known
 * offsets with fixed widths. A frame is a function of connection and seq, so one that must be sent again is made again.
 */

import { join } from 'node:path';
import protobuf from 'protobufjs';
import { packageRoot } from '../../ops/compiled-url.ts';
import { frameHeaderBytes, writeFrameHeader } from '../../client/raw-websocket.ts';

export interface FrameShape {
  readonly eventsPerFrame: number;
  readonly players: number;
  readonly hunts: number;
  readonly zipfExponent: number;
  readonly seed: number;
  /** Whether a WebSocket header stands before each frame. */
  readonly webSocket: boolean;
}

interface Template {
  readonly bytes: Buffer;
  readonly seqAt: number;
  /** Of each event: where the 8 digits of its number begin, and its time. */
  readonly idAt: Int32Array;
  readonly timeAt: Int32Array;
}

export interface FrameMaker {
  /** Bytes of the frame with this number. */
  bytes(seq: number): number;
  /** Writes the frame and returns where it ends. `prefix`: 4 characters of the ids, unlike those of any other connection. */
  write(out: Buffer, at: number, seq: number, prefix: string, timeMs: number): number;
}

const TEMPLATES_BYTES = 16 << 20;
const TEMPLATES_MAX = 20_000;
const DIGITS = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz', 'latin1');
const ID_BYTES = 12;
const FIRST_DIGIT = 0x30;
const NINE = 0x39;
const LETTER_A = 0x61;
const LAST_DIGIT = 0x7a;
const ACTIONS = ['dig', 'dig', 'dig', 'dig', 'move', 'move', 'clue', 'clue', 'find', 'purchase', 'join'] as const;
const FIELD: Readonly<Record<string, number>> = { join: 10, move: 11, dig: 12, clue: 13, find: 14, purchase: 15 };

export function createFrameMaker(shape: FrameShape): FrameMaker {
  const root = new protobuf.Root();
  const folder = join(packageRoot(import.meta.url), 'proto');
  root.resolvePath = (_, target) => (target.startsWith('google/') ? target : join(folder, target));
  root.loadSync('game/v1/events.proto');
  const random = seeded(shape.seed);
  const player = zipf(shape.players, shape.zipfExponent, random);
  const hunt = zipf(shape.hunts, shape.zipfExponent, random);
  const eventBytes = 90;
  const count = Math.max(
    16,
    Math.min(TEMPLATES_MAX, Math.floor(TEMPLATES_BYTES / (eventBytes * shape.eventsPerFrame))),
  );
  const templates = Array.from({ length: count }, () => makeTemplate(shape, root, random, player, hunt));
  const templateOf = (seq: number): Template => templates[seq % count]!;
  const time = Buffer.alloc(12);
  const id = Buffer.alloc(ID_BYTES);
  return {
    bytes: (seq) => templateOf(seq).bytes.length,
    write(out, at, seq, prefix, timeMs) {
      const { bytes, seqAt, idAt, timeAt } = templateOf(seq);
      out.set(bytes, at);
      out.writeUInt32LE(seq % 4294967296, at + seqAt);
      out.writeUInt32LE(Math.floor(seq / 4294967296), at + seqAt + 4);
      writeTime(time, timeMs);
      writeId(id, prefix, seq * shape.eventsPerFrame);
      for (let i = 0; i < idAt.length; i++) {
        const to = at + idAt[i]!;
        for (let b = 0; b < ID_BYTES; b++) out[to + b] = id[b]!;
        const then = at + timeAt[i]!;
        for (let b = 0; b < 12; b++) out[then + b] = time[b]!;
        countUp(id);
      }
      return at + bytes.length;
    },
  };
}

function writeId(out: Buffer, prefix: string, number: number): void {
  for (let i = 0; i < 4; i++) out[i] = prefix.charCodeAt(i);
  let rest = number;
  for (let i = ID_BYTES - 1; i >= 4; i--) {
    const next = Math.floor(rest / 36);
    out[i] = DIGITS[rest - next * 36]!;
    rest = next;
  }
}

/** The next number in place: cheaper than dividing for each event. */
function countUp(id: Buffer): void {
  for (let i = ID_BYTES - 1; i >= 4; i--) {
    const digit = id[i]!;
    if (digit === LAST_DIGIT) id[i] = FIRST_DIGIT;
    else {
      id[i] = digit === NINE ? LETTER_A : digit + 1;
      return;
    }
  }
}

/** Timestamp { seconds = 1, nanos = 2 }, both as varints of five bytes: longer than need be, which protobuf allows. */
function writeTime(out: Buffer, timeMs: number): void {
  const seconds = Math.floor(timeMs / 1000);
  out[0] = 0x08;
  writeVarint5(out, 1, seconds);
  out[6] = 0x10;
  writeVarint5(out, 7, (timeMs - seconds * 1000) * 1_000_000);
}

function writeVarint5(out: Buffer, at: number, value: number): void {
  for (let i = 0; i < 4; i++) out[at + i] = ((value >>> (7 * i)) & 127) | 128;
  out[at + 4] = Math.floor(value / 2 ** 28) & 127;
}

function makeTemplate(
  shape: FrameShape,
  root: protobuf.Root,
  random: () => number,
  player: () => number,
  hunt: () => number,
): Template {
  const events: Buffer[] = [];
  const idAt = new Int32Array(shape.eventsPerFrame);
  const timeAt = new Int32Array(shape.eventsPerFrame);
  let end = 9;
  for (let i = 0; i < shape.eventsPerFrame; i++) {
    const event = makeEvent(root, random, player(), hunt());
    const head = Buffer.from([0x12, ...varint(event.bytes.length)]);
    idAt[i] = end + head.length + event.idAt;
    timeAt[i] = end + head.length + event.timeAt;
    events.push(head, event.bytes);
    end += head.length + event.bytes.length;
  }
  const header = shape.webSocket ? frameHeaderBytes(end) : 0;
  const bytes = Buffer.alloc(header + end);
  if (shape.webSocket) writeFrameHeader(bytes, 0, end);
  bytes[header] = 0x09;
  Buffer.concat(events).copy(bytes, header + 9);
  for (let i = 0; i < idAt.length; i++) {
    idAt[i]! += header;
    timeAt[i]! += header;
  }
  return { bytes, seqAt: header + 1, idAt, timeAt };
}

function makeEvent(root: protobuf.Root, random: () => number, player: number, hunt: number) {
  const action = ACTIONS[Math.floor(random() * ACTIONS.length)]!;
  const type = root.lookupType(`game.v1.${action[0]!.toUpperCase()}${action.slice(1)}`);
  const body = type.encode(type.fromObject(actionFields(action, random))).finish();
  const place = Buffer.alloc(18);
  place[0] = 0x29;
  place.writeDoubleLE(48 + Math.round(random() * 1e4) / 1e6, 1);
  place[9] = 0x31;
  place.writeDoubleLE(11 + Math.round(random() * 1e4) / 1e6, 10);
  const keys = Buffer.from([0x10, ...varint(player), 0x18, ...varint(hunt)]);
  const idAt = 2;
  const timeAt = idAt + ID_BYTES + keys.length + 2;
  const parts = [
    Buffer.from([0x0a, ID_BYTES]),
    Buffer.alloc(ID_BYTES, 0x30),
    keys,
    Buffer.from([0x22, 12]),
    Buffer.alloc(12),
    place,
    Buffer.from([(FIELD[action]! << 3) | 2, ...varint(body.length)]),
    body,
  ];
  return { bytes: Buffer.concat(parts), idAt, timeAt };
}

function actionFields(action: (typeof ACTIONS)[number], random: () => number): Record<string, unknown> {
  const whole = (below: number): number => Math.floor(random() * below);
  switch (action) {
    case 'join':
      return { platform: ['ios', 'android', 'web'][whole(3)] };
    case 'move':
      return { metres: whole(50) };
    case 'dig':
      return { depth: whole(300) / 100, tool: whole(3) };
    case 'clue':
      return { clueId: whole(200) };
    case 'find':
      return { points: whole(100), rarity: whole(3) };
    case 'purchase':
      return { amount: whole(5000) / 100, item: `item-${whole(40)}` };
  }
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

/** Ranks from 1 on, rank k with probability proportional to k^-exponent; spread over the numbers so that neighbours are not alike. */
export function zipf(count: number, exponent: number, random: () => number): () => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let k = 0; k < count; k++) sums[k] = sum += (k + 1) ** -exponent;
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

/** mulberry32 */
export function seeded(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
