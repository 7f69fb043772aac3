/**
 * The log: it orders what was answered, keeps it until nobody needs it any more, and gives it again in that order. The spool
 * is the log of the single server, and its positions are epochs; whatever takes its place orders by something of its own.
 *
 *   append    decision workers put sealed blocks into their block lanes; the log takes whole epochs of them
 *   durable   all positions up to this one are on the disk, and their events answered
 *   read      from any position that is kept, in order (LogReader)
 *   trim      below the position that the slowest of its consumers still needs (LogConsumer)
 *
 * A position means something within its log alone: nobody compares positions of different logs, and only the functions here
 * make one from another.
 */

declare const POSITION: unique symbol;

/** Opaque: 0 stands before the first one. */
export type Position = number & { readonly [POSITION]: 'position' };

export const BEFORE_FIRST = 0 as Position;
/** No position comes behind it. */
export const LAST = Infinity as Position;

/** One that was written down, in a file, a record or a column. */
export function positionOf(written: number): Position {
  return written as Position;
}

export function after(position: Position): Position {
  return (position + 1) as Position;
}

export function before(position: Position): Position {
  return (position - 1) as Position;
}

export function isBefore(a: Position, b: Position): boolean {
  return a < b;
}

export function earlier(a: Position, b: Position): Position {
  return isBefore(b, a) ? b : a;
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

/** Somebody who reads the log, or what was made of it, and keeps it from being trimmed. */
export interface LogConsumer {
  /** In figures and messages. */
  readonly name: string;
  /** The first position that it still needs. */
  neededFrom(): Position | Promise<Position>;
  /** Why it needs that one still, in words. */
  waitsFor(position: Position): string;
}
