/**
 * Bounds of one ingress thread. Tests and the command line may lower or raise them; the defaults say where they come from.
 */

import { fail } from '../../native-free-core/base/fail.ts';
import { FRAMES_IN_FLIGHT_MAX } from '../../native-free-core/layout/limits.ts';

export interface IngressLimits {
  /** Frames sent and not yet answered, for one connection; one more is answered RETRY. */
  readonly framesInFlight: number;
  /** Beyond it, frames are answered RETRY: so long the oldest frame that is with a worker has had no answer. */
  readonly queueAgeMsMax: number;
  /** Frames a second that one connection, or one producer by HTTP, may send; 0: no limit. */
  readonly framesPerSecondMax: number;
  /** Connections at once, of one ingress thread; engine/start.ts lowers it where the system gives few descriptors. */
  readonly connectionsMax: number;
  /** Answers that a client has not read; beyond it the connection is closed. */
  readonly unreadBytesMax: number;
  /** A WebSocket connection is pinged so often: proxies forget one on which nothing comes for a minute. */
  readonly pingMs: number;
  /** A connection that has sent nothing for so long, not even a pong, is closed. */
  readonly idleSeconds: number;
  /** A request's body has so long to come. */
  readonly bodyMsMax: number;
  /** So long the worker, or the main thread, has to answer a look-up or a control request. */
  readonly answerMsMax: number;
  /** The decisions of a duplicate are looked up in ClickHouse; a client waits no longer than this for them. */
  readonly lookupMsMax: number;
  /** After `stop`, answers that are still outstanding have so long to become durable. */
  readonly stopMsMax: number;
}

export const INGRESS_LIMITS: IngressLimits = {
  // Several fsyncs' worth of small frames, and a lane's worth of large ones.
  framesInFlight: 256,
  // Several fsyncs of a slow disk; who waits for an answer as long as this is not helped by waiting longer.
  queueAgeMsMax: 250,
  framesPerSecondMax: 0,
  connectionsMax: 65_536,
  // Some thousand answers to frames of 500 events.
  unreadBytesMax: 4 << 20,
  pingMs: 25_000,
  idleSeconds: 120,
  bodyMsMax: 30_000,
  answerMsMax: 30_000,
  lookupMsMax: 30_000,
  stopMsMax: 3000,
};

/** How long a refused client is asked to wait, ms: several fsyncs, and less than anyone notices. */
export const RETRY_AFTER_MS = 20;
/** While the spool is full ClickHouse must catch up first, and a stopping server takes a moment to start again. */
export const RETRY_AFTER_CLOSED_MS = 1000;

if (INGRESS_LIMITS.framesInFlight > FRAMES_IN_FLIGHT_MAX)
  fail('ingress_frames_in_flight', INGRESS_LIMITS.framesInFlight);
