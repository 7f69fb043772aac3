/** The progress of `hunt send` on standard error: a bar on a terminal, a line every few seconds elsewhere. */

import { SingleBar } from 'cli-progress';
import type { Source } from './sent-file.ts';
import type { SendSummary } from './summary.ts';

export interface SendProgress {
  update(summary: SendSummary, source: Source): void;
  /** A message, without breaking the bar. */
  note(message: string): void;
  stop(): void;
}

const LINE_MS = 5000;
const MIB = 1 << 20;

export function showProgress(): SendProgress {
  return process.stderr.isTTY ? bar() : lines();
}

function bar(): SendProgress {
  const format = '{bar} {percentage}% | {rows} rows | {rate} rows/s | ETA {eta_formatted}';
  const shown = new SingleBar({
    format,
    stream: process.stderr,
    hideCursor: true,
    barsize: 30,
    etaBuffer: 200,
    fps: 5,
  });
  let begun = 0;
  return {
    update(summary, source) {
      const now = performance.now();
      if (begun === 0) {
        begun = now;
        // Of standard input nobody knows the size: the bar then shows rows and rate only.
        shown.start(source.bytes ?? 1, 0, { rows: 0, rate: 0 });
      }
      const rate = Math.round(summary.rows / Math.max((now - begun) / 1000, 0.1));
      shown.update(source.bytes === null ? 0 : source.bytesRead(), {
        rows: summary.rows.toLocaleString('en'),
        rate: rate.toLocaleString('en'),
      });
    },
    note(message) {
      if (begun !== 0) process.stderr.write('\r\u001b[K');
      process.stderr.write(`${message}\n`);
    },
    stop: () => begun !== 0 && shown.stop(),
  } as SendProgress;
}

function lines(): SendProgress {
  const begun = performance.now();
  let shown = begun;
  return {
    update(summary, source) {
      const now = performance.now();
      if (now - shown < LINE_MS) return;
      shown = now;
      const seconds = (now - begun) / 1000;
      const read = source.bytesRead();
      const of =
        source.bytes === null
          ? ''
          : `, ${(read / MIB).toFixed(1)} of ${(source.bytes / MIB).toFixed(1)} MiB, ETA ${Math.ceil((seconds * (source.bytes - read)) / Math.max(read, 1))} s`;
      process.stderr.write(
        `${summary.rows.toLocaleString('en')} rows, ${Math.round(summary.rows / seconds).toLocaleString('en')} rows/s${of}\n`,
      );
    },
    note: (message) => void process.stderr.write(`${message}\n`),
    stop: () => undefined,
  };
}
