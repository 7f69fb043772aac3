/** What an ingress thread and the main thread say to each other, beside the shared memory. */

import type { HelloFacts } from './hello.ts';

export interface IngressThreadOptions {
  readonly index: number;
  readonly host: string;
  readonly port: number;
  readonly control: SharedArrayBuffer;
  /** One of each per worker. */
  readonly frameLanes: readonly SharedArrayBuffer[];
  readonly durableLanes: readonly SharedArrayBuffer[];
  readonly storedLanes: readonly SharedArrayBuffer[];
  readonly hello: HelloFacts;
  readonly entities: readonly string[];
  /** Empty: open to all. */
  readonly keys: readonly string[];
}

export interface IngressCounters {
  readonly connections: number;
  readonly frames: number;
  readonly bytes: number;
  readonly refusedFrames: number;
  readonly refusedEvents: number;
  readonly refusedByProducer: ReadonlyMap<string, number>;
}

export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: Uint8Array;
}

export interface ProxiedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A duplicate whose decisions have to be looked up: found rows become the answer again. */
export interface LookupRequest {
  readonly producer: string;
  readonly seqLow: number;
  readonly seqHigh: number;
  /** Low bits of the epoch by which the original is stored. */
  readonly epochLow: number;
  readonly encoding: number;
}

export type ToIngress =
  | { readonly kind: 'ready'; readonly ready: boolean }
  | { readonly kind: 'response'; readonly id: number; readonly response: ProxiedResponse }
  | { readonly kind: 'lookup-answer'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'stop' };

export type FromIngress =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'listen-failed' }
  | { readonly kind: 'request'; readonly id: number; readonly request: ProxiedRequest }
  | { readonly kind: 'lookup'; readonly id: number; readonly lookup: LookupRequest }
  | { readonly kind: 'counters'; readonly counters: IngressCounters }
  | { readonly kind: 'stopped' };
