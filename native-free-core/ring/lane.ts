/**
 * Lanes carry bytes between two threads: frames to a worker, answers back, sealed blocks to the spool thread.
 * One thread reserves and commits, one other claims and releases. "Full" and "empty" are return values.
 *
 *   producer: at = reserve(lane, kind, bytes); if (at < 0) -> full; write lane.bytes[at ...]; commit(lane)
 *   consumer: at = claim(lane); if (at < 0) -> empty; read lane.bytes[at, at + lane.claimedBytes); release(lane)
 */
// hot path: no allocation

import { fail } from '../base/fail.ts';
import { LANE_EMPTY, LANE_FULL } from '../base/outcomes.ts';
import {
  LANE_CAPACITY_AT,
  LANE_HEAD_AT,
  LANE_RING_AT,
  LANE_TAIL_AT,
  LANE_VERSION,
  RECORD_HEADER_BYTES,
  RECORD_PADDING,
  readRecordBytes,
  readRecordKind,
  writeRecordHeader,
} from '../layout/lane-layout.ts';
import { REGION_HEADER_BYTES, REGION_LANE, checkRegion, createRegion } from '../layout/region.ts';

export interface Lane {
  readonly buffer: SharedArrayBuffer;
  /** Views over the whole region; offsets returned by `reserve` and `claim` are into these. */
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly view: DataView;
  readonly capacity: number;
  /** Producer's own copy of head, and what it last saw of tail. Positions are Int32 and wrap. */
  head: number;
  seenTail: number;
  reservedBytes: number;
  /** Consumer's own copy of tail, and what it last saw of head. */
  tail: number;
  seenHead: number;
  claimedBytes: number;
  claimedKind: number;
  claimedNext: number;
}

const HEAD = LANE_HEAD_AT >> 2;
const TAIL = LANE_TAIL_AT >> 2;

/** `capacity`: ring bytes, a power of two from 4 KiB to 1 GiB. */
export function createLane(capacity: number): SharedArrayBuffer {
  if (capacity < 4096 || capacity > 2 ** 30 || (capacity & (capacity - 1)) !== 0) fail('lane_capacity', capacity);
  const buffer = createRegion(REGION_LANE, LANE_VERSION, LANE_RING_AT - REGION_HEADER_BYTES + capacity);
  new Int32Array(buffer)[LANE_CAPACITY_AT >> 2] = capacity;
  return buffer;
}

export function openLane(buffer: SharedArrayBuffer): Lane {
  checkRegion(buffer, REGION_LANE, LANE_VERSION);
  const words = new Int32Array(buffer);
  const head = Atomics.load(words, HEAD);
  const tail = Atomics.load(words, TAIL);
  return {
    buffer,
    bytes: new Uint8Array(buffer),
    words,
    view: new DataView(buffer),
    capacity: words[LANE_CAPACITY_AT >> 2],
    head,
    seenTail: tail,
    reservedBytes: 0,
    tail,
    seenHead: head,
    claimedBytes: 0,
    claimedKind: 0,
    claimedNext: 0,
  };
}

/** Largest payload that a lane of this capacity is sure to take once it is empty. */
export function laneRecordBytesMax(capacity: number): number {
  return (capacity >> 1) - RECORD_HEADER_BYTES;
}

/** Returns the byte offset of `payloadBytes` writable bytes, 8-aligned, or LANE_FULL. Nothing is visible before `commit`. */
export function reserve(lane: Lane, kind: number, payloadBytes: number): number {
  const whole = (RECORD_HEADER_BYTES + payloadBytes + 7) & ~7;
  const mask = lane.capacity - 1;
  const at = lane.head & mask;
  const untilEnd = lane.capacity - at;
  const padding = whole > untilEnd ? untilEnd : 0;
  const needed = whole + padding;
  if (lane.capacity - ((lane.head - lane.seenTail) | 0) < needed) {
    lane.seenTail = Atomics.load(lane.words, TAIL);
    if (lane.capacity - ((lane.head - lane.seenTail) | 0) < needed) return LANE_FULL;
  }
  const words = lane.words;
  let record = (LANE_RING_AT + at) >> 2;
  if (padding !== 0) {
    writeRecordHeader(words, record, padding - RECORD_HEADER_BYTES, RECORD_PADDING);
    record = LANE_RING_AT >> 2;
  }
  writeRecordHeader(words, record, payloadBytes, kind);
  lane.reservedBytes = needed;
  return (record << 2) + RECORD_HEADER_BYTES;
}

/** Gives back the unused end of the last reservation: the record then has `payloadBytes`, no more than were reserved. */
export function shrink(lane: Lane, at: number, payloadBytes: number): void {
  const record = (at - RECORD_HEADER_BYTES) >> 2;
  const before = (RECORD_HEADER_BYTES + readRecordBytes(lane.words, record) + 7) & ~7;
  const after = (RECORD_HEADER_BYTES + payloadBytes + 7) & ~7;
  if (after > before) fail('lane_shrink_grows', payloadBytes);
  writeRecordHeader(lane.words, record, payloadBytes, readRecordKind(lane.words, record));
  lane.reservedBytes -= before - after;
}

/** Publishes the last reservation. */
export function commit(lane: Lane): void {
  lane.head = (lane.head + lane.reservedBytes) | 0;
  lane.reservedBytes = 0;
  Atomics.store(lane.words, HEAD, lane.head);
}

/** Returns the byte offset of the next payload (length and kind in `claimedBytes`, `claimedKind`), or LANE_EMPTY. */
export function claim(lane: Lane): number {
  const mask = lane.capacity - 1;
  for (;;) {
    if (lane.tail === lane.seenHead) {
      lane.seenHead = Atomics.load(lane.words, HEAD);
      if (lane.tail === lane.seenHead) return LANE_EMPTY;
    }
    const record = (LANE_RING_AT + (lane.tail & mask)) >> 2;
    const payloadBytes = readRecordBytes(lane.words, record);
    const kind = readRecordKind(lane.words, record);
    const next = (lane.tail + ((RECORD_HEADER_BYTES + payloadBytes + 7) & ~7)) | 0;
    if (kind !== RECORD_PADDING) {
      lane.claimedBytes = payloadBytes;
      lane.claimedKind = kind;
      lane.claimedNext = next;
      return (record << 2) + RECORD_HEADER_BYTES;
    }
    lane.tail = next;
  }
}

/** Frees the record that `claim` returned; its bytes may be overwritten from now on. */
export function release(lane: Lane): void {
  lane.tail = lane.claimedNext;
  Atomics.store(lane.words, TAIL, lane.tail);
}

/** Goes past the claimed record without freeing it: `claim` then returns the next one. `releaseTo` frees all of them. */
export function step(lane: Lane): void {
  lane.tail = lane.claimedNext;
}

/** Frees everything that was stepped over, up to `position` (a former `lane.tail`). */
export function releaseTo(lane: Lane, position: number): void {
  Atomics.store(lane.words, TAIL, position);
}

/** How far the consumer has released, as the producer sees it: a position, as `head` is one. */
export function laneTail(lane: Lane): number {
  return Atomics.load(lane.words, TAIL);
}

/** Bytes published and not yet released, as the producer sees it. */
export function laneUsedBytes(lane: Lane): number {
  return (Atomics.load(lane.words, HEAD) - Atomics.load(lane.words, TAIL)) | 0;
}
