/**
 * The sequence number of a frame: 64 bits as its producer wrote them, in two words, because a double holds only 53. 0 stands
 * for none. A Seq is made once and written over for each frame; whoever keeps the number copies it.
 *
 *   byte 0 u32 low · 4 u32 high
 */
// hot path: no allocation

import { WORD } from '../base/words.ts';

/** Both words unsigned. */
export interface Seq {
  low: number;
  high: number;
}

export const SEQ_BYTES = 8;
export const SEQ_WORDS = 2;
const HIGH_AT = 4;

export function createSeq(seq = 0): Seq {
  return { low: seq % WORD, high: Math.floor(seq / WORD) };
}

/** `number`: an integer of 0 or more, below 2^53. */
export function setSeq(seq: Seq, number: number): void {
  seq.low = number % WORD;
  seq.high = Math.floor(number / WORD);
}

export function copySeq(to: Seq, from: Seq): void {
  to.low = from.low;
  to.high = from.high;
}

export function hasSeq(seq: Seq): boolean {
  return (seq.low | seq.high) !== 0;
}

/** As a number: exact below 2^53. */
export function seqNumber(seq: Seq): number {
  return seq.low + seq.high * WORD;
}

export function readSeq(view: DataView, at: number, to: Seq): void {
  to.low = view.getUint32(at, true);
  to.high = view.getUint32(at + HIGH_AT, true);
}

/** The same where no DataView is at hand. */
export function readSeqBytes(bytes: Uint8Array, at: number, to: Seq): void {
  to.low = readWord(bytes, at);
  to.high = readWord(bytes, at + HIGH_AT);
}

function readWord(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

export function writeSeq(view: DataView, at: number, seq: Seq): void {
  view.setUint32(at, seq.low, true);
  view.setUint32(at + HIGH_AT, seq.high, true);
}

/** The same in 32-bit words, at word `at`. */
export function loadSeq(words: Uint32Array | Int32Array, at: number, to: Seq): void {
  to.low = words[at] >>> 0;
  to.high = words[at + 1] >>> 0;
}

export function storeSeq(words: Uint32Array | Int32Array, at: number, seq: Seq): void {
  words[at] = seq.low;
  words[at + 1] = seq.high;
}
