/**
 * Frames on their way to a running worker, copied for the one that warms up to take its place: what no made-up event has
 * (texts, keys, sizes, encodings, what is refused) comes as it will come. Called by warm-up.ts.
 *
 * A lane is read beside its consumer, which is told nothing, from the producer's end on. The producer overwrites what it
 * wrote a whole lane before: a copy is whole where no more than a quarter of the lane has come since, and whoever falls
 * behind begins again at the end.
 */

import { fail } from '../../../native-free-core/base/fail.ts';
import { LANE_FULL } from '../../../native-free-core/base/outcomes.ts';
import {
  LANE_HEAD_AT,
  LANE_RING_AT,
  readRecordBytes,
  readRecordKind,
  RECORD_HEADER_BYTES,
} from '../../../native-free-core/layout/lane-layout.ts';
import { FRAME_BYTES_MAX } from '../../../native-free-core/layout/limits.ts';
import { ENCODING_CODES } from '../../../native-free-core/layout/encoding-codes.ts';
import { readGeneration, readSlot, writeConnection } from '../../../native-free-core/layout/connection-record.ts';
import { FRAME_BODY_AT, readFrameSeq } from '../../../native-free-core/layout/frame-record.ts';
import { readOpen } from '../../../native-free-core/layout/open-record.ts';
import { RECORD_FRAME, RECORD_OPEN } from '../../../native-free-core/layout/record-kinds.ts';
import { createSeq, hasSeq } from '../../../native-free-core/layout/seq.ts';
import { commit, openLane, reserve, type Lane } from '../../../native-free-core/ring/lane.ts';
import { FRAME_LANE_BYTES } from '../../memory/regions.ts';

/** A connection of the warm-up for frames of this encoding; `isNamed`: they are numbered, so a producer sends them. */
export type OpenConnection = (encoding: number, isNamed: boolean) => number;

/** Of further producers nothing is copied. */
const PRODUCERS_MAX = 256;
/** Share of a lane that may lie ahead. */
const AHEAD_SHARE = 4;
const BRACE = 0x7b;

// The largest reservation, a record and as much padding, must not reach what is being copied.
if (2 * FRAME_BYTES_MAX > FRAME_LANE_BYTES - FRAME_LANE_BYTES / AHEAD_SHARE)
  fail('copied_frame_bytes', FRAME_BYTES_MAX);

export class FrameCopier {
  readonly #lanes: readonly Lane[];
  readonly #generation: number;
  readonly #open: OpenConnection;
  /** Of connections that were opened meanwhile, by slot: ingress uses these again. */
  readonly #encodings = new Map<string, { generation: number; encoding: number }>();
  /** Connections of the warm-up: for each producer, and one for each encoding without. */
  readonly #connections = new Map<string, number>();
  readonly #seq = createSeq();
  /** Bytes that this call still looks at. */
  #left = 0;

  /** `open` is called before the first frame of a connection is appended. */
  constructor(buffers: readonly SharedArrayBuffer[], generation: number, open: OpenConnection) {
    this.#lanes = buffers.map(openLane);
    this.#generation = generation;
    this.#open = open;
    for (const lane of this.#lanes) lane.tail = endOf(lane);
  }

  /** Appends copies of frames that have come since the last call; looks at so many bytes of all lanes together. */
  copyTo(frames: Lane, bytesMax: number): void {
    this.#left = bytesMax;
    for (const [ingress, lane] of this.#lanes.entries()) while (this.#left > 0 && this.#next(lane, ingress, frames));
  }

  /** Looks at one record; false where there is none, or where the rest is passed over. */
  #next(from: Lane, ingress: number, frames: Lane): boolean {
    if (from.tail === endOf(from)) return false;
    const record = LANE_RING_AT + (from.tail & (from.capacity - 1));
    const bytes = readRecordBytes(from.words, record >> 2);
    const kind = readRecordKind(from.words, record >> 2);
    if (!isWhole(from) || bytes < 0 || bytes > from.capacity) {
      from.tail = endOf(from);
      return false;
    }
    const at = record + RECORD_HEADER_BYTES;
    if (kind === RECORD_OPEN) this.#learn(from, at, ingress);
    if (kind === RECORD_FRAME) this.#copy(from, at, bytes, ingress, frames);
    const whole = (RECORD_HEADER_BYTES + bytes + 7) & ~7;
    this.#left -= whole;
    from.tail = (from.tail + whole) | 0;
    return true;
  }

  #learn(from: Lane, at: number, ingress: number): void {
    const { slot, generation, encoding } = readOpen(from, at);
    this.#encodings.set(`${ingress}/${slot}`, { generation, encoding });
  }

  #copy(from: Lane, at: number, bytes: number, ingress: number, frames: Lane): void {
    const connection = this.#connectionOf(from, at, ingress);
    if (connection === undefined) return;
    const to = reserve(frames, RECORD_FRAME, bytes);
    // Larger than a warm-up's lane, or than what is left of it.
    if (to === LANE_FULL) return;
    frames.bytes.set(from.bytes.subarray(at, at + bytes), to);
    writeConnection(frames.view, to, { slot: connection, generation: this.#generation });
    if (isWhole(from)) commit(frames);
  }

  #connectionOf({ bytes, view }: Lane, at: number, ingress: number): number | undefined {
    const slot = `${ingress}/${readSlot(view, at)}`;
    const generation = readGeneration(view, at);
    const opened = this.#encodings.get(slot);
    // What was opened before shows by its first byte: as a tag of protobuf it would begin a group, and nobody writes these.
    const guessed = bytes[at + FRAME_BODY_AT] === BRACE ? ENCODING_CODES.json : ENCODING_CODES.protobuf;
    const encoding = opened?.generation === generation ? opened.encoding : guessed;
    readFrameSeq(view, at, this.#seq);
    const isNumbered = hasSeq(this.#seq);
    const key = isNumbered ? `${slot}/${generation}` : String(encoding);
    const known = this.#connections.get(key);
    if (known !== undefined || (isNumbered && this.#connections.size >= PRODUCERS_MAX)) return known;
    const connection = this.#open(encoding, isNumbered);
    this.#connections.set(key, connection);
    return connection;
  }
}

function endOf(lane: Lane): number {
  return Atomics.load(lane.words, LANE_HEAD_AT >> 2);
}

function isWhole(lane: Lane): boolean {
  const ahead = (endOf(lane) - lane.tail) | 0;
  return ahead >= 0 && ahead <= lane.capacity / AHEAD_SHARE;
}
