/** The names that an expression may use, and what they mean: event.*, <entity>.<feature>, derived.*, model.*. */

import { KINDS } from '../../../native-free-core/language/kinds/index.ts';
import { call, type LabelSet, type Typed } from '../../../native-free-core/language/functions/typed.ts';
import type {
  ColumnPlan,
  Expression,
  ExpressionType,
  ListPlan,
  ZonePlan,
} from '../../../native-free-core/plan/plan.ts';
import { LATER_PREFIXES } from '../later.ts';
import type { EventField, FlatMessage } from '../flatten-message.ts';
import { nearest } from '../../../native-free-core/base/nearest.ts';

/** A derived value as expressions read it. */
export interface DerivedName {
  /** null: not compiled, because it is wrong (reported where it stands) or reads state that is not known yet. */
  readonly typed: Typed | null;
  /** Reads features or scores, itself or through another: keys, inputs and conditions of features cannot read it. */
  readonly readsFeatures: boolean;
}

/** A feature's column, as rules read it. */
export interface FeatureName {
  readonly column: number;
  readonly type: ExpressionType;
  /** Of an enum: its names. */
  readonly labels?: LabelSet;
}

/** An experiment's column and the arms that its codes from 1 on stand for. */
export interface ExperimentName {
  readonly column: number;
  readonly arms: readonly string[];
}

export interface ExpressionScope {
  readonly message: FlatMessage;
  /** Column or view. */
  readonly columnAt: (index: number) => ColumnPlan;
  /** `<entity>.<feature>`; null where the place cannot read features. */
  readonly features: ReadonlyMap<string, FeatureName> | null;
  readonly entities: readonly string[];
  readonly derived: ReadonlyMap<string, DerivedName>;
  readonly lists: ReadonlyMap<string, ListPlan['type']>;
  readonly experiments: ReadonlyMap<string, ExperimentName>;
  /** Column of the score; null: wrong where it is declared. Read where features can be read. */
  readonly models: ReadonlyMap<string, number | null>;
  /** The event's own time: `event.time`, where the message has no field of that name. */
  readonly timeColumn: number;
  /** Gathers the zones that expressions name. */
  readonly zones: Map<string, ZonePlan>;
}

export interface NameProblem {
  readonly message: string;
  readonly suggestion?: string;
}

/** null: a name that is wrong where it is declared, which has been reported there. */
export function resolveName(scope: ExpressionScope, parts: readonly string[]): Typed | NameProblem | null {
  const [prefix, ...rest] = parts;
  const later = LATER_PREFIXES.get(prefix!);
  if (later !== undefined) return { message: `not supported yet: ${later} (${parts.join('.')})` };
  if (prefix === 'event') return resolveEvent(scope, rest);
  if (prefix === 'list') return { message: 'a list stands only on the right of in' };
  if (prefix === 'experiment') return resolveExperiment(scope, rest.join('.'));
  if (prefix === 'model') return resolveModel(scope, rest.join('.'));
  if (prefix === 'derived') return resolveDerived(scope, rest.join('.'));
  if (scope.entities.includes(prefix!)) return resolveFeature(scope, prefix!, rest.join('.'));
  const suggestion = nearest(parts.join('.'), allNames(scope)) ?? nearestPrefix(scope, prefix!, rest);
  return unknown(
    `unknown name: ${parts.join('.')}; names begin with event. derived. experiment. model. or an entity’s name`,
    suggestion,
  );
}

function unknown(message: string, suggestion: string | undefined): NameProblem {
  return suggestion === undefined ? { message } : { message, suggestion };
}

function nearestPrefix(scope: ExpressionScope, prefix: string, rest: readonly string[]): string | undefined {
  const found = nearest(prefix, ['event', 'derived', 'experiment', 'model', ...scope.entities]);
  if (found !== undefined) return [found, ...rest].join('.');
  return scope.message.fields.has([prefix, ...rest].join('.')) ? ['event', prefix, ...rest].join('.') : undefined;
}

export function allNames(scope: ExpressionScope): string[] {
  const fields = [...scope.message.fields.keys()].map((path) => `event.${path}`);
  return [
    ...fields,
    ...(scope.message.typeColumn >= 0 ? ['event.type'] : []),
    ...(scope.features?.keys() ?? []),
    ...derivedNames(scope),
    ...experimentNames(scope),
    ...(scope.features === null ? [] : modelNames(scope)),
  ];
}

function derivedNames(scope: ExpressionScope): string[] {
  return [...scope.derived.keys()].map((name) => `derived.${name}`);
}

function experimentNames(scope: ExpressionScope): string[] {
  return [...scope.experiments.keys()].map((name) => `experiment.${name}`);
}

function modelNames(scope: ExpressionScope): string[] {
  return [...scope.models.keys()].map((name) => `model.${name}`);
}

function resolveModel(scope: ExpressionScope, name: string): Typed | NameProblem | null {
  const column = scope.models.get(name);
  const full = `model.${name}`;
  if (column === undefined) return unknown(`unknown model: ${full}`, nearest(full, modelNames(scope)));
  if (scope.features === null)
    return { message: `${full} is a score, which comes after state; keys, of and where read the event only` };
  return column === null ? null : { expression: { node: 'column', type: 'double', column } };
}

