/**
 * The bytes of a Native block as a list of chunks in order: large buffers as they are, small pieces gathered, so that
 * whoever streams them makes few calls. Buffers belong to the block until it is released.
 */

import { detach, giveBuffer, takeBuffer, type BufferPool, type Growing } from './growing.ts';

/** Copying less than this costs less than one more write to a socket (some microseconds). */
const GATHER_BYTES_MAX = 16 * 1024;
const GATHER_BUFFER_BYTES = 64 * 1024;

/** One block in ClickHouse's Native format. */
export interface NativeBlock {
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
  readonly rows: number;
  /** To be called once nobody reads the chunks any more: their memory is used again. Without it they are garbage. */
  release(): void;
}

export interface ChunkList {
  readonly pool: BufferPool;
  readonly chunks: Uint8Array[];
  readonly owned: Uint8Array[];
  bytes: number;
  gather: Uint8Array;
  gatherStart: number;
  gatherEnd: number;
}

const EMPTY = new Uint8Array(0);

export function createChunks(pool: BufferPool): ChunkList {
  return { pool, chunks: [], owned: [], bytes: 0, gather: EMPTY, gatherStart: 0, gatherEnd: 0 };
}

/** Room for a few bytes that are written right away; returns where in `list.gather` they begin. */
function reserve(list: ChunkList, bytes: number): number {
  if (list.gatherEnd + bytes > list.gather.length) {
    flush(list);
    list.gather = takeBuffer(list.pool, Math.max(bytes, GATHER_BUFFER_BYTES));
    list.owned.push(list.gather);
    list.gatherStart = 0;
    list.gatherEnd = 0;
  }
  const at = list.gatherEnd;
  list.gatherEnd += bytes;
  list.bytes += bytes;
  return at;
}

function flush(list: ChunkList): void {
  if (list.gatherEnd > list.gatherStart) list.chunks.push(list.gather.subarray(list.gatherStart, list.gatherEnd));
  list.gatherStart = list.gatherEnd;
}

/** Copies. */
export function pushBytes(list: ChunkList, bytes: Uint8Array): void {
  const at = reserve(list, bytes.length);
  list.gather.set(bytes, at);
}

export function pushByte(list: ChunkList, value: number): void {
  const at = reserve(list, 1);
  list.gather[at] = value;
}

export function pushVarint(list: ChunkList, value: number): void {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) pushByte(list, (rest & 127) | 128);
  pushByte(list, rest);
}

/** Little-endian; `value` below 2^53. */
export function pushUInt64(list: ChunkList, value: number): void {
  let rest = value;
  for (let i = 0; i < 8; i++, rest = Math.floor(rest / 256)) pushByte(list, rest & 255);
}

/** Takes the growing buffer's bytes over. */
export function pushGrowing(list: ChunkList, growing: Growing): void {
  const end = growing.end;
  if (end === 0) return;
  const bytes = detach(growing);
  if (end <= GATHER_BYTES_MAX) {
    pushBytes(list, bytes.subarray(0, end));
    giveBuffer(list.pool, bytes);
    return;
  }
  flush(list);
  list.chunks.push(bytes.subarray(0, end));
  list.owned.push(bytes);
  list.bytes += end;
}

export function finishChunks(list: ChunkList, rows: number): NativeBlock {
  flush(list);
  const { pool, chunks, owned, bytes } = list;
  return {
    chunks,
    bytes,
    rows,
    release() {
      for (const buffer of owned.splice(0)) giveBuffer(pool, buffer);
    },
  };
}
