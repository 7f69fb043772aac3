/**
 * A byte buffer that grows, for messages whose size is not known before they are written: JSON events and hellos. Not for
 * the hot path: answers to protobuf frames go straight into their lane.
 */

import { utf8Bytes, writeUtf8 } from './utf8.ts';
import { writeFixed32, writeFixed64, writeLong, writeVarint } from './wire-write.ts';
import { READ_MARGIN, WIRE_BYTES } from './wire.ts';

/** From here on a native copy costs less than a loop, measured at 100-200 bytes. */
const LOOP_BYTES_MAX = 128;

export interface ByteWriter {
  bytes: Uint8Array;
  view: DataView;
  /** How many bytes have been written; READ_MARGIN more are there. */
  end: number;
}

export function createByteWriter(capacity: number): ByteWriter {
  const bytes = new Uint8Array(capacity + READ_MARGIN);
  return { bytes, view: new DataView(bytes.buffer), end: 0 };
}

export function makeRoom(w: ByteWriter, bytes: number): void {
  const needed = w.end + bytes + READ_MARGIN;
  if (needed <= w.bytes.length) return;
  const grown = new Uint8Array(Math.max(needed, w.bytes.length * 2));
  grown.set(w.bytes);
  w.bytes = grown;
  w.view = new DataView(grown.buffer);
}

export function putTag(w: ByteWriter, number: number, wire: number): void {
  putVarint(w, (number << 3) | wire);
}

export function putVarint(w: ByteWriter, value: number): void {
  makeRoom(w, 5);
  w.end = writeVarint(w.bytes, w.end, value);
}

export function putLong(w: ByteWriter, low: number, high: number): void {
  makeRoom(w, 10);
  w.end = writeLong(w.bytes, w.end, low, high);
}

export function putFixed32(w: ByteWriter, value: number): void {
  makeRoom(w, 4);
  w.end = writeFixed32(w.bytes, w.end, value);
}

export function putFixed64(w: ByteWriter, low: number, high: number): void {
  makeRoom(w, 8);
  w.end = writeFixed64(w.bytes, w.end, low, high);
}

export function putFloat(w: ByteWriter, value: number): void {
  makeRoom(w, 4);
  w.view.setFloat32(w.end, value, true);
  w.end += 4;
}

export function putDouble(w: ByteWriter, value: number): void {
  makeRoom(w, 8);
  w.view.setFloat64(w.end, value, true);
  w.end += 8;
}

/** Length and bytes of a string. */
export function appendText(w: ByteWriter, text: string): void {
  const length = utf8Bytes(text);
  makeRoom(w, length + 5);
  w.end = writeUtf8(w.bytes, writeVarint(w.bytes, w.end, length), text);
}

/** Length and bytes of block[start, end). */
export function putBlockOf(w: ByteWriter, block: Uint8Array, start: number, end: number): void {
  const length = end - start;
  makeRoom(w, length + 5);
  const out = w.bytes;
  let at = writeVarint(out, w.end, length);
  if (length <= LOOP_BYTES_MAX) for (let i = start; i < end; i++) out[at++] = block[i];
  else {
    out.set(block.subarray(start, end), at);
    at += length;
  }
  w.end = at;
}

/** Bytes of a length whose value comes later: a varint padded to four bytes, which every parser takes. */
const LENGTH_BYTES = 4;

/** Begins a field of WIRE_BYTES whose content follows; returns what `endBlock` needs. */
export function beginBlock(w: ByteWriter, number: number): number {
  putTag(w, number, WIRE_BYTES);
  makeRoom(w, LENGTH_BYTES);
  w.end += LENGTH_BYTES;
  return w.end;
}

export function endBlock(w: ByteWriter, begin: number): void {
  const length = w.end - begin;
  w.bytes[begin - 4] = (length & 127) | 128;
  w.bytes[begin - 3] = ((length >>> 7) & 127) | 128;
  w.bytes[begin - 2] = ((length >>> 14) & 127) | 128;
  w.bytes[begin - 1] = (length >>> 21) & 127;
}
