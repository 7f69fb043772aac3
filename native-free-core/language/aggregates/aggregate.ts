/**
 * What an aggregate is made of: one object with all parts, one file per aggregate, entered in the table of index.ts. Whoever
 * compiles, lays out, emits, queries or documents features asks the table; none of them knows an aggregate by its name.
 */

import type { FeatureParameters } from './aggregate-names.ts';
import type { FeaturePlan } from '../../plan/plan.ts';
import type { AggregateDocumentation } from './documentation.ts';
import type { KernelPart } from './kernel-part.ts';
import type { OptionTable } from './aggregate-options.ts';
import type { SqlPart } from './sql-part.ts';
import type { Windows } from './windows.ts';

export interface Aggregate {
  readonly check: Check;
  readonly cells: CellsPart;
  readonly kernel: KernelPart;
  readonly sql: SqlPart;
  readonly text: Text;
  readonly documentation: AggregateDocumentation;
}

/** What a pipeline may say with it. */
export interface Check {
  readonly input: Input;
  readonly result: Result;
  readonly windows: Windows;
  /** Its own keys in a pipeline file. */
  readonly options: OptionTable;
}

/**
 * `of`:
 *   none      there is none
 *   number    a number or a bool, as an exact integer; a time where `times` says so
 *   kept      the same, or a name of an enum, or a text of the dictionary: the value is one of the inputs. `asItCame`: `exact: false`
 *             keeps a float
 *   anything  values are told apart, never read
 */
export type Input =
  | { readonly kind: 'none' }
  | { readonly kind: 'number'; readonly times: boolean }
  | { readonly kind: 'kept'; readonly asItCame: boolean }
  | { readonly kind: 'anything' };

/** Of the value: a whole number of 32 bits, a double, or whatever the input is. */
export type Result = 'count' | 'number' | 'input';

/** The cells of one set: the state of one window, bucket, day or session. */
export interface CellsPart {
  /** Names of its f64 cells. */
  readonly floats: (feature: FeaturePlan) => readonly string[];
  /** Whether it has the Int32 cell `n`. */
  readonly hasCount: boolean;
}

/** For people: what the feature is, in a column's comment. */
export interface Text {
  /** `count`, `quantile 0.9`. */
  readonly subject: (parameters: FeatureParameters) => string;
}
