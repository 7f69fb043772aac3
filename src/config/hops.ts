/** The default hop of a window (docs/semantics.md §5). */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Ascending. */
export const HOPS_MS: readonly number[] = [
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12, 24].map((n) => n * HOUR),
];

/** A window of fewer hops would forget in steps that one sees. */
const HOPS_MIN = 24;

/** The largest hop that divides the window with at least 24 hops, or null. */
export function defaultHopMs(windowMs: number): number | null {
  return HOPS_MS.findLast((hop) => windowMs % hop === 0 && windowMs / hop >= HOPS_MIN) ?? null;
}
