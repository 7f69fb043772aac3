/**
 * Follows the log by what the spool thread hands over of each epoch that it has made durable: the heads of its blocks, all
 * but the columns (layout/epoch-heads-record.ts). Epochs of before this start, and those that found the lane full because
 * the main thread fell behind, are read from the disk with their checksums. Main thread, for the warehouse's follower.
 *
 *   spool thread   write - fdatasync - heads into the lane - publish "durable up to"
 *   main thread    the lane begins with the wanted epoch: it is taken; with a later one, or empty: the disk
 *
 * So an epoch that is published and not in the lane will not come there any more.
 */

import { readHeads, readHeadsEpoch } from '../../native-free-core/layout/epoch-heads-record.ts';
import { claim, release, type Lane } from '../../native-free-core/ring/lane.ts';
import {
  after,
  BEFORE_FIRST,
  isBefore,
  positionOf,
  type LogEntry,
  type LogReader,
  type Position,
} from '../contract/event-log.ts';

export class HeadReader implements LogReader {
  /** Epochs by where they came from. */
  readonly figures = { handed: 0, read: 0 };
  readonly #lane: Lane;
  readonly #disk: LogReader;
  #epoch = after(BEFORE_FIRST);
  /** The entry that was returned last lies in the lane. */
  #lent = false;

  constructor(lane: Lane, disk: LogReader) {
    this.#lane = lane;
    this.#disk = disk;
  }

  seek(epoch: Position): void {
    this.#epoch = epoch;
  }

  /** Of epochs that were handed over `blocks` are the heads, valid until the next call. */
  next(through: Position): LogEntry | null {
    this.#giveBack();
    if (isBefore(through, this.#epoch)) return null;
    const entry = this.#handed() ?? this.#read(through);
    if (entry !== null) this.#epoch = after(entry.epoch);
    return entry;
  }

  close(): void {
    this.#giveBack();
    this.#disk.close();
  }

  #handed(): LogEntry | null {
    const lane = this.#lane;
    for (let at = claim(lane); at >= 0; at = claim(lane)) {
      const epoch = positionOf(readHeadsEpoch(lane.view, at));
      if (isBefore(this.#epoch, epoch)) return null;
      if (epoch === this.#epoch) {
        this.#lent = true;
        this.figures.handed++;
        return { epoch, blocks: readHeads(lane, at) };
      }
      release(lane);
    }
    return null;
  }

  #read(through: Position): LogEntry | null {
    this.figures.read++;
    this.#disk.seek(this.#epoch);
    return this.#disk.next(through);
  }

  #giveBack(): void {
    if (this.#lent) release(this.#lane);
    this.#lent = false;
  }
}
