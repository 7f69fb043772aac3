/**
 * Starts the thread that fills side tables with the history of new features, and speaks with it (backfill-thread.ts). Called
 * through engine/start.ts for each change of the pipeline that has something to backfill. Main thread.
 */

import { Worker } from 'node:worker_threads';
import { reaches, type Position } from '../contract/event-log.ts';
import type { Backfill, BackfillInput } from './change.ts';
import { OperatingError } from '../errors.ts';
import { compiledUrl } from '../system/compiled-url.ts';
import type { ClickHouse } from '../warehouse/clickhouse.ts';

/** What the thread is given; buffers are shared. */
export interface BackfillTask extends Omit<BackfillInput, 'onProgress'> {
  readonly clickhouse: ClickHouseAccess;
  /** Number of the log, and the folder of the spool. */
  readonly logNumber: number;
  readonly spool: string;
  /** Epochs up to this one are read from ClickHouse, later ones from the spool. */
  readonly throughEpoch: Position;
}

export type ClickHouseAccess = Pick<ClickHouse, 'url' | 'database' | 'username' | 'password' | 'embedded'>;

export type FromBackfill =
  | { readonly kind: 'progress'; readonly rows: number; readonly total: number }
  | { readonly kind: 'caught-up' }
  | { readonly kind: 'reached'; readonly epoch: Position };

export type ToBackfill = { readonly kind: 'reach'; readonly epoch: Position };

export interface BackfillStart extends BackfillInput {
  readonly clickhouse: ClickHouse;
  readonly logNumber: number;
  readonly spool: string;
  readonly throughEpoch: Position;
}

export function startBackfill({ onProgress, clickhouse, ...rest }: BackfillStart): Backfill {
  const { url, database, username, password, embedded } = clickhouse;
  const task: BackfillTask = { ...rest, clickhouse: { url, database, username, password, embedded } };
  const worker = new Worker(new URL(compiledUrl(import.meta.url, './backfill-thread.js')), {
    workerData: task,
    name: 'backfill',
  });
  let caughtUp: () => void = () => undefined;
  let reached: (epoch: Position) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => undefined);
  const close = new Promise<void>((resolve) => (caughtUp = resolve));
  worker.on('message', (message: FromBackfill) => {
    if (message.kind === 'progress') onProgress(message.rows, message.total);
    else if (message.kind === 'caught-up') caughtUp();
    else reached(message.epoch);
  });
  worker.on('error', (cause) =>
    fail(
      new OperatingError('backfill_failed', `the new features could not be backfilled: ${String(cause)}`, { cause }),
    ),
  );
  worker.on('exit', () => fail(new OperatingError('backfill_ended', 'the backfill ended before it was done')));
  return {
    caughtUp: Promise.race([close, failed]),
    reach(epoch) {
      const done = new Promise<void>((resolve) => {
        reached = (at) => {
          if (reaches(at, epoch)) resolve();
        };
      });
      worker.postMessage({ kind: 'reach', epoch } satisfies ToBackfill);
      return Promise.race([done, failed]);
    },
    async end() {
      await worker.terminate();
    },
  };
}
