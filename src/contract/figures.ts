/**
 * What the server can say of itself in numbers: one shape, which `GET /v1/server` answers, and which all that shows figures
 * reads. Each stage answers its own part; engine/gather-figures.ts puts them together. Bytes, seconds and ms as their names
 * say; counts since the start.
 */

import type { Readiness } from './readiness.ts';

export interface Figures {
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** The version that decides. */
  readonly pipeline: { readonly name: string; readonly version: string };
  /** The data folder. */
  readonly data: string;
  readonly log: LogFigures;
  readonly workers: number;
  readonly ingresses: number;
  readonly transport: string;
  readonly clickhouse: ClickHouseFigures;
  readonly epochs: { readonly durable: number; readonly stored: number };
  readonly ready: Readiness;
  readonly bounds: BoundsFigures;
  readonly absences: AbsenceFigures;
  /** null: none has come yet. */
  readonly spool: SpoolFigures | null;
  readonly snapshots: SnapshotFigures;
  readonly warehouse: WarehouseFigures;
  /** `refusedByProducer` is in the ledger. */
  readonly ingress: Omit<IngressFigures, 'refusedByProducer'>;
}

export interface LogFigures {
  /** Rows carry it as _log. */
  readonly number: number;
  /** The slowest of those that still need what the log holds. */
  readonly heldBy: { readonly consumer: string; readonly from: number; readonly why: string };
}

export interface ClickHouseFigures {
  /** Without credentials. */
  readonly url: string;
  readonly database: string;
  readonly embedded: boolean;
  /** Of the embedded one. */
  readonly pid?: number;
  readonly version?: string;
  readonly restarts?: number;
}

/** How far a bound is used. */
export interface BoundFigures {
  readonly used: number;
  readonly max: number;
}

export interface BoundsFigures {
  readonly 'dictionary entries': BoundFigures;
  readonly 'dictionary bytes': BoundFigures;
  readonly producers: BoundFigures;
  readonly producersForgotten: number;
  readonly producersRefused: number;
  /** Event ids that made room before their time. */
  readonly idsForgottenEarly: number;
  readonly entities: Readonly<Record<string, BoundFigures & { readonly evicted: number }>>;
}

/** Events whose features are partly absent, since the start; an event counts once for each of its entities. */
export interface AbsenceFigures {
  /** An entity of the event found no row: all its features are absent. */
  readonly withoutRoom: number;
  /** A value was 2^53 or more, or a cap was met; the row's column `overflow` says so, too. */
  readonly overflows: number;
}

export interface SpoolFigures {
  durableEpoch: number;
  groups: number;
  epochs: number;
  bytes: number;
  /** Time in write and fdatasync: in all, and the longest since the figures were last taken. */
  commitMs: number;
  commitMsMax: number;
  liveBytes: number;
  spareSegments: number;
  /** Frames are refused: the spool has reached its bound, or the disk has no room. */
  full: boolean;
  diskFull: boolean;
}

export interface SnapshotFigures {
  readonly taken: number;
  /** Of the last one. */
  readonly bytes: number;
  readonly seconds: number;
}

export interface WarehouseFigures {
  readonly batches: number;
  readonly rows: number;
  readonly deadLetters: number;
  /** Rows that ClickHouse refused for good. */
  readonly refused: number;
  readonly lastBatchRows: number;
  readonly insertSeconds: number;
  readonly retries: number;
  /** Times that a batch was looked for, and that one was mended. */
  readonly looks: number;
  readonly mendings: number;
  readonly openBatches: number;
  readonly waitingRows: number;
  readonly mergesPaused: boolean;
  /** Arrival of the newest stored event, ms UTC; 0: none. */
  readonly watermark: number;
}

export interface IngressFigures {
  readonly connections: number;
  readonly frames: number;
  readonly bytes: number;
  readonly answers: number;
  /** Time that the threads' event loops were not idle: near 1 a second for each, it is time for another thread. */
  readonly busySeconds: number;
  /** Closed as they came, because there were too many. */
  readonly refusedConnections: number;
  /** Age of the oldest frame without an answer: the highest of the last half second. */
  readonly queueAgeMsMax: number;
  /** Events that a connection may have in flight now: what the busiest worker keeps up with. */
  readonly eventsInFlightMax: number;
  readonly refusedFrames: number;
  readonly refusedBecause: Readonly<Record<RefusalReason, number>>;
  readonly refusedEvents: number;
  readonly refusedByProducer: ReadonlyMap<string, number>;
}

/**
 * What a refused frame was over. `closed`: the spool is full or the server stops. `frames`, `events`: the connection's
 * credit. `age`: the oldest frame has waited too long. `stored`: answers that wait for ClickHouse. `rate`: frames a second.
 * `lane`: the memory in front of a worker.
 */
export type RefusalReason = 'closed' | 'frames' | 'events' | 'age' | 'stored' | 'rate' | 'lane';
