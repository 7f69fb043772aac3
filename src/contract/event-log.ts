/**
 * The log: it orders what was answered, keeps it until nobody needs it any more, and gives it again in that order. The spool
 * is the log of the single server (spool/spool-log.ts), and its positions are epochs; whatever takes its place orders by
 * something of its own.
 *
 *   append    decision workers put sealed blocks into their block lanes; the log takes whole epochs of them
 *   durable   all positions up to this one are on the disk, and their answers may go
 *   read      from any position that is kept, in order (LogReader)
 *   trim      below the position that the slowest of its consumers still needs (LogConsumer)
 *
 * A position means something within its log alone: nobody compares positions of different logs. Outside of the log's own
 * folder the functions here alone reckon with them.
 */

import type { SpoolFigures } from './figures.ts';

declare const POSITION: unique symbol;

/**
 * A number at run time. The compiler takes it for a symbol, the one primitive that it neither orders, nor adds to, nor puts
 * into text; `===` holds within one log.
 */
export type Position = symbol & { readonly [POSITION]: 'position' };

/** 0 stands before the first one. */
export const BEFORE_FIRST = positionOf(0);
/** No position comes behind it. */
export const LAST = positionOf(Infinity);

/** One that was written down: in a file, a record, a column, a shared word. */
export function positionOf(written: number): Position {
  return written as unknown as Position;
}

/** As it is written down, and as people read it. */
export function written(position: Position): number {
  return position as unknown as number;
}

export function after(position: Position): Position {
  return positionOf(written(position) + 1);
}

export function before(position: Position): Position {
  return positionOf(written(position) - 1);
}

export function isBefore(a: Position, b: Position): boolean {
  return written(a) < written(b);
}

/** Whether `position` is at `other` or behind it. */
export function reaches(position: Position, other: Position): boolean {
  return !isBefore(position, other);
}

export function earlier(a: Position, b: Position): Position {
  return isBefore(b, a) ? b : a;
}

export function later(a: Position, b: Position): Position {
  return isBefore(a, b) ? b : a;
}

/** How many come behind `from`, up to and with `through`. */
export function countBetween(from: Position, through: Position): number {
  return written(through) - written(from);
}

/** What was appended at one position. */
export interface LogEntry {
  readonly epoch: Position;
  /** The sealed blocks in their stored order. */
  readonly blocks: readonly Uint8Array[];
}

/** Blocks are valid until the next call, unless the log was asked to keep them. */
export interface LogReader {
  /** The next entry is the one at this position. */
  seek(position: Position): void;
  /** The next entry, or null where it lies behind `through`, which must be durable. */
  next(through: Position): LogEntry | null;
  close(): void;
}

/** `trusted`: for what this process has read and checked a moment ago. Default `checked`. */
export interface LogReading {
  readonly bodies?: 'checked' | 'trusted';
}

/** What of a log any thread may use. */
export interface ReadableLog {
  /** Everything up to here is on the disk. */
  durable(): Position;
  read(how?: LogReading): LogReader;
}

/** Where the log takes from what is appended: shared memory. */
export interface LogSource {
  /** Its words tell who waits, and how far the log is. */
  readonly control: SharedArrayBuffer;
  /** One for each worker, in the workers' order. */
  readonly blockLanes: readonly SharedArrayBuffer[];
  readonly ingresses: number;
  /** Where it hands durable entries over without their columns. */
  readonly headLane: SharedArrayBuffer;
}

/** The main thread's log. It can be read at once, and grows from `append` on. */
export interface EventLog extends ReadableLog {
  /** Rows, batches and tokens name their log by it. */
  readonly number: number;
  /** As this start found it: the oldest position that is kept, or the one after `last` where none is; and the last one. */
  readonly first: Position;
  readonly last: Position;
  /** From now on it takes what workers seal; resolves once it does. `onFailure`: it cannot go on, nor can the process. */
  append(source: LogSource, onFailure: (error: unknown) => void): Promise<void>;
  whenDurable(position: Position): Promise<void>;
  /** For one who only counts: blocks may come without their columns, from memory. One reader at a time. */
  readHeads(): LogReader;
  /** Nobody needs what lies below: the slowest consumer is at this position. */
  trim(below: Position): void;
  /** The latest ones, at most a second old; null before the first. */
  figures(): SpoolFigures | null;
  /** What is whole by now becomes durable, and nothing after it. */
  stop(): Promise<void>;
}

/** The entries from one position through another, which must be durable. */
export function* entriesOf(log: Pick<ReadableLog, 'read'>, from: Position, through: Position): Generator<LogEntry> {
  const reader = log.read();
  try {
    reader.seek(from);
    for (let found = reader.next(through); found !== null; found = reader.next(through)) yield found;
  } finally {
    reader.close();
  }
}

/** Somebody who reads the log, or what was made of it, and keeps it from being trimmed. */
export interface LogConsumer {
  /** In figures and messages. */
  readonly name: string;
  /** The first position that it still needs. */
  neededFrom(): Position | Promise<Position>;
  /** Why it needs that one still, in words. */
  waitsFor(position: Position): string;
}
