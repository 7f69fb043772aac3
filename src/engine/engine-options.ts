/** What the engine is started with, and what a started one is. Given by cli/serve.ts and the demo. */

import type { Plan } from '../../native-free-core/plan/plan.ts';
import type { WantedTransport } from '../http/choose-transport.ts';
import type { Rebuilt } from '../recovery/rebuild.ts';
import type { Log } from '../system/log.ts';

export interface EngineOptions {
  readonly pipeline: string;
  readonly data: string;
  /** `host:port`; port 0 takes any free one. */
  readonly listen: string;
  readonly clickhouseListen: string;
  /** URL of a ClickHouse to use instead of the embedded one. */
  readonly clickhouse?: string;
  readonly workers: number;
  readonly ingresses: number;
  /** Which library serves; default auto: uWebSockets.js where it loads. */
  readonly transport?: WantedTransport;
  /** Empty: whoever reaches the ports may do everything. */
  readonly keys: readonly string[];
  /** Names and web pages beyond the server's own (access/hosts.ts, access/origins.ts). */
  readonly allowHosts?: readonly string[];
  readonly allowOrigins?: readonly string[];
  /**
   * Of one WebSocket connection; over HTTP of one producer, where requests that name none count as one; 0 or nothing: no
   * limit.
   */
  readonly framesPerSecondMax?: number;
  readonly spoolBytesMax: number;
  /** Bytes of one file of the spool: it is trimmed file by file. */
  readonly segmentBytes?: number;
  /** Spool after which a snapshot is taken. */
  readonly snapshotAfterBytes?: number;
  /** Longest that an event waits for its batch. */
  readonly batchAgeMs?: number;
  /** Goes on where the spool has lost answered events, and writes down which (accept-loss.ts). */
  readonly acceptLoss?: boolean;
  readonly log: Log;
}

export interface Engine {
  readonly url: string;
  readonly clickhouse: { readonly url: string; readonly database: string };
  readonly plan: Plan;
  /** What this start had to get from ClickHouse; null: nothing. */
  readonly rebuilt: Rebuilt | null;
  /** Rejects when a stage dies: the process must end and start again. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}
