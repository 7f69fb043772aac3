/** What the routes of one ingress thread share. Made by ingress-thread.ts. */

import type { TemplatedApp } from 'uWebSockets.js';
import { countFrameEvents } from '../../native-free-core/codec/frame.ts';
import { writeRetryJson, writeRetryProto } from '../../native-free-core/codec/answer.ts';
import { ENCODING_NDJSON, ENCODING_PROTO } from '../../native-free-core/layout/records.ts';
import type { Admission } from './admission.ts';
import type { FromIngress, IngressThreadOptions } from './messages.ts';
import type { Peer, Peers } from './peers.ts';

export interface IngressContext {
  readonly app: TemplatedApp;
  readonly options: IngressThreadOptions;
  readonly peers: Peers;
  readonly admission: Admission;
  readonly counters: Counters;
  readonly post: (message: FromIngress) => void;
  readonly hello: (encoding: number, seqLow: number, seqHigh: number) => Uint8Array;
  readonly state: { ready: boolean; stopping: boolean };
}

export interface Counters {
  connections: number;
  frames: number;
  bytes: number;
  refusedFrames: number;
  refusedEvents: number;
  readonly refusedByProducer: Map<string, number>;
}

/** How long a client is asked to wait: several fsyncs, and less than anyone notices. */
export const RETRY_AFTER_MS = 20;
/** While the spool is full, ClickHouse must catch up first. */
export const RETRY_AFTER_FULL_MS = 1000;
export const STATUS_RETRY = 4;
/** Producers whose refusals are counted by name; the rest only in the total. */
const REFUSED_PRODUCERS_MAX = 10_000;

/** The RETRY for a frame of which nothing was kept; counts it. */
export function refuse(context: IngressContext, peer: Peer, bytes: Uint8Array, seqLow: number, seqHigh: number): Uint8Array {
  const { counters, admission } = context;
  const events = countEvents(peer.encoding, bytes);
  counters.refusedFrames++;
  counters.refusedEvents += events;
  if (counters.refusedByProducer.has(peer.producer) || counters.refusedByProducer.size < REFUSED_PRODUCERS_MAX) {
    counters.refusedByProducer.set(peer.producer, (counters.refusedByProducer.get(peer.producer) ?? 0) + events);
  }
  const answer = new Uint8Array(160);
  const write = peer.encoding === ENCODING_PROTO ? writeRetryProto : writeRetryJson;
  return answer.subarray(0, write(answer, 0, seqLow, seqHigh, admission.open ? RETRY_AFTER_MS : RETRY_AFTER_FULL_MS));
}

/** Events of a refused frame, for the ledger: counted without decoding. Frames that do not parse count as none. */
function countEvents(encoding: number, bytes: Uint8Array): number {
  if (encoding === ENCODING_PROTO) return Math.max(0, countFrameEvents(bytes, 0, bytes.length));
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (encoding === ENCODING_NDJSON) return text.split('\n').filter((line) => line.trim() !== '').length;
  try {
    const value = JSON.parse(text) as unknown;
    if (Array.isArray(value)) return value.length;
    const events = (value as { events?: unknown } | null)?.events;
    return Array.isArray(events) ? events.length : 1;
  } catch {
    return 0;
  }
}

export function hasKey(context: IngressContext, authorization: string, header: string, query: string): boolean {
  const { keys } = context.options;
  if (keys.length === 0) return true;
  const bearer = authorization.startsWith('Bearer ') ? authorization.slice(7) : '';
  return [bearer, header, query].some((key) => key !== '' && keys.includes(key));
}
