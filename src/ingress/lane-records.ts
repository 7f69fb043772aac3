/**
 * Writes the records of ingress into a worker's frame lane: OPEN, FRAME, READ, CLOSE (layout/records.ts). Each returns false
 * where the lane is full and nothing was written. Called by admission.ts; the caller rings the worker. Ingress thread.
 */
// hot path: no allocation

import { LANE_FULL } from '../../native-free-core/base/outcomes.ts';
import {
  ACK_DURABLE,
  ACK_STORED,
  FRAME_HEADER_BYTES,
  OPEN_DEDUP,
  OPEN_HEADER_BYTES,
  OPEN_HELLO,
  READ_AT_NOW,
  READ_HEADER_BYTES,
  RECORD_CLOSE,
  RECORD_FRAME,
  RECORD_OPEN,
  RECORD_READ,
} from '../../native-free-core/layout/records.ts';
import { commit, reserve, type Lane } from '../../native-free-core/ring/lane.ts';
import type { Peer } from './peers.ts';

const CLOSE_BYTES = 8;

export function writeOpen(lane: Lane, peer: Peer, hello: boolean, dedup: boolean, name: Uint8Array): boolean {
  const at = reserve(lane, RECORD_OPEN, OPEN_HEADER_BYTES + name.length);
  if (at === LANE_FULL) return false;
  writeAddress(lane, at, peer);
  lane.bytes[at + 8] = peer.encoding;
  lane.bytes[at + 9] = peer.stored ? ACK_STORED : ACK_DURABLE;
  lane.bytes[at + 10] = (hello ? OPEN_HELLO : 0) | (dedup ? OPEN_DEDUP : 0);
  lane.bytes[at + 11] = 0;
  lane.view.setUint32(at + 12, name.length, true);
  lane.bytes.set(name, at + OPEN_HEADER_BYTES);
  commit(lane);
  return true;
}

/** `seqLow`, `seqHigh`: 0 where the frame has none of its own. `admittedAt`: ms UTC. */
export function writeFrame(
  lane: Lane,
  peer: Peer,
  frame: Uint8Array,
  seqLow: number,
  seqHigh: number,
  admittedAt: number,
): boolean {
  const at = reserve(lane, RECORD_FRAME, FRAME_HEADER_BYTES + frame.length);
  if (at === LANE_FULL) return false;
  writeAddress(lane, at, peer);
  lane.view.setUint32(at + 8, seqLow, true);
  lane.view.setUint32(at + 12, seqHigh, true);
  lane.view.setFloat64(at + 16, admittedAt, true);
  lane.bytes.set(frame, at + FRAME_HEADER_BYTES);
  commit(lane);
  return true;
}

export function writeRead(lane: Lane, peer: Peer, entity: number, key: Uint8Array, atNow: boolean): boolean {
  const at = reserve(lane, RECORD_READ, READ_HEADER_BYTES + key.length);
  if (at === LANE_FULL) return false;
  writeAddress(lane, at, peer);
  lane.view.setUint32(at + 8, entity, true);
  lane.view.setUint32(at + 12, atNow ? READ_AT_NOW : 0, true);
  lane.bytes.set(key, at + READ_HEADER_BYTES);
  commit(lane);
  return true;
}

export function writeClose(lane: Lane, peer: Peer): boolean {
  const at = reserve(lane, RECORD_CLOSE, CLOSE_BYTES);
  if (at === LANE_FULL) return false;
  writeAddress(lane, at, peer);
  commit(lane);
  return true;
}

function writeAddress(lane: Lane, at: number, peer: Peer): void {
  lane.view.setUint32(at, peer.slot, true);
  lane.view.setUint32(at + 4, peer.generation, true);
}
