/**
 * Writing the wire format and decimal digits into a byte buffer. Called by the answer writers on workers, by the JSON
 * transcoder, and by the client. Each function writes at `at` and returns where it ends; the caller has made room.
 */
// hot path: no allocation

import { WORD } from '../base/words.ts';

/** An unsigned 32-bit varint, at most five bytes. */
export function writeVarint(out: Uint8Array, at: number, value: number): number {
  let p = at;
  let rest = value >>> 0;
  while (rest > 127) {
    out[p++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  out[p++] = rest;
  return p;
}

/** A 64-bit varint, at most ten bytes. */
export function writeLong(out: Uint8Array, at: number, low: number, high: number): number {
  let p = at;
  let lo = low >>> 0;
  let hi = high >>> 0;
  while (hi !== 0) {
    out[p++] = (lo & 127) | 128;
    lo = ((lo >>> 7) | (hi << 25)) >>> 0;
    hi >>>= 7;
  }
  return writeVarint(out, p, lo);
}

export function writeFixed32(out: Uint8Array, at: number, value: number): number {
  out[at] = value;
  out[at + 1] = value >>> 8;
  out[at + 2] = value >>> 16;
  out[at + 3] = value >>> 24;
  return at + 4;
}

export function writeFixed64(out: Uint8Array, at: number, low: number, high: number): number {
  return writeFixed32(out, writeFixed32(out, at, low), high);
}

export function writeBytes(out: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i];
  return at + bytes.length;
}

const BILLION = 1000000000;

/** An unsigned 64-bit integer in decimal, at most 20 digits. */
export function writeDecimal(out: Uint8Array, at: number, low: number, high: number): number {
  const lo = low >>> 0;
  const hi = high >>> 0;
  if (hi === 0 && lo < BILLION) return writeDigits(out, at, lo, digitsOf(lo));
  // Long division by 10^9 in steps of 16 bits: a remainder below 2^30 and 16 bits more stay within a double's integers.
  let q1 = Math.floor(hi / BILLION);
  let r = hi - q1 * BILLION;
  let t = r * 65536 + (lo >>> 16);
  let q = Math.floor(t / BILLION);
  r = t - q * BILLION;
  let q0 = q * 65536;
  t = r * 65536 + (lo & 65535);
  q = Math.floor(t / BILLION);
  const lowest = t - q * BILLION;
  q0 += q;
  q1 += Math.floor(q0 / WORD);
  q0 %= WORD;
  const p = writeDecimal(out, at, q0, q1);
  return writeDigits(out, p, lowest, 9);
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}

function writeDigits(out: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = Math.floor(rest / 10);
    out[i] = 48 + rest - next * 10;
    rest = next;
  }
  return at + digits;
}
