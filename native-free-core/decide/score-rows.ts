/**
 * Evaluates one model over the rows of a block: inputs are gathered and scored some rows at a time, so that both stay in the
 * first-level cache. Called by what after-state.ts compiles, on the worker's thread.
 */
// hot path: no allocation

import type { Column } from '../layout/column.ts';
import type { GatherLoop } from '../policy/gather-inputs.ts';

/** Doubles of inputs that are gathered at once: 16 KiB, half a first-level cache, the rest is for the model. */
export const GATHERED_DOUBLES_MAX = 2048;

/** What is no finite number is no score. */
export type EvaluateLoop = (inputs: Float64Array, rows: number, features: number, out: Float64Array) => void;

export interface Scorer {
  readonly gather: GatherLoop;
  readonly evaluate: EvaluateLoop;
  readonly features: number;
  /** Rows at a time. */
  readonly step: number;
  readonly inputs: Float64Array;
  readonly scores: Float64Array;
  /** f64, nullable. */
  readonly column: Column;
}

/** Fills the score column of the rows [from, to). */
export function scoreRows(scorer: Scorer, from: number, to: number): void {
  const { gather, evaluate, features, step, inputs, scores, column } = scorer;
  const values = column.f64;
  const nulls = column.nulls;
  column.touched = true;
  for (let at = from; at < to; at += step) {
    const rows = to - at < step ? to - at : step;
    gather(at, at + rows, inputs);
    evaluate(inputs, rows, features, scores);
    for (let i = 0; i < rows; i++) {
      const score = scores[i];
      const missing = !(score - score === 0);
      values[at + i] = missing ? 0 : score;
      nulls[at + i] = missing ? 1 : 0;
    }
  }
}
