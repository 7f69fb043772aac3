/** What the bench knows of a system: how it is started, put under load, and where its rows come. */

import type { QueryTarget } from '../../src/client/index.ts';
import type { ListShape } from './event-list.ts';

export interface Phase {
  /** Six characters that begin every event id of the phase. */
  readonly run: string;
  /** A multiple of events per frame and connections. */
  readonly events: number;
  /** Events a second in an open loop; 0: as fast as answers come. */
  readonly rate: number;
  readonly eventsPerFrame: number;
  readonly connections: number;
  readonly framesInFlightMax: number;
  /** The events have the sample's times. */
  readonly isSample: boolean;
  readonly timeoutMs: number;
}

/** Latency in ms, from when a frame was due; of Kafka + Flink, to when its decision came out of the topic of decisions. */
export interface PhaseResult {
  readonly answered: number;
  readonly seconds: number;
  /** Events that the system asked for again. */
  readonly retried: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export interface RunningSystem {
  /** Processes whose time and memory are the system's, by what they are. */
  readonly pids: Readonly<Record<string, number>>;
  readonly clickhouse: QueryTarget;
  load(phase: Phase): Promise<PhaseResult>;
  stop(): Promise<void>;
}

export interface System {
  readonly name: string;
  /** What holds when a machine or a process goes down: what others do less. */
  readonly guarantee: string;
  /** Events a second that it takes about, so that every system's phase lasts about as long. */
  readonly eventsPerSecond: number;
  /** Sent before the first figure, until its compilers have seen it all. */
  readonly warmEvents: number;
  /** null: it can be started here; else what is missing. */
  missing(): string | null;
  /** `isSample`: rows must come in one order, whatever it costs. */
  start(folder: string, list: ListShape, isSample: boolean): Promise<RunningSystem>;
}
