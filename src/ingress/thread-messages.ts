/** What an ingress thread and the main thread say to each other, beside the shared memory. */

import type { DecisionNames } from '../../native-free-core/codec/messages.ts';
import type { Seq } from '../../native-free-core/layout/seq.ts';
import type { TransportKind } from '../http/transport.ts';
import type { AccessSettings } from '../access/door.ts';
import type { IngressFigures } from '../contract/figures.ts';
import type { Readiness } from '../contract/readiness.ts';
import type { IngressLimits } from './ingress-bounds.ts';

export interface IngressThreadOptions {
  readonly index: number;
  readonly host: string;
  readonly port: number;
  readonly transport: TransportKind;
  /** With the other ingress threads. */
  readonly sharesPort: boolean;
  readonly control: SharedArrayBuffer;
  /** One of each per worker. */
  readonly frameLanes: readonly SharedArrayBuffer[];
  readonly durableLanes: readonly SharedArrayBuffer[];
  readonly storedLanes: readonly SharedArrayBuffer[];
  readonly pipeline: PipelineFacts;
  readonly access: AccessSettings;
  readonly limits: IngressLimits;
}

/** What clients are told of the pipeline. */
export interface PipelineFacts {
  readonly name: string;
  readonly version: string;
  readonly decisions: readonly DecisionNames[];
  readonly entities: readonly string[];
}

export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** `accept` and `content-type`, where sent. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Id of the key that was shown, '' where none is needed; and the address that it came from. */
  readonly keyId: string;
  readonly remote: string;
  /** What it changes, as its route says; null: nothing. */
  readonly change: { readonly scope: string; readonly action: string } | null;
}

/** An attempt at a change that came no further than the gate. */
export interface RefusedAttempt {
  readonly actor: string;
  readonly reason: string;
  readonly scope: string;
  readonly keyId: string;
  readonly remote: string;
  readonly action: string;
  readonly subject: string;
}

export interface ProxiedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** A duplicate whose decisions have to be looked up: found rows become the answer again. */
export interface LookupRequest {
  readonly producer: string;
  readonly seq: Seq;
  /** Low bits of the epoch by which the original is stored. */
  readonly epochLow: number;
  readonly encoding: number;
}

export type ToIngress =
  /** Once a second: without it, the main thread has stopped. */
  | { readonly kind: 'ready'; readonly readiness: Readiness }
  /** Another version is about to decide; answered by 'pipeline-known'. */
  | { readonly kind: 'pipeline'; readonly pipeline: PipelineFacts }
  | { readonly kind: 'response'; readonly id: number; readonly response: ProxiedResponse }
  /** `bytes` null: it failed, and the client is to ask again. */
  | { readonly kind: 'lookup-answer'; readonly id: number; readonly bytes: Uint8Array | null }
  | { readonly kind: 'stop' };

export type FromIngress =
  | { readonly kind: 'listening' }
  | { readonly kind: 'listen-failed' }
  | { readonly kind: 'pipeline-known' }
  | { readonly kind: 'request'; readonly id: number; readonly request: ProxiedRequest }
  | { readonly kind: 'lookup'; readonly id: number; readonly lookup: LookupRequest }
  /** So many requests without a right key since the last report. */
  | { readonly kind: 'keys-refused'; readonly attempts: number; readonly last: string }
  | { readonly kind: 'change-refused'; readonly attempt: RefusedAttempt; readonly message: string }
  | { readonly kind: 'figures'; readonly figures: IngressFigures };
