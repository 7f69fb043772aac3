/**
 * Byte buffers that grow while a Native block is gathered, and the pool that they come from and go back to. An encoder of
 * one thread owns a pool; the buffers of a block that has been handed out return with its `release`.
 */

/** Buffers come in powers of two, from 4 KiB. */
const CLASS_MIN = 12;
const CLASSES = 20;

export interface BufferPool {
  /** Free buffers by size: 2^(CLASS_MIN + index) bytes. */
  readonly free: readonly Uint8Array[][];
  freeBytes: number;
  readonly freeBytesMax: number;
}

export interface Growing {
  readonly pool: BufferPool;
  bytes: Uint8Array;
  view: DataView;
  end: number;
  /** Size of the buffer before this one: the next will be as large. */
  lastBytes: number;
}

const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);

export function createPool(freeBytesMax: number): BufferPool {
  return { free: Array.from({ length: CLASSES }, () => []), freeBytes: 0, freeBytesMax };
}

function classOf(bytes: number): number {
  return Math.max(0, 32 - Math.clz32(Math.max(1, bytes) - 1) - CLASS_MIN);
}

export function takeBuffer(pool: BufferPool, bytesMin: number): Uint8Array {
  const size = classOf(bytesMin);
  const buffer = pool.free[size].pop();
  if (buffer === undefined) return new Uint8Array(2 ** (size + CLASS_MIN));
  pool.freeBytes -= buffer.byteLength;
  return buffer;
}

export function giveBuffer(pool: BufferPool, buffer: Uint8Array): void {
  if (pool.freeBytes + buffer.byteLength > pool.freeBytesMax) return;
  pool.free[classOf(buffer.byteLength)].push(buffer);
  pool.freeBytes += buffer.byteLength;
}

export function createGrowing(pool: BufferPool): Growing {
  return { pool, bytes: EMPTY, view: EMPTY_VIEW, end: 0, lastBytes: 0 };
}

/** Makes room for `more` bytes and moves the end behind them; returns where they begin. What is there is not zeroed. */
export function extend(growing: Growing, more: number): number {
  const at = growing.end;
  growing.end = at + more;
  if (growing.end > growing.bytes.length) enlarge(growing, at);
  return at;
}

function enlarge(growing: Growing, used: number): void {
  const bytes = takeBuffer(growing.pool, Math.max(growing.end, growing.lastBytes));
  if (used > 0) bytes.set(growing.bytes.subarray(0, used), 0);
  if (growing.bytes.length > 0) giveBuffer(growing.pool, growing.bytes);
  growing.bytes = bytes;
  growing.view = new DataView(bytes.buffer);
}

/** Hands the buffer over; the next one begins empty. */
export function detach(growing: Growing): Uint8Array {
  const bytes = growing.bytes;
  growing.lastBytes = bytes.length;
  growing.bytes = EMPTY;
  growing.view = EMPTY_VIEW;
  growing.end = 0;
  return bytes;
}
