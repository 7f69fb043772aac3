/**
 * Follows the durable epochs and cuts them into ranges, each of which becomes a batch: by rows, bytes, age, arrival day and
 * pipeline version. It keeps up with the spool however slow ClickHouse is, because a range is a few numbers; so the ledger
 * is always up to date. Main thread, driven by warehouse.ts.
 */

import { DAY_MS } from '../../../native-free-core/base/time.ts';
import { readBlockHeader } from '../../../native-free-core/columns/load-block.ts';
import { emptyEpochTotals, enterBlocks, type EpochTotals } from './batch.ts';
import type { LogEntry, LogReader, Position } from '../../contract/event-log.ts';

export interface BatchBounds {
  readonly rowsMax: number;
  readonly bytesMax: number;
  /**
   * Counted from when the range's first epoch was read, by the monotonic clock. A batch has a fixed cost: one of fewer than
   * `rowsEnough` rows waits for more, until `ageMsMax` after the batch before, and no older than that itself.
   */
  readonly ageMs: number;
  readonly ageMsMax: number;
  readonly rowsEnough: number;
}

export interface EpochFollowerOptions {
  readonly reader: LogReader;
  readonly durableEpoch: () => Position;
  /** Every epoch, once and in order; of those that this process has just written, the blocks have no columns. */
  readonly onEpoch: (epoch: Position, blocks: readonly Uint8Array[]) => void;
  readonly sealing: BatchBounds;
  readonly monotonic: () => number;
}

export interface Range {
  readonly firstEpoch: Position;
  lastEpoch: Position;
  /** Days since 1970, UTC. */
  readonly day: number;
  readonly account: EpochTotals;
  /** When its first epoch was read, by the monotonic clock. */
  readonly begunAt: number;
}

/** Read in one go: some 10 ms, so that control requests do not wait longer. */
const READ_BYTES_MAX = 16 << 20;

export class EpochFollower {
  readonly #options: EpochFollowerOptions;
  /** Cut, oldest first; the last one may still grow. Bounded by the spool, of which each holds `rowsMax` or `bytesMax`. */
  readonly #ranges: Range[] = [];
  /** On its way into ClickHouse until the next one is asked for. */
  #taken: Range | null = null;
  /** When the last one was taken, by the monotonic clock. */
  #takenAt = -Infinity;
  #caughtUp = false;

  constructor(options: EpochFollowerOptions) {
    this.#options = options;
  }

  /** Reads on; false where there is more to read at once. */
  follow(): boolean {
    const { reader, durableEpoch } = this.#options;
    const through = durableEpoch();
    for (let read = 0; read < READ_BYTES_MAX;) {
      const found = reader.next(through);
      if (found === null) return (this.#caughtUp = true);
      this.#enter(found);
      for (const block of found.blocks) read += block.length;
    }
    return (this.#caughtUp = false);
  }

  /** The next range to seal, if one is due; `ending`: whatever there is. What was taken before is stored. */
  take(ending: boolean): Range | null {
    this.#taken = null;
    const first = this.#ranges[0];
    if (first === undefined) return null;
    const isCut = this.#ranges.length > 1 || this.#isFull(first);
    const now = this.#options.monotonic();
    const isOld = this.#caughtUp && (ending || now >= this.#dueAt(first));
    if (!isCut && !isOld) return null;
    this.#takenAt = now;
    return (this.#taken = this.#ranges.shift()!);
  }

  /** How long until a range is due although nothing more comes; 0: one is, infinite: there is none. */
  msUntilDue(): number {
    const first = this.#ranges[0];
    if (first === undefined) return Number.POSITIVE_INFINITY;
    if (this.#ranges.length > 1 || this.#isFull(first)) return 0;
    return Math.max(0, this.#dueAt(first) - this.#options.monotonic());
  }

  /** Rows that wait to be sealed. */
  waitingRows(): number {
    return this.#ranges.reduce((sum, { account }) => sum + account.rows, 0);
  }

  /**
   * How much longer than a batch's age the oldest row has waited that SQL cannot see yet. That nothing came before it does
   * not count.
   */
  overdueMs(): number {
    const oldest = this.#taken ?? this.#ranges[0];
    const { monotonic, sealing } = this.#options;
    return oldest === undefined ? 0 : Math.max(0, monotonic() - oldest.begunAt - sealing.ageMsMax);
  }

  close(): void {
    this.#options.reader.close();
  }

  #enter({ epoch, blocks }: LogEntry): void {
    const { receivedAt, pipelineNumber } = readBlockHeader(blocks[0]!);
    const day = Math.floor(receivedAt / DAY_MS);
    let range = this.#ranges.at(-1);
    const fits = range?.day === day && range.account.pipelineNumber === pipelineNumber && !this.#isFull(range);
    if (range === undefined || !fits) {
      range = {
        firstEpoch: epoch,
        lastEpoch: epoch,
        day,
        account: emptyEpochTotals(),
        begunAt: this.#options.monotonic(),
      };
      this.#ranges.push(range);
    }
    range.lastEpoch = epoch;
    enterBlocks(range.account, blocks);
    this.#options.onEpoch(epoch, blocks);
  }

  /** When a range that is not full is old enough. */
  #dueAt({ begunAt, account }: Range): number {
    const { ageMs, ageMsMax, rowsEnough } = this.#options.sealing;
    if (account.rows >= rowsEnough) return begunAt + ageMs;
    return Math.min(begunAt + ageMsMax, Math.max(begunAt + ageMs, this.#takenAt + ageMsMax));
  }

  #isFull({ account }: Range): boolean {
    const { rowsMax, bytesMax } = this.#options.sealing;
    return account.rows >= rowsMax || account.bytes >= bytesMax;
  }
}
