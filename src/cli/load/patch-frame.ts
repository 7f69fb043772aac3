/**
 * Makes a frame's template into the frame with a given number: sequence number, event ids, players, hunts and times lie at known
 * places with fixed widths. Called by game-frames.ts for every frame of the load generator, on its only thread.
 *
 *   event   0a 10 id, 16 bytes · 10 player, 3 or 4 bytes · 18 hunt, 2 or 3 bytes · 22 0c 08 seconds, 5 bytes 10 nanos, 5 bytes · …
 *   id      prefix, 6 characters · 10 hex digits of seq * 8192 + index
 */
// hot path: no allocation

import type { Zipf } from './zipf.ts';

export const ID_BYTES = 16;
export const ID_PREFIX_BYTES = 6;
/** Of an event: where its id begins, and its player's number. */
export const ID_AT = 2;
export const PLAYER_AT = ID_AT + ID_BYTES + 1;
/** A frame's events are numbered within so many. */
export const EVENTS_PER_SEQ = 8192;
/** The number of an id has 40 bits, 13 of them for the index. */
export const SEQ_MAX = 2 ** 27 - 1;

const WORD = 4294967296;
const HEX = '0123456789abcdef';

export interface FramePatch {
  readonly players: Zipf;
  readonly playerFrom: number;
  readonly playerBytes: number;
  readonly hunts: Zipf;
  readonly huntFrom: number;
  readonly huntBytes: number;
  readonly seed: number;
  /** Two hex digits of each byte, as they lie in memory. */
  readonly digits: Uint16Array;
}

export function createDigits(): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => HEX.charCodeAt(byte >> 4) | (HEX.charCodeAt(byte & 15) << 8));
}

/**
 * `view` holds a copy of the template at `at`; its events begin at `at + eventAt[i]`. `prefixLow`, `prefixHigh`: the ids' first 4
 * and 2 characters. Players and hunts follow from the seed, the prefix and the seq, so a frame made again is the same.
 */
export function patchFrame(
  view: DataView,
  at: number,
  seqAt: number,
  eventAt: Int32Array,
  seq: number,
  prefixLow: number,
  prefixHigh: number,
  timeMs: number,
  patch: FramePatch,
): void {
  view.setUint32(at + seqAt, seq, true);
  view.setUint32(at + seqAt + 4, 0, true);
  const { digits, players, hunts, playerFrom, huntFrom, playerBytes, huntBytes } = patch;
  const playerThreshold = players.threshold;
  const playerAlias = players.alias;
  const huntThreshold = hunts.threshold;
  const huntAlias = hunts.alias;
  const playerShare = players.count / WORD;
  const huntShare = hunts.count / WORD;
  // The upper 24 bits of the 40 are the frame's: 3 bytes, 6 digits.
  const upper = Math.floor((seq * EVENTS_PER_SEQ) / 65536);
  const second = prefixHigh | (digits[upper >>> 16]! << 16);
  const third = digits[(upper >>> 8) & 255]! | (digits[upper & 255]! << 16);
  const lower = (seq * EVENTS_PER_SEQ) & 65535;
  const seconds = Math.floor(timeMs / 1000);
  const nanos = (timeMs - seconds * 1000) * 1000000;
  // 08 and the first three bytes of the seconds; the other two, 10 and the first of the nanos; the other four.
  const time0 =
    0x08 | ((continued(seconds) | (continued(seconds >>> 7) << 8) | (continued(seconds >>> 14) << 16)) << 8);
  const time1 =
    continued(seconds >>> 21) | (Math.floor(seconds / 268435456) << 8) | 0x100000 | (continued(nanos) << 24);
  const time2 =
    continued(nanos >>> 7) | (continued(nanos >>> 14) << 8) | (continued(nanos >>> 21) << 16) | ((nanos >>> 28) << 24);
  const huntAt = PLAYER_AT + playerBytes + 1;
  const timeAt = huntAt + huntBytes + 2;
  // sfc32, begun anew for each frame.
  let a = prefixLow ^ patch.seed;
  let b = seq | 0;
  let c = prefixHigh ^ 0x9e3779b9;
  let counter = 1;
  const count = eventAt.length;
  for (let i = -3; i < count; i++) {
    const word0 = (a + b + counter) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + word0) | 0;
    const word1 = (a + b + counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + word1) | 0;
    const word2 = (a + b + counter + 2) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + word2) | 0;
    const word3 = (a + b + counter + 3) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + word3) | 0;
    counter = (counter + 4) | 0;
    // The first words still show how it was begun.
    if (i < 0) continue;
    const column = Math.floor((word0 >>> 0) * playerShare);
    const player = playerFrom + (word1 >>> 0 < playerThreshold[column]! ? column : playerAlias[column]!);
    const place = Math.floor((word2 >>> 0) * huntShare);
    const hunt = huntFrom + (word3 >>> 0 < huntThreshold[place]! ? place : huntAlias[place]!);
    const p = at + eventAt[i]!;
    const number = lower + i;
    view.setUint32(p + ID_AT, prefixLow, true);
    view.setUint32(p + ID_AT + 4, second, true);
    view.setUint32(p + ID_AT + 8, third, true);
    view.setUint32(p + ID_AT + 12, digits[number >>> 8]! | (digits[number & 255]! << 16), true);
    if (playerBytes === 3) {
      view.setUint16(p + PLAYER_AT, continued(player) | (continued(player >>> 7) << 8), true);
      view.setUint8(p + PLAYER_AT + 2, player >>> 14);
    } else {
      view.setUint32(
        p + PLAYER_AT,
        continued(player) | (continued(player >>> 7) << 8) | (continued(player >>> 14) << 16) | ((player >>> 21) << 24),
        true,
      );
    }
    view.setUint8(p + huntAt, continued(hunt));
    if (huntBytes === 2) view.setUint8(p + huntAt + 1, hunt >>> 7);
    else view.setUint16(p + huntAt + 1, continued(hunt >>> 7) | ((hunt >>> 14) << 8), true);
    view.setUint32(p + timeAt, time0, true);
    view.setUint32(p + timeAt + 4, time1, true);
    view.setUint32(p + timeAt + 8, time2, true);
  }
}

/** The lowest seven bits, with the sign that more follow. */
function continued(value: number): number {
  return (value & 127) | 128;
}
