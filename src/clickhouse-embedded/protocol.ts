/**
 * Messages between the parent (start-clickhouse.ts) and the embedded ClickHouse's process (child.ts), over Node's IPC
 * channel. The channel is also the life line: when it breaks, the child kills itself.
 */

import type { OperatingError } from '../errors.ts';
import type { AccessSettings } from '../access/door.ts';
import type { TransportKind } from '../http/transport.ts';

import type { Wall } from './walls/report.ts';

export type ChildLogLevel = 'info' | 'warn' | 'error';

/** Parent to child, once, when it has said hello. The secret travels here, so that it is in no argument list and no file. */
export interface ChildConfiguration {
  readonly dataDirectory: string;
  readonly host: string;
  readonly port: number;
  readonly transport: TransportKind;
  readonly access: AccessSettings;
  readonly readers: number;
  readonly memoryMaxBytes: number;
  /** All databases of clients together, on disk. */
  readonly ownBytesMax: number;
  readonly viewPatienceMs: number;
  readonly niceness: number;
  readonly protectedDatabases: readonly string[];
  readonly writerUsername: string;
  readonly writerPassword: string;
  /** When the parent began, in the system's words: the child may not look at other processes. */
  readonly parentStartedAt: string;
}

export type ToChild =
  | { readonly type: 'start'; readonly configuration: ChildConfiguration }
  /** Everything that was received before this time, ms UTC, can be seen by queries from now on. */
  | { readonly type: 'watermark'; readonly time: number }
  | { readonly type: 'stop' };

export type ToParent =
  /** First of all: from now on the child listens. */
  | { readonly type: 'hello'; readonly walls: readonly Wall[] }
  | { readonly type: 'ready'; readonly port: number; readonly version: string }
  | {
      readonly type: 'failed';
      readonly code: OperatingError['code'];
      readonly message: string;
      readonly retryable: boolean;
    }
  | {
      readonly type: 'log';
      readonly level: ChildLogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
