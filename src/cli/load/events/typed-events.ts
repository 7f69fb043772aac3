/**
 * Events made from a pipeline's types: every field by its kind, branches of the type oneof by weight, of other oneofs one
 * each, lists and maps of a few elements; what may be absent sometimes is. Called for the templates of a load run.
 */

import { jsonMessage, type JsonField, type JsonMessage } from '../../../../native-free-core/codec/json/json-message.ts';
import { enter, lookup } from '../../../../native-free-core/base/lookup.ts';
import { nearest } from '../../../../native-free-core/base/nearest.ts';
import type { FieldPlan, Plan, ProtoScalar } from '../../../../native-free-core/plan/plan.ts';
import { OperatingError } from '../../../errors.ts';
import { below, pick } from '../random.ts';
import type { BranchWeights, EventSource } from './event-source.ts';

/** A field that may be absent is in so many of all events. */
const ABSENT_SHARE = 1 / 8;
const ELEMENTS_MAX = 4;
const INTEGERS = 1000;
const FRACTION_MAX = 1000;
const DECIMALS = 2;
/** A text that is kept in the dictionary is one of so many; others are all different. */
const DICTIONARY_TEXTS = 40;
const TEXT_CHARACTERS_MAX = 12;
const BYTES_MAX = 16;
/** Times that are not the event's own lie within so many seconds, from 2026 on. */
const TIMES_FROM_MS = Date.UTC(2026, 0, 1);
const TIMES_SECONDS = 365 * 86_400;

type Random = () => number;
type Value = string | number | boolean | readonly Value[] | { readonly [name: string]: Value };

export interface TypedOptions {
  readonly branches: BranchWeights | undefined;
  /** Fields that are never absent. */
  readonly required: ReadonlySet<FieldPlan>;
}

export function typedEvents(plan: Plan, options: TypedOptions): EventSource {
  const weights = branchWeights(plan, options.branches);
  const types = new TypedValues(plan, options.required, weights);
  const message = jsonMessage(plan.message);
  return { eventsMin: 0, next: (random) => JSON.stringify(types.message(message, random)) };
}

/** Of all branches of the type oneof. */
export function branchWeights(plan: Plan, asked: BranchWeights | undefined): ReadonlyMap<string, number> {
  const names = plan.message.fields.filter(({ branch }) => branch >= 0).map(({ name }) => name);
  for (const name of Object.keys(asked ?? {})) {
    if (names.includes(name)) continue;
    const meant = nearest(name, names);
    const known = names.length === 0 ? 'the pipeline names no type' : `known are ${names.join(', ')}`;
    throw new OperatingError(
      'bad_option',
      `no such type of event: mix=${name}; ${meant === undefined ? known : `did you mean ${meant}?`}`,
    );
  }
  const weights = names.map((name): [string, number] => [
    name,
    asked === undefined ? 1 : (lookup<number>(asked, name) ?? 0),
  ]);
  return new Map(weights);
}

/** One of the names, by their weights. */
export function pickByWeight<T>(random: Random, weights: readonly (readonly [T, number])[]): T {
  let rest = random() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [one, weight] of weights) {
    if (rest < weight) return one;
    rest -= weight;
  }
  return weights.at(-1)![0];
}

class TypedValues {
  readonly #required: ReadonlySet<FieldPlan>;
  readonly #weights: ReadonlyMap<string, number>;
  /** Decimals that features count with, by column. */
  readonly #decimals = new Map<number, number>();
  readonly #dictionary: ReadonlySet<number>;

  constructor(plan: Plan, required: ReadonlySet<FieldPlan>, weights: ReadonlyMap<string, number>) {
    this.#required = required;
    this.#weights = weights;
    this.#dictionary = new Set(plan.columns.filter(({ kind }) => kind === 'dictionary').map(({ index }) => index));
    for (const { of, decimals } of plan.entities.flatMap(({ features }) => features)) {
      if (of?.node !== 'column' || decimals < 0) continue;
      this.#decimals.set(of.column, Math.min(decimals, this.#decimals.get(of.column) ?? decimals));
    }
  }

