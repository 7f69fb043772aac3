/**
 * The plan: what a pipeline file compiles into. Plain data (JSON, structured-cloneable), the same for every thread.
 * `src/config` makes it; codec, features, policy and columns compile it further, each into its own loops.
 */

import { DAY_MS } from '../base/time.ts';
import type { AggregateName, FeatureParameters } from '../language/aggregates/aggregate-names.ts';
import type { Expression } from './expression-plan.ts';
import type { ModelPlan } from './model-plan.ts';
import type { QueryPlan } from './query-plan.ts';

/** How one column lies in a block's memory, and which ClickHouse type it becomes. */
export type ColumnKind =
  | 'u8' // Uint8Array; Bool or UInt8
  | 'u32' // Uint32Array; UInt32
  | 'i32' // Int32Array; Int32
  | 'u64' // two Uint32 (low, high) a row; UInt64
  | 'i64' // two Int32 (low, high) a row; Int64
  | 'time' // like i64: milliseconds UTC; DateTime64(3, 'UTC')
  | 'f32' // Float32Array; Float32
  | 'f64' // Float64Array; Float64
  | 'string' // heap of varint length + bytes; String
  | 'bytes' // the same; String
  | 'code' // Uint16Array, index into `labels`; LowCardinality(String). Closed set: event types, actions, rules
  | 'enum' // Int32Array, protobuf enum number, open; LowCardinality(String): name, or the number as text where unknown
  | 'dictionary'; // Uint32Array, id in the shared string dictionary; LowCardinality(String)

/** `list`: Array(T). `map`: Map(String, T) with string keys. Both have one or more elements a row, or none. */
export type ColumnShape = 'scalar' | 'list' | 'map';

export interface ColumnPlan {
  /** Index in `Plan.columns`; the number by which expressions and kernels name it. */
  readonly index: number;
  /** Column name in ClickHouse. */
  readonly name: string;
  readonly kind: ColumnKind;
  readonly shape: ColumnShape;
  /** Only scalars: absent values are NULL. Without it they are 0, '' or false. */
  readonly nullable: boolean;
  /** The table's column can be NULL although this one cannot, since another version's can: its values are always sent. */
  readonly storedNullable?: boolean;
  /** Full ClickHouse type. */
  readonly clickhouseType: string;
  /** Codec clause or ''. */
  readonly codec: string;
  /** `code`: label of code 0, 1, … `enum`: names by number, as pairs. */
  readonly labels?: readonly string[];
  readonly enumNames?: readonly (readonly [number, string])[];
  /** One line for `COMMENT` and `hunt check`. */
  readonly comment: string;
  /**
   * Which branch of the type oneof owns it (its code in the type column), or -1: whole columns of other branches stay
   * untouched.
   */
  readonly branch: number;
}

/**
 * A field of a branch of the type oneof that shares its column with the same field numbers of other branches: an event has
 * one branch, so its fields need no more columns than the widest branch has. In ClickHouse it is an ALIAS over the shared
 * column. Decoder, blocks and inserts know the shared columns only; expressions name views.
 */
export interface ViewPlan extends ColumnPlan {
  /** The shared column: an index into `Plan.columns`. `branch` says in which rows it is this field. */
  readonly slot: number;
}

/** Views are numbered from here on, beyond all columns. */
export const VIEWS_FROM = 1 << 20;

/** The column or view that an expression names. */
export function columnAt(plan: Pick<Plan, 'columns' | 'views'>, index: number): ColumnPlan {
  return index < VIEWS_FROM ? plan.columns[index]! : plan.views![index - VIEWS_FROM]!;
}

/** The column that holds its values. */
export function slotOf(plan: Pick<Plan, 'views'>, index: number): number {
  return index < VIEWS_FROM ? index : plan.views![index - VIEWS_FROM]!.slot;
}

export type ProtoScalar =
  | 'double'
  | 'float'
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'sint32'
  | 'sint64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed32'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes';

/** First and last, both included. */
export type NumberRanges = readonly (readonly [number, number])[];

/** One field of a protobuf message, resolved. */
export interface FieldPlan {
  readonly number: number;
  /** Name in the .proto, and its JSON name (lowerCamelCase). */
  readonly name: string;
  readonly jsonName: string;
  readonly type: ProtoScalar | 'enum' | 'message' | 'timestamp' | 'map';
  readonly repeated: boolean;
  /** Where the values go: an index into `Plan.columns`; -1 for `message`. A map has one column of shape `map`. */
  readonly column: number;
  /** `enum`: names by number. */
  readonly enumNames?: readonly (readonly [number, string])[];
  /** `message`: its fields, flattened into columns of their own. */
  readonly message?: MessagePlan;
  /** `map`: type of the values (keys are strings); `enum` values carry enumNames. */
  readonly mapValue?: ProtoScalar | 'enum';
  /**
   * Set where the field is a branch of the message's type oneof: the code to put into the type column.
   * Setting one branch clears the columns of the branch that was set before in the same event (last one wins).
   */
  readonly branch: number;
  /** Number of another plain oneof within the message (fields of which exclude each other), or -1. */
  readonly oneof: number;
  /**
   * A singular scalar without presence of its own (neither `optional` nor in a oneof): where its message is there and the
   * field is not, a nullable column gets the default (0, '', false), not NULL.
   */
  readonly implicit?: boolean;
  readonly deprecated?: boolean;
  /** `enum`: numbers that its declaration reserves. */
  readonly enumReserved?: NumberRanges;
}

