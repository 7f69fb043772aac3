/**
 * Shared memory regions. Every region begins with the same header, so that a thread that attaches to the wrong
 * buffer, or to one of another build, stops at once instead of reading garbage.
 *
 *   byte  0  Int32  magic    written once by the creator, before any other thread sees the buffer
 *   byte  4  Int32  kind     what the region holds (REGION_*)
 *   byte  8  Int32  version  layout version of that kind
 *   byte 12  Int32  size     whole size in bytes, header included
 *   byte 16  ...             up to 64: free for the kind, so that its fields share no cache line with the next region
 */

import { fail } from '../base/fail.ts';

export const REGION_MAGIC = 0x48554e54; // "HUNT"
export const REGION_HEADER_BYTES = 64; // one cache line
/** Int32 indices into byte views must stay positive. */
export const REGION_BYTES_MAX = 2 ** 31 - 64;

export const REGION_CONTROL = 1;
export const REGION_LANE = 2;
export const REGION_ENTITIES = 3;
export const REGION_PRODUCERS = 4;
export const REGION_IDS = 5;
export const REGION_DICTIONARY = 6;
export const REGION_KEY_LIST = 7;

export function createRegion(kind: number, version: number, bodyBytes: number): SharedArrayBuffer {
  const size = REGION_HEADER_BYTES + Math.ceil(bodyBytes / 64) * 64;
  if (size > REGION_BYTES_MAX) fail('region_too_large', size);
  const buffer = new SharedArrayBuffer(size);
  const header = new Int32Array(buffer, 0, 4);
  header[0] = REGION_MAGIC;
  header[1] = kind;
  header[2] = version;
  header[3] = size;
  return buffer;
}

/** Every thread calls this before it builds views over a region. */
export function checkRegion(buffer: SharedArrayBuffer, kind: number, version: number): void {
  const header = new Int32Array(buffer, 0, 4);
  if (header[0] !== REGION_MAGIC) fail('region_magic', header[0]);
  if (header[1] !== kind) fail('region_kind', header[1]);
  if (header[2] !== version) fail('region_version', header[2]);
  if (header[3] !== buffer.byteLength) fail('region_size', header[3]);
}