  message(message: JsonMessage, random: Random): Value {
    switch (message.wellKnown) {
      case 'duration':
        return `${below(random, INTEGERS)}s`;
      case 'wrapper':
        return this.#value(message.fields[0]!, random);
      case 'field-mask':
        return pick(random, ['name', 'name,place', '']);
      default:
        return this.#object(message, random);
    }
  }

  #object(message: JsonMessage, random: Random): Value {
    const object: Record<string, Value> = {};
    const oneofs = new Map<number, JsonField[]>();
    for (const field of message.fields) {
      if (field.oneof >= 0) oneofs.set(field.oneof, [...(oneofs.get(field.oneof) ?? []), field]);
      else if (this.#isThere(field.field, random)) enter(object, field.field.name, this.#value(field, random));
    }
    for (const members of oneofs.values()) {
      const chosen = this.#member(members, random);
      if (chosen !== null) enter(object, chosen.field.name, this.#value(chosen, random));
    }
    return object;
  }

  #isThere(field: FieldPlan, random: Random): boolean {
    const mayBeAbsent =
      field.implicit !== true && !field.repeated && field.type !== 'map' && !this.#required.has(field);
    return !mayBeAbsent || random() >= ABSENT_SHARE;
  }

  /** null: none of them. */
  #member(members: readonly JsonField[], random: Random): JsonField | null {
    const needed = members.filter(({ field }) => this.#required.has(field));
    if (needed.length > 0) return pick(random, needed);
    if (members[0]!.field.branch < 0) return random() < ABSENT_SHARE ? null : pick(random, members);
    return pickByWeight(
      random,
      members.map((member) => [member, this.#weights.get(member.field.name) ?? 0]),
    );
  }

  #value(one: JsonField, random: Random): Value {
    const { field } = one;
    if (one.message !== null) return this.message(one.message, random);
    if (field.type === 'map') return this.#map(field, random);
    if (!field.repeated) return this.#scalar(field, field.type as ProtoScalar, random);
    return Array.from({ length: below(random, ELEMENTS_MAX + 1) }, () =>
      this.#scalar(field, field.type as ProtoScalar, random),
    );
  }

  #map(field: FieldPlan, random: Random): Value {
    const object: Record<string, Value> = {};
    for (let i = below(random, ELEMENTS_MAX + 1); i > 0; i--) {
      object[`k${below(random, DICTIONARY_TEXTS)}`] = this.#scalar(field, field.mapValue!, random);
    }
    return object;
  }

  #scalar(field: FieldPlan, type: ProtoScalar | 'enum' | 'timestamp', random: Random): Value {
    switch (type) {
      case 'double':
      case 'float':
        return Number((random() * FRACTION_MAX).toFixed(this.#decimals.get(field.column) ?? DECIMALS));
      case 'int32':
      case 'int64':
      case 'sint32':
      case 'sint64':
      case 'sfixed32':
      case 'sfixed64':
        return below(random, INTEGERS) - INTEGERS / 2;
      case 'uint32':
      case 'uint64':
      case 'fixed32':
      case 'fixed64':
        return below(random, INTEGERS);
      case 'bool':
        return random() < 0.5;
      case 'enum':
        return pick(random, field.enumNames!)[0];
      case 'timestamp':
        return new Date(TIMES_FROM_MS + below(random, TIMES_SECONDS) * 1000).toISOString();
      case 'bytes':
        return Buffer.from(Array.from({ length: below(random, BYTES_MAX + 1) }, () => below(random, 256))).toString(
          'base64',
        );
      case 'string':
        return this.#text(field, random);
    }
  }

  #text(field: FieldPlan, random: Random): string {
    if (this.#dictionary.has(field.column)) return `${field.name}-${below(random, DICTIONARY_TEXTS)}`;
    return Array.from({ length: 1 + below(random, TEXT_CHARACTERS_MAX) }, () => below(random, 36).toString(36)).join(
      '',
    );
  }
}