export interface MessagePlan {
  readonly name: string;
  readonly fields: readonly FieldPlan[];
  /** What the message declares `reserved`. */
  readonly reserved?: { readonly numbers: NumberRanges; readonly names: readonly string[] };
}

export type { LinearContent, ModelFormat, ModelOutput, ModelPlan, TreeContent } from './model-plan.ts';
export type { QueryParameterPlan, QueryPlan } from './query-plan.ts';
export type { Expression, ExpressionOperator, ExpressionType } from './expression-plan.ts';

export type { AggregateName } from '../language/aggregates/aggregate-names.ts';

/** A session: events of an entity with no gap above `gapMs` between neighbours in effective time. */
export interface SessionPlan {
  readonly gapMs: number;
  /** Events more than this behind the entity's clock are outside. Bounds how many sessions a late event can still merge. */
  readonly lateMs: number;
}

/**
 * A value that is computed once and stored with the row, so that the twin reads it instead of repeating it: derived
 * values, and what the compiler sets aside (zone-dependent days, inexact inputs of aggregates).
 */
export interface ComputedPlan {
  /** `derived.speed`; '' where the compiler made it. */
  readonly name: string;
  /** f64 (double, int), i32 (days), u8 (bool) or code. */
  readonly column: number;
  readonly expression: Expression;
  /** Reads the event only: computed before state moves, so that keys, inputs and `where` may read it. Otherwise after. */
  readonly before: boolean;
}

/**
 * A time zone as a table, since the core has no calendar of its own: the time is local time minus UTC, by instant.
 * Between 1970 and 2100; a part of a time outside is absent, except in UTC, which needs no table.
 */
export interface ZonePlan {
  /** As IANA names it; the constant behind a time part's operand. */
  readonly name: string;
  /** ms UTC, ascending: from here on the next offset holds. */
  readonly changes: readonly number[];
  /** ms; one more than changes, the first for all times before the first change. */
  readonly offsets: readonly number[];
}

/** Keys that an operator keeps in a file and replaces while the engine runs; asked by `in list.<name>`. */
export interface ListPlan {
  readonly name: string;
  /** Relative to the pipeline file; one entry a line. */
  readonly file: string;
  readonly type: 'int' | 'string';
  readonly max: number;
  /** Entries at the time of compilation. */
  readonly entries: readonly string[];
}

/** A percentage split by a stable hash; its arm is a computed column. */
export interface ExperimentPlan {
  readonly name: string;
  /** `code`: label 0 is '' (no key), then the arms. */
  readonly column: number;
  readonly key: Expression;
  readonly keyText: string;
  readonly salt: string;
  /** In order; 100 percent together. */
  readonly arms: readonly { readonly name: string; readonly percent: number }[];
}

export interface FeaturePlan extends FeatureParameters {
  /** As rules name it after the entity: `digs_5m`. */
  readonly name: string;
  /**
   * Where the value as served is stored: an index into `Plan.columns` (u32 for count and count_distinct; dictionary for
   * first, last and previous of a dictionary field, enum for those of an enum; f64 for all others).
   */
  readonly column: number;
  readonly aggregate: AggregateName;
  /** Input; null for count and time_since_last. Type int, double, bool or time. */
  readonly of: Expression | null;
  readonly where: Expression | null;
  /** 0: over the entity's whole life. */
  readonly windowMs: number;
  readonly hopMs: number;
  /** Input as an exact integer: scaled by 10^decimals. -1: `exact: false`, the float as it came. */
  readonly decimals: number;
  /** The window ends this long before the entity's clock (docs/semantics.md §5); a multiple of the hop. Absent: 0. */
  readonly delayMs?: number;
  /** first, last and previous of an enum: the value is one of its names. */
  readonly isEnum?: boolean;
  /** `current_event: exclude`: the value before this event. */
  readonly excludesCurrent?: boolean;
  /** The window is the entity's latest session; windowMs and hopMs are 0. */
  readonly session?: SessionPlan;
  /**
   * The window is the latest local day among the entity's events: the i32 column that holds each event's; windowMs and hopMs
   * are 0.
   */
  readonly dayColumn?: number;
}

/** At most `count` times per `perMs` (window semantics of a count feature) and key of the entity. */
export interface LimitPlan {
  readonly count: number;
  readonly perMs: number;
  readonly hopMs: number;
  /** Index into `Plan.entities`. */
  readonly entity: number;
}