function resolveExperiment(scope: ExpressionScope, name: string): Typed | NameProblem {
  const experiment = scope.experiments.get(name);
  const full = `experiment.${name}`;
  if (experiment === undefined) return unknown(`unknown experiment: ${full}`, nearest(full, experimentNames(scope)));
  const labels = new Map(['', ...experiment.arms].map((arm, code) => [arm, code]));
  return { ...codes(scope, experiment.column), labels: { name: full, codes: labels } };
}

function resolveDerived(scope: ExpressionScope, name: string): Typed | NameProblem | null {
  const derived = scope.derived.get(name);
  if (derived === undefined)
    return unknown(`unknown derived value: derived.${name}`, nearest(`derived.${name}`, derivedNames(scope)));
  if (derived.readsFeatures && scope.features === null)
    return { message: `derived.${name} reads features or scores; keys, of and where read the event only` };
  return derived.typed;
}

function resolveEvent(scope: ExpressionScope, parts: readonly string[]): Typed | NameProblem {
  const { message } = scope;
  const path = parts.join('.');
  if (path === 'type' && message.typeColumn >= 0)
    return { ...codes(scope, message.typeColumn), labels: typeLabels(message) };
  const field = message.fields.get(path);
  if (field === undefined && path === 'time') return timeOf(scope.timeColumn);
  if (field === undefined) {
    return unknown(
      `unknown field: event.${path}`,
      nearest(
        `event.${path}`,
        allNames(scope).filter((name) => name.startsWith('event.')),
      ),
    );
  }
  if (field.type === 'message') return { message: `event.${path} is a message; name one of its fields` };
  if (field.type === 'map') return { message: `not supported yet: reading a map (event.${path})` };
  return resolveField(scope, field);
}

function resolveField(scope: ExpressionScope, field: EventField): Typed {
  const list = field.repeated ? { list: true } : {};
  if (field.type === 'enum') return { ...codes(scope, field.column), ...list, labels: enumLabels(field) };
  const { kind } = scope.columnAt(field.column);
  if (KINDS[kind].type === 'time' && !field.repeated) return timeOf(field.column);
  const expression = { node: 'column', type: typeOf(field.type), column: field.column } as const;
  return { expression, ...list, ...(KINDS[kind].isInterned ? { dictionary: true } : {}) };
}

function timeOf(column: number): Typed {
  return { expression: { node: 'column', type: 'time', column } };
}

function codes(scope: ExpressionScope, column: number): Typed {
  return { expression: { node: 'column', type: 'int', column: scope.columnAt(column).index } };
}

export function typeLabels(message: FlatMessage): LabelSet {
  return { name: 'event.type', codes: new Map(message.typeLabels.map((label, code) => [label, code])) };
}

function enumLabels(field: EventField): LabelSet {
  const name = (field.enumName ?? '').replace(/^\./, '');
  return { name, codes: new Map((field.enumNames ?? []).map(([number, label]) => [label, number])) };
}

function typeOf(type: EventField['type']): ExpressionType {
  switch (type) {
    case 'double':
    case 'float':
      return 'double';
    case 'bool':
      return 'bool';
    case 'string':
      return 'string';
    case 'bytes':
      return 'bytes';
    case 'timestamp':
      return 'time';
    case 'int32':
    case 'int64':
    case 'uint32':
    case 'uint64':
    case 'sint32':
    case 'sint64':
    case 'fixed32':
    case 'fixed64':
    case 'sfixed32':
    case 'sfixed64':
    case 'enum':
      return 'int';
    case 'message':
    case 'map':
      throw new Error(`a ${type} has no value of its own`);
  }
}

function resolveFeature(scope: ExpressionScope, entity: string, name: string): Typed | NameProblem {
  const full = `${entity}.${name}`;
  if (scope.features === null) {
    return { message: `features cannot be read here (${full}); keys, of and where read the event only` };
  }
  const feature = scope.features.get(full);
  if (feature !== undefined) return featureOf(scope, feature);
  const known = [...scope.features.keys()];
  const ofEntity = known.filter((candidate) => candidate.startsWith(`${entity}.`));
  return unknown(
    `unknown feature: ${full}`,
    nearest(full, known) ?? ofEntity.find((candidate) => candidate.startsWith(`${full}_`)),
  );
}

function featureOf(scope: ExpressionScope, { type, column, labels }: FeatureName): Typed {
  if (labels !== undefined) return { ...codes(scope, column), labels };
  const expression = { node: 'column', type, column } as const;
  return KINDS[scope.columnAt(column).kind].isInterned ? { expression, dictionary: true } : { expression };
}

/** That an event is of a branch of the event type: `event.dig`. null: the path is none. */
export function branchCondition({ message }: ExpressionScope, [prefix, ...path]: readonly string[]): Expression | null {
  const field = prefix === 'event' ? message.fields.get(path.join('.')) : undefined;
  if (field?.type !== 'message' || field.branch <= 0) return null;
  const column = { node: 'column', type: 'int', column: message.typeColumn } as const;
  return call('bool', 'eq', [column, { node: 'constant', type: 'int', value: field.branch }]);
}
