/**
 * Why a JSON event is refused, noted where it was seen: the path of the field, and where in the text its value begins. Used
 * by event.ts and json-frame.ts.
 */

export interface JsonFailure {
  path: string;
  /** What should have been there; '' where `problem` says it all. */
  expected: string;
  problem: string;
  /** Offset of the value; -1: none. */
  valueAt: number;
}

/** Of the event that was refused last. */
export const jsonFailure: JsonFailure = { path: '', expected: '', problem: '', valueAt: -1 };

export function failExpected(outcome: number, path: string, expected: string, valueAt: number): number {
  jsonFailure.path = path;
  jsonFailure.expected = expected;
  jsonFailure.problem = '';
  jsonFailure.valueAt = valueAt;
  return outcome;
}

export function failWith(outcome: number, path: string, problem: string, valueAt: number): number {
  jsonFailure.path = path;
  jsonFailure.expected = '';
  jsonFailure.problem = problem;
  jsonFailure.valueAt = valueAt;
  return outcome;
}
