/**
 * Sums over all epochs since the log began, as each commit record and the durable mark hold them. The spool thread writes
 * them.
 *
 *   byte 0 6 x f64: rows, frames, received, duplicates, dead-lettered, block bytes
 */

/** In events unless named otherwise. Frames rejected whole count as frames only. */
export interface Totals {
  /** Event rows: what was accepted. */
  rows: number;
  frames: number;
  received: number;
  duplicates: number;
  deadLettered: number;
  blockBytes: number;
}

const NAMES = ['rows', 'frames', 'received', 'duplicates', 'deadLettered', 'blockBytes'] as const;
export const TOTALS_BYTES = NAMES.length * 8;

export function zeroTotals(): Totals {
  return { rows: 0, frames: 0, received: 0, duplicates: 0, deadLettered: 0, blockBytes: 0 };
}

export function writeTotals(view: DataView, at: number, totals: Totals): void {
  for (let i = 0; i < NAMES.length; i++) view.setFloat64(at + i * 8, totals[NAMES[i]], true);
}

export function readTotals(view: DataView, at: number, to: Totals): void {
  for (let i = 0; i < NAMES.length; i++) to[NAMES[i]] = view.getFloat64(at + i * 8, true);
}
