/**
 * The main thread's hold on the spool thread: starts it, sends trims, hears its figures and its death.
 * Called by engine/start.ts.
 */

import { Worker } from 'node:worker_threads';

import { SPOOL_BELL } from '../../native-free-core/layout/control-layout.ts';
import { errorCodeOf } from '../../native-free-core/base/error-codes.ts';
import { ring } from '../../native-free-core/ring/doorbell.ts';
import type { Position } from '../contract/event-log.ts';
import { OperatingError } from '../errors.ts';
import { compiledUrl } from '../system/compiled-url.ts';
import { SEGMENT_BYTES_DEFAULT, segmentBytesMin } from './segment-bytes.ts';
import type { SpoolReport, SpoolRequest, SpoolThreadOptions } from './spool-thread.ts';
import type { SpoolFigures } from '../contract/figures.ts';
import type { SpoolLog } from './spool-writer.ts';

export const SPOOL_BYTES_MAX_DEFAULT = 8 * 2 ** 30;

export interface SpoolStart extends Omit<SpoolThreadOptions, 'segmentBytes' | 'spoolBytesMax' | 'sparesMax'> {
  readonly segmentBytes?: number;
  readonly spoolBytesMax?: number;
  /** Default: half of the spool's limit, since what is trimmed after a snapshot is filled again before the next. */
  readonly sparesMax?: number;
  readonly log: SpoolLog;
  /** The thread died: its log cannot be trusted to go on, so the process must end. */
  readonly onFailure: (error: Error) => void;
}

export interface Spool {
  /** Settles once the log is open and the thread takes blocks; rejects where it cannot. */
  readonly ready: Promise<void>;
  /** The latest figures, at most a second old. */
  figures(): SpoolFigures | null;
  /** Epochs below are in ClickHouse and under a snapshot: their segments may be used again. */
  trim(belowEpoch: Position): void;
  /** Commits what is whole and ends the thread. Returns the last durable epoch. */
  stop(): Promise<number>;
}

export function startSpool(start: SpoolStart): Spool {
  const { log, onFailure, ...rest } = start;
  const segmentBytes = start.segmentBytes ?? Math.max(SEGMENT_BYTES_DEFAULT, segmentBytesMin(start.laneBuffers));
  const spoolBytesMax = start.spoolBytesMax ?? SPOOL_BYTES_MAX_DEFAULT;
  const sparesMax = start.sparesMax ?? Math.max(2, Math.floor(spoolBytesMax / segmentBytes / 2));
  const workerData: SpoolThreadOptions = { ...rest, segmentBytes, spoolBytesMax, sparesMax };
  const worker = new Worker(new URL(compiledUrl(import.meta.url, './spool-thread.js')), { workerData, name: 'spool' });
  const control = new Int32Array(start.controlBuffer);
  let figures: SpoolFigures | null = null;
  let stopping = false;
  worker.on('message', (report: SpoolReport) => {
    if (report.type === 'log') log(report.level, report.message);
    else if (report.type === 'figures') figures = report.figures;
  });
  const ready = reported(worker, 'ready').then(() => {
    worker.on('error', onFailure);
    worker.on('exit', (code) => {
      if (!stopping) onFailure(new Error(`it ended by itself: exit_code=${code}`));
    });
  });
  const stopped = reported(worker, 'stopped').then((report) => (report.type === 'stopped' ? report.durableEpoch : 0));
  // Whoever does not wait for one of these must not die of it: `onFailure` is told.
  ready.catch(() => {});
  stopped.catch(() => {});
  const send = (request: SpoolRequest): void => {
    worker.postMessage(request);
    ring(control, SPOOL_BELL);
  };
  return {
    ready,
    figures: () => figures,
    trim: (belowEpoch) => send({ type: 'trim', belowEpoch }),
    stop: () => {
      stopping = true;
      send({ type: 'stop' });
      return stopped;
    },
  };
}

/** Settles with the thread's first report of this type, or with its death. */
function reported(worker: Worker, type: SpoolReport['type']): Promise<SpoolReport> {
  return new Promise((resolve, reject) => {
    worker.on('message', (report: SpoolReport) => {
      if (report.type === type) resolve(report);
    });
    worker.on('error', (error) => reject(asOperating(error)));
    worker.on('exit', (code) => reject(new Error(`the spool thread ended: exit_code=${code}; start again`)));
  });
}

/** An error of a disk has lost its class on the way from the thread. */
function asOperating(error: Error): Error {
  const { code } = error as NodeJS.ErrnoException;
  const known = errorCodeOf(code, 'died');
  return known === code ? new OperatingError(known, error.message, { cause: error }) : error;
}
