/**
 * OPEN: a connection begins, or a sequence of HTTP requests that stands for one. Ingress writes it, the worker reads it.
 *
 *   byte  0 connection   connection-record.ts
 *   byte  8 u8  encoding of its frames, ENCODING_*
 *   byte  9 u8  ack      0: an answer waits for the disk; 1: for ClickHouse
 *   byte 10 u8  flags    1: answer with a HELLO record; 2: event_id protects even with a producer
 *   byte 11 u8  encoding of its answers, ENCODING_*
 *   byte 12 u32 bytes of the producer's name, 0: none
 *   byte 16     the name, UTF-8
 */

import { readGeneration, readSlot, writeConnection, type ConnectionAddress } from './connection-record.ts';
import type { RecordBytes } from './record-kinds.ts';

export interface OpenRecord extends ConnectionAddress {
  readonly encoding: number;
  readonly answerEncoding: number;
  /** Answers wait for ClickHouse, not only for the disk. */
  readonly stored: boolean;
  /** The worker answers with a HELLO record. */
  readonly hello: boolean;
  /** event_id protects although there is a producer. */
  readonly dedup: boolean;
  /** The producer's name in UTF-8; empty: none. */
  readonly producerName: Uint8Array;
}

const ENCODING_AT = 8;
const ACK_AT = 9;
const FLAGS_AT = 10;
const ANSWER_ENCODING_AT = 11;
const NAME_BYTES_AT = 12;
const NAME_AT = 16;

const ACK_DURABLE = 0;
const ACK_STORED = 1;
const FLAG_HELLO = 1;
const FLAG_DEDUP = 2;

export function openRecordBytes(record: OpenRecord): number {
  return NAME_AT + record.producerName.length;
}

export function writeOpen({ bytes, view }: RecordBytes, at: number, record: OpenRecord): void {
  writeConnection(view, at, record);
  bytes[at + ENCODING_AT] = record.encoding;
  bytes[at + ACK_AT] = record.stored ? ACK_STORED : ACK_DURABLE;
  bytes[at + FLAGS_AT] = (record.hello ? FLAG_HELLO : 0) | (record.dedup ? FLAG_DEDUP : 0);
  bytes[at + ANSWER_ENCODING_AT] = record.answerEncoding;
  view.setUint32(at + NAME_BYTES_AT, record.producerName.length, true);
  bytes.set(record.producerName, at + NAME_AT);
}

export function readOpen({ bytes, view }: RecordBytes, at: number): OpenRecord {
  const flags = bytes[at + FLAGS_AT];
  const name = at + NAME_AT;
  return {
    slot: readSlot(view, at),
    generation: readGeneration(view, at),
    encoding: bytes[at + ENCODING_AT],
    answerEncoding: bytes[at + ANSWER_ENCODING_AT],
    stored: bytes[at + ACK_AT] === ACK_STORED,
    hello: (flags & FLAG_HELLO) !== 0,
    dedup: (flags & FLAG_DEDUP) !== 0,
    producerName: bytes.slice(name, name + view.getUint32(at + NAME_BYTES_AT, true)),
  };
}
