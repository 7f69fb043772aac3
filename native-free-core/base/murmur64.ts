/**
 * `hash()` of expressions: the value's bytes through MurmurHash3 x64_128 (Austin Appleby, public domain), its two halves
 * XORed as ClickHouse's murmurHash3_64 does, the highest 53 bits kept, so that a double holds the result:
 *
 *   string, bytes     bitShiftRight(murmurHash3_64(x), 11)
 *   integer, time     bitShiftRight(murmurHash3_64(toInt64(x)), 11), a time in milliseconds; true is 1, false is 0
 *   double            bitShiftRight(murmurHash3_64(toFloat64(x) + 0), 11)
 *
 * 64-bit numbers are pairs of 32-bit words here: without BigInt, so without allocation.
 */
// hot path: no allocation

import { WORD } from './words.ts';

/** h1 low, high, h2 low, high, and the block under way: k low, high. One thread runs a module's functions. */
const state = new Int32Array(6);
const H1 = 0;
const H2 = 2;
const K = 4;
const doubleBits = new Float64Array(1);
const doubleWords = new Int32Array(doubleBits.buffer);
const scratch = new Uint8Array(8);

/** High 32 bits of the product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 65535;
  const aHigh = a >>> 16;
  const bLow = b & 65535;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle % 65536);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) | 0;
}

function multiply(at: number, low: number, high: number): void {
  const a = state[at];
  const top = (multiplyHigh(a, low) + Math.imul(state[at + 1], low) + Math.imul(a, high)) | 0;
  state[at] = Math.imul(a, low);
  state[at + 1] = top;
}

function add(at: number, low: number, high: number): void {
  const sum = (state[at] >>> 0) + (low >>> 0);
  state[at] = sum | 0;
  state[at + 1] = (state[at + 1] + high + (sum >= WORD ? 1 : 0)) | 0;
}

/** `by` from 1 to 31. */
function rotate(at: number, by: number): void {
  const low = state[at];
  const high = state[at + 1];
  state[at] = (low << by) | (high >>> (32 - by));
  state[at + 1] = (high << by) | (low >>> (32 - by));
}

function exchangeHalves(at: number): void {
  const low = state[at];
  state[at] = state[at + 1];
  state[at + 1] = low;
}

/** c1 = 0x87c37b91114253d5, c2 = 0x4cf5ad432745937f. */
function mixFirst(): void {
  multiply(K, 0x114253d5, 0x87c37b91);
  rotate(K, 31);
  multiply(K, 0x2745937f, 0x4cf5ad43);
  state[H1] ^= state[K];
  state[H1 + 1] ^= state[K + 1];
}

function mixSecond(): void {
  multiply(K, 0x2745937f, 0x4cf5ad43);
  // By 33: the halves change places, then by 1.
  exchangeHalves(K);
  rotate(K, 1);
  multiply(K, 0x114253d5, 0x87c37b91);
  state[H2] ^= state[K];
  state[H2 + 1] ^= state[K + 1];
}

function finish(at: number): void {
  state[at] ^= state[at + 1] >>> 1;
  multiply(at, 0xed558ccd, 0xff51afd7);
  state[at] ^= state[at + 1] >>> 1;
  multiply(at, 0x1a85ec53, 0xc4ceb9fe);
  state[at] ^= state[at + 1] >>> 1;
}

/** Up to eight bytes, little-endian, into K. */
function loadBlock(bytes: Uint8Array, from: number, end: number): void {
  let low = 0;
  let high = 0;
  for (let i = 0; i < 4 && from + i < end; i++) low |= bytes[from + i] << (8 * i);
  for (let i = 0; i < 4 && from + 4 + i < end; i++) high |= bytes[from + 4 + i] << (8 * i);
  state[K] = low;
  state[K + 1] = high;
}

/** Of bytes[start, start + length): a non-negative integer below 2^53. */
export function hashText(bytes: Uint8Array, start: number, length: number): number {
  state.fill(0);
  const end = start + length;
  let at = start;
  for (; at + 16 <= end; at += 16) {
    loadBlock(bytes, at, end);
    mixFirst();
    rotate(H1, 27);
    add(H1, state[H2], state[H2 + 1]);
    multiply(H1, 5, 0);
    add(H1, 0x52dce729, 0);
    loadBlock(bytes, at + 8, end);
    mixSecond();
    rotate(H2, 31);
    add(H2, state[H1], state[H1 + 1]);
    multiply(H2, 5, 0);
    add(H2, 0x38495ab5, 0);
  }
  if (end - at > 8) {
    loadBlock(bytes, at + 8, end);
    mixSecond();
  }
  if (end > at) {
    loadBlock(bytes, at, end);
    mixFirst();
  }
  return finishHash(length);
}

function finishHash(length: number): number {
  state[H1] ^= length;
  state[H2] ^= length;
  add(H1, state[H2], state[H2 + 1]);
  add(H2, state[H1], state[H1 + 1]);
  finish(H1);
  finish(H2);
  add(H1, state[H2], state[H2 + 1]);
  add(H2, state[H1], state[H1 + 1]);
  const low = (state[H1] ^ state[H2]) >>> 0;
  const high = (state[H1 + 1] ^ state[H2 + 1]) >>> 0;
  return high * 2097152 + (low >>> 11);
}

/** Of a 64-bit integer by its halves. */
export function hashWords(low: number, high: number): number {
  for (let i = 0; i < 4; i++) {
    scratch[i] = low >>> (8 * i);
    scratch[4 + i] = high >>> (8 * i);
  }
  return hashText(scratch, 0, 8);
}

/** Of an integer below 2^53. */
export function hashInteger(value: number): number {
  return hashWords(value | 0, Math.floor(value / WORD));
}

export function hashDouble(value: number): number {
  doubleBits[0] = value + 0;
  return hashWords(doubleWords[0], doubleWords[1]);
}
