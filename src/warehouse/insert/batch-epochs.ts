/**
 * The epochs of one batch after another: by one reader that goes on where the batch before ended, and without a checksum,
 * since this process has written the same bytes, or read and checked them, a moment ago. Whatever breaks off gives
 * that reader up, and what is asked for again is read anew, with all checks. Main thread, for batch-insert.ts; each table
 * has one.
 */

import { epochsOf, type Batch, type OpenReader } from './batch.ts';
import type { LogEntry, LogReader } from '../../contract/event-log.ts';

export class BatchEpochs {
  readonly #openReader: OpenReader;
  /** Stands behind the last batch. */
  #kept: LogReader | null = null;

  constructor(openReader: OpenReader) {
    this.#openReader = openReader;
  }

  /**
   * `justRead`: this process wrote or checked all of it a moment ago. Blocks are valid until the next one is asked
   * for.
   */
  of(batch: Batch, justRead: boolean): Generator<LogEntry> {
    if (justRead) return this.#goOn(batch);
    this.close();
    return epochsOf(this.#openReader, batch);
  }

  close(): void {
    this.#kept?.close();
    this.#kept = null;
  }

  *#goOn(batch: Batch): Generator<LogEntry> {
    const reader = this.#kept ?? this.#openReader({ bodies: 'trusted' });
    this.#kept = null;
    let isWhole = false;
    try {
      reader.seek(batch.firstEpoch);
      for (let found = reader.next(batch.lastEpoch); found !== null; found = reader.next(batch.lastEpoch)) yield found;
      isWhole = true;
    } finally {
      if (isWhole) this.#kept = reader;
      else reader.close();
    }
  }
}
