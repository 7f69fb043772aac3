/**
 * What is said of one decided event: the answer of `POST /v1/decide` and of `GET /v1/decisions/{event_id}`, as plain JSON.
 * Made in src/explain on the main thread, read by clients and commands.
 */

import type { CompoundKind } from '../../native-free-core/language/functions/function.ts';

/** Integers beyond 2^53 as decimal text, bytes in base64, times in ISO 8601; null: absent. */
export type ExplainedValue =
  number | string | boolean | null | readonly ExplainedValue[] | { readonly [key: string]: ExplainedValue };

/** A named part of an expression and what it was. */
export interface NamedValue {
  readonly text: string;
  readonly value: ExplainedValue;
}

/** A condition with its parts: a tree of and, or, not and ?:, with tests (comparisons, memberships, flags) as leaves. */
export interface ExplainedCondition {
  readonly text: string;
  /** null: absent, which fires nothing. */
  readonly holds: boolean | null;
  readonly kind: CompoundKind | 'test';
  /** Of `conditional`: condition, then, else. Of `test`: none. */
  readonly conditions: readonly ExplainedCondition[];
  /** Of `test`: what it compares, constants apart. */
  readonly values: readonly NamedValue[];
}

export interface ExplainedLimit {
  readonly count: number;
  readonly perMs: number;
  readonly entity: string;
  /** `not_asked`: the rule did not hold, or another one had decided before. `used_up`: it fell to the next rule. */
  readonly outcome: 'taken' | 'used_up' | 'not_asked';
}

export interface ExplainedRule {
  readonly rule: string;
  /** As the pipeline has it. */
  readonly when: string;
  readonly then: string;
  readonly holds: boolean | null;
  /** False: a rule before it had decided. */
  readonly reached: boolean;
  /** This rule decided. */
  readonly decided: boolean;
  /** Switched off (`hunt disable`): it never holds. */
  readonly disabled?: boolean;
  readonly condition: ExplainedCondition;
  readonly limit?: ExplainedLimit;
}

export interface ExplainedDecision {
  readonly decision: string;
  /** Of a version that decides beside the live one: stored, never answered. */
  readonly isShadow?: boolean;
  /** False where `where` does not hold: action and rule are ''. */
  readonly asked: boolean;
  readonly where: ExplainedCondition | null;
  readonly action: string;
  /** `default` where no rule decided. */
  readonly rule: string;
  /** Where a limit was taken: the number of the take, and the epoch since which they are counted. */
  readonly limitSeq?: ExplainedValue;
  readonly limitLife?: ExplainedValue;
  readonly rules: readonly ExplainedRule[];
}

export interface ExplainedEntity {
  readonly entity: string;
  /** Parts of the key; null where the event names none. */
  readonly key: readonly NamedValue[] | null;
  /** null: the entity has no part in the event, or there was no room for it. */
  readonly seq: ExplainedValue;
  readonly life: ExplainedValue;
}

/** An input of a model: as the event has it, and as the model took it (a text is its category's number). */
export interface ExplainedInput extends NamedValue {
  /** null: a missing value. */
  readonly number: number | null;
  /** Linear and logistic: what it adds to the margin. */
  readonly contribution?: number | null;
  /** Trees: how many of the paths below ask for it. */
  readonly paths?: number;
}

/**
 * What a tree asked on the way to its leaf, and the answer; of a missing value the one that the model was trained to take.
 */
export interface ExplainedSplit {
  readonly text: string;
  readonly holds: boolean;
  readonly missing?: true;
}

export interface ExplainedTree {
  readonly tree: number;
  readonly splits: readonly ExplainedSplit[];
  readonly leaf: number;
}

export interface ExplainedModel {
  /** `model.cheat` */
  readonly name: string;
  readonly format: string;
  readonly file: string;
  readonly output: string;
  /** As served; null: the model gave none. */
  readonly score: ExplainedValue;
  /** What output made the score of, computed once more from the inputs below. */
  readonly margin: number | null;
  readonly inputs: readonly ExplainedInput[];
  /** Linear and logistic. */
  readonly intercept?: number;
  /** Trees, in their order. */
  readonly trees?: readonly ExplainedTree[];
}

export interface Explanation {
  readonly pipeline: { readonly name: string; readonly version: string; readonly number: number };
  readonly eventId: ExplainedValue;
  /** '' where the message has no types. */
  readonly type: string;
  readonly eventTime: ExplainedValue;
  readonly receivedAt: ExplainedValue;
  readonly effectiveTime: ExplainedValue;
  /** Fields that are present, by the names that rules use. */
  readonly event: Readonly<Record<string, ExplainedValue>>;
  readonly entities: readonly ExplainedEntity[];
  /** As served: with this event, unless the feature excludes it. */
  readonly features: Readonly<Record<string, ExplainedValue>>;
  readonly derived: readonly (NamedValue & { readonly name: string })[];
  readonly experiments: Readonly<Record<string, ExplainedValue>>;
  readonly models: readonly ExplainedModel[];
  readonly decisions: readonly ExplainedDecision[];
  /** A feature of the row was too large to be told exactly, and is absent. */
  readonly overflow: boolean;
  /** What is known to be otherwise than when it was decided. */
  readonly notes: readonly string[];
}

/** Where a stored event lies. */
export interface StoredPlace {
  /** Number of the log that brought it. */
  readonly log: number;
  readonly batch: string;
  readonly row: number;
  readonly epoch: string;
  readonly producer: string;
  readonly frameSeq: ExplainedValue;
  readonly frameIndex: ExplainedValue;
  /** Stored events of this id; the newest is told of. */
  readonly found: number;
}

export interface StoredExplanation extends Explanation {
  readonly stored: StoredPlace;
}
