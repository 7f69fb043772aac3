/**
 * ENTITY_READ: someone asks for the features of an entity. Ingress writes it, the worker reads it and answers with
 * ENTITY_ANSWER.
 *
 *   byte  0 connection   connection-record.ts; no frames come from it
 *   byte  8 u32 index of the entity in the plan
 *   byte 12 u32 flags    1: windows end at the worker's clock, where that is later than the entity's
 *   byte 16 the key, UTF-8: parts of a composite key are separated by a comma, each percent-encoded
 */

import { readGeneration, readSlot, writeConnection, type ConnectionAddress } from './connection-record.ts';
import type { RecordBytes } from './record-kinds.ts';

export interface EntityReadRecord extends ConnectionAddress {
  readonly entity: number;
  /** As of this moment, and not as of the entity's last event. */
  readonly atNow: boolean;
}

const ENTITY_AT = 8;
const FLAGS_AT = 12;
/** Where the key begins, from the record's begin. */
export const ENTITY_KEY_AT = 16;

const FLAG_AT_NOW = 1;

export function writeEntityRead(
  { bytes, view }: RecordBytes,
  at: number,
  read: EntityReadRecord,
  key: Uint8Array,
): void {
  writeConnection(view, at, read);
  view.setUint32(at + ENTITY_AT, read.entity, true);
  view.setUint32(at + FLAGS_AT, read.atNow ? FLAG_AT_NOW : 0, true);
  bytes.set(key, at + ENTITY_KEY_AT);
}

export function readEntityRead({ view }: RecordBytes, at: number): EntityReadRecord {
  return {
    slot: readSlot(view, at),
    generation: readGeneration(view, at),
    entity: view.getUint32(at + ENTITY_AT, true),
    atNow: (view.getUint32(at + FLAGS_AT, true) & FLAG_AT_NOW) !== 0,
  };
}
