/**
 * What an aggregate does in emitted kernels and readers, by the place where its cells lie: a set of cells in the row's head,
 * in a bucket or in a session's slot; a ring of hop buckets; or, plain, the row's head with a way of its own.
 *
 * Variables of the emitted code: f, w row and table views; b, bw the row's first f64 and Int32 index; r the row of the
 * block; t the event's effective time; seq its number; clock, before the entity's clock, now and before this event; fresh:
 * the first event of a life; flow: set to 1 where a value overflows.
 */

import type { FeaturePlan, Plan } from '../../plan/plan.ts';
import type { CellSet } from './cells.ts';

/** What the event brings, as pieces of code. */
export interface EventCode {
  /** Whether it contributes. */
  readonly adds: string;
  /** Its input: an exact integer, a float as it came, or the number of a text or name. */
  readonly x: string;
  /** `anything`: 64 bits that tell the input apart from others. */
  readonly low: string;
  readonly high: string;
}

export interface FeatureCode {
  readonly feature: FeaturePlan;
  readonly plan: Plan;
}

/** What emitted code calls. */
export type RuntimeFunction = (...values: never[]) => unknown;

export interface KernelPart {
  /** Functions that its code calls, by name. */
  readonly functions: Readonly<Record<string, RuntimeFunction>>;
  /** A constant that its code names, as a declaration; '' where there is none. */
  readonly declaration: (feature: FeaturePlan) => string;
  /** null: it is never in a day or a session. */
  readonly set: SetCode | null;
  /** A window of a duration; null: plain. */
  readonly ring: (feature: FeaturePlan) => RingCode | null;
  /** null: it always has a ring. */
  readonly plain: PlainCode | null;
}

/** A set whose way to take an event in is the same everywhere. */
export type SimpleSet = SetCode & { readonly add: RingCode['addToBucket'] };

export interface SetCode {
  /** Takes the event in. `hop`: of the event, where the window is one of a duration. */
  readonly add: (to: CellSet, event: EventCode, feature: FeaturePlan, hop: string) => string;
  /** Puts one set onto another: sessions that turn out to be one, or a hop that enters a delayed window. */
  readonly merge: (to: CellSet, from: CellSet, feature: FeaturePlan) => string;
  /** f64 cells that are read even when there is nothing in the set. */
  readonly cleared: readonly string[];
  readonly serve: (from: CellSet, code: FeatureCode) => string;
}

/** Over the whole life, and in a window of a duration that needs no buckets. */
export interface PlainCode {
  /** Serves before it takes in, or after. */
  readonly update: (cells: CellSet, event: EventCode, code: FeatureCode) => string;
  /** In a window: what falls out when the clock has moved; '': nothing that `read` would not leave out by itself. */
  readonly move: (cells: CellSet, feature: FeaturePlan) => string;
  /** Between events. */
  readonly read: (cells: CellSet, code: FeatureCode) => string;
}

/** Where a feature lies in its ring. */
export interface RingPlace extends FeatureCode {
  /** Running over the window. */
  readonly totals: CellSet;
  /** Of the bucket whose f64 index is in `s`. */
  readonly bucket: CellSet;
  /** f64 slot of its tree in the row. */
  readonly tree: number;
  readonly buckets: number;
  readonly hopMs: number;
  /** The f64 index of a bucket. */
  readonly bucketAt: (bucket: string) => string;
}

export interface RingCode {
  /** A search tree over the buckets: 2 * buckets f64 in the row. */
  readonly tree: 'min' | 'max' | null;
  /** Whether totals, and whether buckets hold cells. */
  readonly inTotals: boolean;
  readonly inBuckets: boolean;
  /** Of both: f64 cells that are read even when there is nothing in them. */
  readonly cleared: readonly string[];
  /** Takes the event into its bucket. */
  readonly addToBucket: (bucket: CellSet, event: EventCode) => string;
  /** Bucket `bucket`, which `s` is at, falls out of the window. It is cleared after this. */
  readonly expire: (place: RingPlace) => string;
  /** Bucket `entering`, which `s` is at, comes into a delayed window; null: it takes no delay. */
  readonly enter: ((place: RingPlace) => string) | null;
  /** Takes the event into the window itself. */
  readonly addToWindow: (place: RingPlace, event: EventCode) => string;
  /** `head`: the variable that holds the hop of the entity's clock. */
  readonly serve: (place: RingPlace, head: string) => string;
}
