/**
 * What the parts of the way into ClickHouse hand to one another: a batch, what its epochs hold, and the spool as far as it
 * is needed here (spool/reader.ts, handed in by engine/start.ts).
 */

import { readBlockHeader, eachFrame } from '../../../native-free-core/columns/load-block.ts';
import { entriesOf, type LogEntry, type Position, type ReadableLog } from '../../contract/event-log.ts';

/** Sealed: its range is durable. Ids are 1, 2, 3… in each log; rows carry `log` as `_log` and `id` as `_batch`. */
export interface Batch {
  /** Number of the log whose epochs it holds. */
  readonly log: number;
  readonly id: number;
  readonly firstEpoch: Position;
  readonly lastEpoch: Position;
  readonly rows: number;
  /** Days since 1970, UTC. */
  readonly day: number;
  /** ms UTC */
  readonly sealedAt: number;
  /** Begins the tokens of its inserts: of one batch always the same, of others another. */
  readonly token: string;
}

/** What is known of a batch before it is sealed. */
export type BatchRange = Omit<Batch, 'log' | 'id' | 'token'>;

export type OpenReader = ReadableLog['read'];

/** What a range of epochs holds, by its blocks. */
export interface EpochTotals {
  /** Events accepted. */
  rows: number;
  deadLetters: number;
  frames: number;
  /** Events in those frames, and those among them that had been seen before. */
  received: number;
  duplicates: number;
  bytes: number;
  /** The version of the pipeline that sealed all of it. */
  pipelineNumber: number;
  /** ms UTC, of the first and the last epoch. */
  firstReceivedAt: number;
  lastReceivedAt: number;
}

export function emptyEpochTotals(): EpochTotals {
  return {
    rows: 0,
    deadLetters: 0,
    frames: 0,
    received: 0,
    duplicates: 0,
    bytes: 0,
    pipelineNumber: 0,
    firstReceivedAt: 0,
    lastReceivedAt: 0,
  };
}

export function enterBlocks(account: EpochTotals, blocks: readonly Uint8Array[]): void {
  for (const block of blocks) {
    const header = readBlockHeader(block);
    account.rows += header.rows;
    account.deadLetters += header.deadLetters;
    account.frames += header.frames;
    account.bytes += header.bytes;
    account.pipelineNumber = header.pipelineNumber;
    account.firstReceivedAt ||= header.receivedAt;
    account.lastReceivedAt = Math.max(account.lastReceivedAt, header.receivedAt);
    eachFrame(block, ({ received, duplicates }) => {
      account.received += received;
      account.duplicates += duplicates;
    });
  }
}

export function epochsOf(openReader: OpenReader, batch: Batch): Generator<LogEntry> {
  return entriesOf({ read: openReader }, batch.firstEpoch, batch.lastEpoch);
}

/** For a batch that was sealed before this start. */
export function epochTotalsOf(openReader: OpenReader, batch: Batch): EpochTotals {
  const account = emptyEpochTotals();
  for (const { blocks } of epochsOf(openReader, batch)) enterBlocks(account, blocks);
  return account;
}
