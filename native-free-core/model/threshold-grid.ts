/**
 * Ascending thresholds under a grid of equal cells, so that a value's rank is found in a step or two: those in cells before
 * its own lie below it, those in cells behind lie above, because the way from a number to its cell never falls. Made once a
 * model; read by ranks.ts.
 */

export interface ThresholdGrid {
  readonly thresholds: Float64Array;
  readonly low: number;
  /** Cells per unit. */
  readonly scale: number;
  readonly lastCell: number;
  /** By cell: how many thresholds lie in cells before it; one more than there are cells. */
  readonly begins: Int32Array;
}

const CELLS_PER_THRESHOLD = 4;
const CELLS_MAX = 4096;

export function createThresholdGrid(thresholds: Float64Array): ThresholdGrid {
  const finite = thresholds.filter(Number.isFinite);
  const low = finite[0] ?? 0;
  const span = (finite.at(-1) ?? 0) - low;
  const cells = Math.min(CELLS_MAX, CELLS_PER_THRESHOLD * Math.max(1, thresholds.length));
  // Where they are all one, or too far apart for a number, all lie in the first cell.
  const scale = span > 0 && Number.isFinite(cells / span) ? cells / span : 0;
  const lastCell = cells - 1;
  const begins = new Int32Array(cells + 1);
  for (const threshold of thresholds) begins[cellOf(threshold, low, scale, lastCell) + 1]++;
  for (let cell = 0; cell < cells; cell++) begins[cell + 1] += begins[cell];
  return { thresholds, low, scale, lastCell, begins };
}

/** The very expression that ranks.ts has in its loops. */
function cellOf(value: number, low: number, scale: number, lastCell: number): number {
  const at = (value - low) * scale;
  return at > 0 ? (at < lastCell ? at | 0 : lastCell) : 0;
}
