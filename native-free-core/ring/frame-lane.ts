/**
 * Puts the records of ingress into a worker's frame lane. Each returns false where the lane is full and nothing was written;
 * the caller rings the worker. Ingress threads, and whoever drives a worker by hand.
 */
// hot path: no allocation

import { LANE_FULL } from '../base/outcomes.ts';
import { CONNECTION_BYTES, writeConnection, type ConnectionAddress } from '../layout/connection-record.ts';
import { ENTITY_KEY_AT, writeEntityRead, type EntityReadRecord } from '../layout/entity-read-record.ts';
import { FRAME_BODY_AT, writeFrameRecord } from '../layout/frame-record.ts';
import { openRecordBytes, writeOpen, type OpenRecord } from '../layout/open-record.ts';
import { RECORD_CLOSE, RECORD_ENTITY_READ, RECORD_FRAME, RECORD_OPEN } from '../layout/record-kinds.ts';
import type { Seq } from '../layout/seq.ts';
import { commit, reserve, type Lane } from './lane.ts';

export function putOpen(lane: Lane, record: OpenRecord): boolean {
  const at = reserve(lane, RECORD_OPEN, openRecordBytes(record));
  if (at === LANE_FULL) return false;
  writeOpen(lane, at, record);
  commit(lane);
  return true;
}

/** `seq`: 0 where the frame has none of its own. `admittedAt`: ms UTC. */
export function putFrame(
  lane: Lane,
  connection: ConnectionAddress,
  seq: Seq,
  admittedAt: number,
  frame: Uint8Array,
): boolean {
  const at = reserve(lane, RECORD_FRAME, FRAME_BODY_AT + frame.length);
  if (at === LANE_FULL) return false;
  writeFrameRecord(lane.view, at, connection, seq, admittedAt);
  lane.bytes.set(frame, at + FRAME_BODY_AT);
  commit(lane);
  return true;
}

export function putEntityRead(lane: Lane, read: EntityReadRecord, key: Uint8Array): boolean {
  const at = reserve(lane, RECORD_ENTITY_READ, ENTITY_KEY_AT + key.length);
  if (at === LANE_FULL) return false;
  writeEntityRead(lane, at, read, key);
  commit(lane);
  return true;
}

export function putClose(lane: Lane, connection: ConnectionAddress): boolean {
  const at = reserve(lane, RECORD_CLOSE, CONNECTION_BYTES);
  if (at === LANE_FULL) return false;
  writeConnection(lane.view, at, connection);
  commit(lane);
  return true;
}
