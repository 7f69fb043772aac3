/**
 * The protobuf wire format, as far as it is the same for every message: varints, tags, lengths, fields to be skipped.
 * Called by emitted decoders and by frame.ts on decision workers, and by the client.
 *
 *   field  = tag value          tag = varint(number << 3 | type)
 *   value  = varint (type 0) | 8 bytes (1) | varint(length) bytes (2) | fields, end tag (3 ... 4) | 4 bytes (5)
 *
 * A varint that runs over its message's end is read from the bytes behind it; the caller sees that it stands beyond the end
 * and refuses. READ_MARGIN bytes behind the end must therefore be readable, whatever is in them.
 */
// hot path: no allocation

import { EVENT_MALFORMED, EVENT_NESTED_TOO_DEEP } from '../base/outcomes.ts';
import { NESTING_MAX } from '../layout/limits.ts';

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_GROUP = 3;
export const WIRE_GROUP_END = 4;
export const WIRE_FIXED32 = 5;

/** The longest tag (5) and the longest varint (10) behind it, rounded up. */
export const READ_MARGIN = 16;

/** What the last readLong, readTag or readLength read: low word, high word. One thread, so one place will do. */
export const readWords = new Int32Array(2);

/**
 * Reads a varint of up to ten bytes into `readWords`, dropping bits beyond 64. Returns where it ends, or -1 where it is
 * longer.
 */
export function readLong(bytes: Uint8Array, at: number): number {
  let p = at;
  let b = bytes[p++];
  let low = b & 127;
  let high = 0;
  if (b > 127) {
    b = bytes[p++];
    low |= (b & 127) << 7;
    if (b > 127) {
      b = bytes[p++];
      low |= (b & 127) << 14;
      if (b > 127) {
        b = bytes[p++];
        low |= (b & 127) << 21;
        if (b > 127) {
          b = bytes[p++];
          low |= b << 28;
          high = (b & 127) >>> 4;
          if (b > 127) {
            let shift = 3;
            for (; shift <= 31; shift += 7) {
              b = bytes[p++];
              high |= (b & 127) << shift;
              if (b < 128) break;
            }
            if (shift > 31) return -1;
          }
        }
      }
    }
  }
  readWords[0] = low;
  readWords[1] = high;
  return p;
}

/** Reads a tag into `readWords[0]`. At most five bytes and 32 bits; returns where it ends, or -1. */
export function readTag(bytes: Uint8Array, at: number): number {
  let p = at;
  let value = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const b = bytes[p++];
    value |= (b & 127) << shift;
    if (b < 128) {
      readWords[0] = value;
      return p;
    }
  }
  const last = bytes[p++];
  if (last > 15) return -1;
  readWords[0] = value | (last << 28);
  return p;
}

/** Reads a length into `readWords[0]`. At most five bytes and 31 bits; returns where it ends, or -1. */
export function readLength(bytes: Uint8Array, at: number): number {
  const p = readTag(bytes, at);
  return p >= 0 && readWords[0] < 0 ? -1 : p;
}

/**
 * Skips the value of a field whose tag has been read. `depth`: how deep the message itself is nested. Returns where it ends,
 * or an outcome.
 */
export function skipField(bytes: Uint8Array, at: number, end: number, tag: number, depth: number): number {
  if (tag >>> 3 === 0) return EVENT_MALFORMED;
  let p = at;
  switch (tag & 7) {
    case WIRE_VARINT:
      do {
        if (p >= end) return EVENT_MALFORMED;
      } while (bytes[p++] > 127);
      return p;
    case WIRE_FIXED64:
      p += 8;
      break;
    case WIRE_FIXED32:
      p += 4;
      break;
    case WIRE_BYTES:
      p = readLength(bytes, p);
      if (p < 0) return EVENT_MALFORMED;
      p += readWords[0];
      break;
    case WIRE_GROUP:
      return skipGroup(bytes, p, end, tag >>> 3, depth + 1);
    default:
      return EVENT_MALFORMED;
  }
  return p > end ? EVENT_MALFORMED : p;
}

function skipGroup(bytes: Uint8Array, at: number, end: number, number: number, depth: number): number {
  if (depth > NESTING_MAX) return EVENT_NESTED_TOO_DEEP;
  let p = at;
  while (p < end) {
    p = readTag(bytes, p);
    if (p < 0 || p > end) return EVENT_MALFORMED;
    const tag = readWords[0];
    if ((tag & 7) === WIRE_GROUP_END) return tag >>> 3 === number ? p : EVENT_MALFORMED;
    p = skipField(bytes, p, end, tag, depth);
    if (p < 0) return p;
  }
  return EVENT_MALFORMED;
}