export interface EntityPlan {
  readonly index: number;
  readonly name: string;
  readonly primary: boolean;
  readonly max: number;
  readonly ttlMs: number;
  /** Parts of the key; more than one for a composite key. */
  readonly key: readonly Expression[];
  /** Key texts as written in the pipeline, for messages. */
  readonly keyTexts: readonly string[];
  readonly seqColumn: number;
  readonly lifeColumn: number;
  readonly features: readonly FeaturePlan[];
}

export interface RulePlan {
  readonly id: string;
  readonly when: Expression;
  readonly whenText: string;
  /** Code in the decision's action column: 1 + index of the action. */
  readonly then: number;
  readonly limit?: LimitPlan;
  /** Switched off: `when` is never true. */
  readonly disabled?: boolean;
}

export interface DecisionPlan {
  readonly name: string;
  /** null: every event. */
  readonly where: Expression | null;
  readonly actions: readonly string[];
  readonly rules: readonly RulePlan[];
  /** Code of the default action. */
  readonly default: number;
  /**
   * `code` columns: action (label 0 is '', "not asked") and rule (label 0 is '', label 1 is 'default', then the rules' ids).
   */
  readonly actionColumn: number;
  readonly ruleColumn: number;
  /** Stored, never answered: another version's, which decides beside the live one. */
  readonly isShadow?: boolean;
  /** u64, only where a rule has a limit: the order in which limits were taken (docs/semantics.md §9). */
  readonly seqColumn?: number;
  /** u64, with it: the life in which seq counts, the epoch that created the key's limits. */
  readonly limitLifeColumn?: number;
}

/** Columns that the engine itself fills: indices into `Plan.columns`, -1 where the pipeline has none. */
export interface SystemColumns {
  readonly eventId: number;
  readonly eventTime: number;
  readonly receivedAt: number;
  readonly effectiveTime: number;
  /** `code`: which branch of the type oneof is set. */
  readonly type: number;
  readonly producer: number;
  readonly frameSeq: number;
  readonly frameIndex: number;
  /** u8: 1 where a feature of the row overflowed. */
  readonly overflow: number;
}

/** How many producers are remembered, and for how long after their last frame. */
export interface ProducersPlan {
  readonly max: number;
  readonly forgetAfterMs: number;
}

/** A name for each of a quarter of a million clients, and a week for any of them to come back and send again. */
const PRODUCERS_DEFAULT: ProducersPlan = { max: 262_144, forgetAfterMs: 7 * DAY_MS };

export function producersOf(plan: Pick<Plan, 'producers'>): ProducersPlan {
  return plan.producers ?? PRODUCERS_DEFAULT;
}
/** Fields of an event that the message does not have: refused, counted and named in the answer, or counted only. */
export type UnknownFieldPolicy = 'reject' | 'warn' | 'ignore';

export interface Plan {
  readonly pipeline: string;
  readonly owner: string;
  /** Hex hash of the pipeline file and everything that it names; and the number that rows store. */
  readonly version: string;
  readonly versionNumber: number;
  readonly message: MessagePlan;
  /** Columns of `events`, in storage order, without those that the insert adds (`_batch`, `_row`, `_epoch`, `_pipeline`). */
  readonly columns: readonly ColumnPlan[];
  /** Absent: every field has a column of its own. */
  readonly views?: readonly ViewPlan[];
  readonly system: SystemColumns;
  /** Columns that stand in the message for the time: type `timestamp` fills `eventTime` directly. */
  readonly acceptMaxAgeMs: number;
  readonly acceptMaxFutureMs: number;
  readonly maxFutureSkewMs: number;
  /** ids_max 0: the pipeline has no event id. */
  readonly dedupWindowMs: number;
  readonly dedupIdsMax: number;
  readonly dictionaryMax: number;
  /** Absent: as `producersOf` has it. */
  readonly producers?: ProducersPlan;
  /** Absent: warn. */
  readonly unknownFields?: UnknownFieldPolicy;
  readonly entities: readonly EntityPlan[];
  /** In the order of evaluation. Absent: none. */
  readonly computed?: readonly ComputedPlan[];
  /** Zones that expressions name; absent: none but UTC. */
  readonly zones?: readonly ZonePlan[];
  /** Release of the IANA data that `zones` are of; absent: of the Node that compiled the plan, as once was. */
  readonly zoneData?: string;
  readonly lists?: readonly ListPlan[];
  readonly experiments?: readonly ExperimentPlan[];
  /** In the order of evaluation: after all computed values but those that read a score. Absent: none. */
  readonly models?: readonly ModelPlan[];
  /** Queries that it names; absent: none. */
  readonly queries?: readonly QueryPlan[];
  /** Those of a shadow stand last. */
  readonly decisions: readonly DecisionPlan[];
  /** The version that decides beside this one, and its pipeline file's text. */
  readonly shadow?: { readonly version: string; readonly source: string };
  /** The pipeline file's text, for `pipelines` and the console. */
  readonly source: string;
}

/** The decisions that clients are told of. */
export function answeredDecisions({ decisions }: Pick<Plan, 'decisions'>): readonly DecisionPlan[] {
  return decisions.filter(({ isShadow }) => isShadow !== true);
}
