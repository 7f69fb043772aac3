/**
 * Makes a frame's template into the frame with a given number: sequence number, event ids, players, hunts and times lie at known
 * places with fixed widths. Called by game-frames.ts for every frame of the load generator, on its only thread.
 *
 *   event   0a 10 id, 16 bytes · 10 player, 3 or 4 bytes · 18 hunt, 2 or 3 bytes · 22 0c 08 seconds, 5 bytes 10 nanos, 5 bytes · …
 *   id      prefix, 6 characters · 10 hex digits of seq * 8192 + index
 */
// hot path: no allocation

export const ID_BYTES = 16;
export const ID_PREFIX_BYTES = 6;
/** Of an event: where its id begins, and its player's number. */
export const ID_AT = 2;
export const PLAYER_AT = ID_AT + ID_BYTES + 1;
/** A frame's events are numbered within so many. */
export const EVENTS_PER_SEQ = 8192;
/** The number of an id has 40 bits, 13 of them for the index. */
export const SEQ_MAX = 2 ** 27 - 1;

const HEX = '0123456789abcdef';

/**
 * Draws in advance, read one after another: drawing for each event would wait for memory twice, since the tables of a large
 * population do not stay in caches that a whole engine uses too. Lengths are powers of two.
 */
export interface FrameDraws {
  /** A player's varint, and the tag of the hunt where that has the fourth byte. */
  readonly players: Uint32Array;
  /** A hunt's varint, and what follows it up to four bytes. */
  readonly hunts: Uint32Array;
  readonly playerBytes: number;
  readonly huntBytes: number;
}

/** Two hex digits of each byte, as they lie in memory. */
export function createDigits(): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => HEX.charCodeAt(byte >> 4) | (HEX.charCodeAt(byte & 15) << 8));
}

/**
 * `view` holds a copy of the template at `at`; its `count` events begin at `at + eventAt[eventFrom + i]`. `prefixLow`,
 * `prefixHigh`: the ids' first 4 and 2 characters. `drawFrom`: the first of its draws.
 */
export function patchFrame(
  view: DataView,
  at: number,
  seqAt: number,
  eventAt: Int32Array,
  eventFrom: number,
  count: number,
  seq: number,
  prefixLow: number,
  prefixHigh: number,
  timeMs: number,
  digits: Uint16Array,
  draws: FrameDraws,
  drawFrom: number,
): void {
  view.setUint32(at + seqAt, seq, true);
  view.setUint32(at + seqAt + 4, 0, true);
  const players = draws.players;
  const hunts = draws.hunts;
  const playerMask = players.length - 1;
  const huntMask = hunts.length - 1;
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
  const huntAt = PLAYER_AT + draws.playerBytes + 1;
  const timeAt = huntAt + draws.huntBytes + 2;
  for (let i = 0; i < count; i++) {
    const p = at + eventAt[eventFrom + i]!;
    const number = lower + i;
    view.setUint32(p + ID_AT, prefixLow, true);
    view.setUint32(p + ID_AT + 4, second, true);
    view.setUint32(p + ID_AT + 8, third, true);
    view.setUint32(p + ID_AT + 12, digits[number >>> 8]! | (digits[number & 255]! << 16), true);
    view.setUint32(p + PLAYER_AT, players[(drawFrom + i) & playerMask]!, true);
    view.setUint32(p + huntAt, hunts[(drawFrom + i) & huntMask]!, true);
    view.setUint32(p + timeAt, time0, true);
    view.setUint32(p + timeAt + 4, time1, true);
    view.setUint32(p + timeAt + 8, time2, true);
  }
}

/** The lowest seven bits, with the sign that more follow. */
function continued(value: number): number {
  return (value & 127) | 128;
}
