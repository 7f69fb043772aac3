/**
 * What the answer to a frame says, and its status. Written by json-answer.ts and proto-answer.ts, straight from the action
 * columns of a block into an answer lane; by workers once per frame after the block has been decided, and by ingress for
 * RETRY.
 */

import type { Seq } from '../layout/seq.ts';
import type { Plan } from '../plan/plan.ts';

export const STATUS_OK = 1;
export const STATUS_DUPLICATE = 2;
export const STATUS_REJECTED = 3;
export const STATUS_RETRY = 4;

/** What some rejections say in particular, by event as `eventOutcome` counts them; the outcome says the rest. */
export type RejectionParts = ReadonlyMap<number, Uint8Array>;

/** The answer to the events [first, first + count) of a block. */
export interface AnswerContent {
  readonly plan: Plan;
  readonly seq: Seq;
  /** STATUS_OK, or STATUS_DUPLICATE for an answer that is given again. */
  readonly status: number;
  /** The action column of each decision. */
  readonly actions: readonly Uint16Array[];
  /** An event's row in the block, -1 for none. */
  readonly eventRow: Int32Array;
  /** 0, or why the event was rejected. */
  readonly eventOutcome: Int32Array;
  readonly first: number;
  readonly count: number;
  readonly parts: RejectionParts;
  /** Encoded, to be added. */
  readonly warnings: Uint8Array;
}

export const NO_PARTS: RejectionParts = new Map<number, Uint8Array>();
export const NO_WARNINGS = new Uint8Array(0);
