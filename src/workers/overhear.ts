/**
 * Frames that are on their way to a running worker, copied for the one that rehearses to take its place: what no made-up event has (texts,
 * keys, sizes, encodings, what is refused) comes as it will come. Called by rehearsal.ts.
 *
 * The lanes are read beside their consumer, which is told nothing. What it has released stays until the producer has gone round: a copy is
 * whole where at most half of the lane lies between the record and the producer's end, since no reservation is larger than the other half.
 */

import { LANE_EMPTY } from '../../native-free-core/base/outcomes.ts';
import { LANE_HEAD_AT } from '../../native-free-core/layout/lane-layout.ts';
import {
  ENCODING_JSON,
  ENCODING_PROTO,
  FRAME_HEADER_BYTES,
  RECORD_FRAME,
  RECORD_OPEN,
} from '../../native-free-core/layout/records.ts';
import { claim, commit, openLane, reserve, step, type Lane } from '../../native-free-core/ring/lane.ts';

/** Appends copies of the frames that have come since the last call, of so many bytes at most; the connections are the rehearsal's own. */
export type Overhear = (frames: Lane, bytesMax: number) => void;

/** A connection of the rehearsal for frames of this encoding; `isNamed`: they are numbered, so a producer sends them. */
export type OpenConnection = (encoding: number, isNamed: boolean) => number;

/** Of further ones nothing is copied. */
const CONNECTIONS_MAX = 256;
const BRACE = 0x7b;

/** `open` is called for each connection that is heard of, and before its first frame is appended. */
export function overhear(buffers: readonly SharedArrayBuffer[], generation: number, open: OpenConnection): Overhear {
  const lanes = buffers.map(openLane);
  const encodings = new Map<string, number>();
  const connections = new Map<string, number>();
  const connectionOf = (key: string, { view, bytes }: Lane, at: number): number | undefined => {
    const known = connections.get(key);
    if (known !== undefined || connections.size === CONNECTIONS_MAX) return known;
    // What was opened before shows by its first byte: as a tag of protobuf it would begin a group, and nobody writes these.
    const encoding = bytes[at + FRAME_HEADER_BYTES] === BRACE ? ENCODING_JSON : ENCODING_PROTO;
    const isNumbered = (view.getUint32(at + 8, true) | view.getUint32(at + 12, true)) !== 0;
    const connection = open(encodings.get(key) ?? encoding, isNumbered);
    connections.set(key, connection);
    return connection;
  };
  const copyFrame = (from: Lane, at: number, key: string, frames: Lane): number => {
    const bytes = from.claimedBytes;
    const connection = connectionOf(key, from, at);
    const to = connection === undefined ? LANE_EMPTY : reserve(frames, RECORD_FRAME, bytes);
    if (connection === undefined || to < 0) return 0;
    frames.bytes.set(from.bytes.subarray(at, at + bytes), to);
    frames.view.setUint32(to, connection, true);
    frames.view.setUint32(to + 4, generation, true);
    if (isWhole(from)) commit(frames);
    return bytes;
  };
  const copySome = (from: Lane, ingress: number, frames: Lane, bytesMax: number): void => {
    for (let copied = 0; copied < bytesMax;) {
      if (!isWhole(from)) Object.assign(from, openLane(from.buffer));
      const at = claim(from);
      if (at === LANE_EMPTY) return;
      const key = `${ingress}/${from.view.getUint32(at, true)}/${from.view.getUint32(at + 4, true)}`;
      if (from.claimedKind === RECORD_OPEN) encodings.set(key, from.bytes[at + 8]!);
      if (from.claimedKind === RECORD_FRAME) copied += copyFrame(from, at, key, frames);
      step(from);
    }
  };
  return (frames, bytesMax) => lanes.forEach((lane, ingress) => copySome(lane, ingress, frames, bytesMax));
}

function isWhole(lane: Lane): boolean {
  return ((Atomics.load(lane.words, LANE_HEAD_AT >> 2) - lane.tail) | 0) <= lane.capacity >> 1;
}
