/** Entities, features and limits: whose state goes on, whose is computed anew from stored rows, and whose ends. */

import { layOutRecord } from '../../../native-free-core/features/record-layout.ts';
import type { EntityChange, LimitChange } from '../../../native-free-core/plan/change.ts';
import {
  columnAt,
  type EntityPlan,
  type FeaturePlan,
  type LimitPlan,
  type Plan,
} from '../../../native-free-core/plan/plan.ts';
import type { ColumnMap } from './column-map.ts';
import { columnsRead, featureDefinition, keyDefinition } from './definition.ts';
import type { AddEdit, EntityChangeText, FeatureChange } from './description.ts';
import { durationText } from '../units.ts';

export interface StateChange {
  readonly entities: readonly EntityChange[];
  readonly limits: readonly LimitChange[];
  readonly entityTexts: readonly EntityChangeText[];
  readonly featureTexts: readonly FeatureChange[];
}

interface EntityResult {
  readonly change: EntityChange;
  readonly text: EntityChangeText;
  readonly features: readonly FeatureChange[];
}

export function stateChange(from: Plan, to: Plan, map: ColumnMap, add: AddEdit): StateChange {
  const results = to.entities.map((entity) => entityChange(from, to, entity, map, add));
  const names = new Set(to.entities.map(({ name }) => name));
  const dropped = from.entities.filter(({ name }) => !names.has(name));
  for (const { name } of dropped)
    add('safe', name, 'entity removed: its state ends; rows keep what was stored, its columns are written no more');
  const reason = 'its entity is removed';
  return {
    entities: results.map(({ change }) => change),
    limits: limitChanges(from, to),
    entityTexts: [
      ...results.map(({ text }) => text),
      ...dropped.map(({ name }) => ({ name, fate: 'dropped' as const, reason: 'removed' })),
    ],
    featureTexts: [
      ...results.flatMap(({ features }) => features),
      ...dropped.flatMap(({ name: entity, features }) =>
        features.map(({ name }) => ({ entity, name, fate: 'dropped' as const, reason })),
      ),
    ],
  };
}

function entityChange(from: Plan, to: Plan, entity: EntityPlan, map: ColumnMap, add: AddEdit): EntityResult {
  const old = from.entities.find(({ name }) => name === entity.name);
  if (old === undefined) return newEntity(from, entity, add);
  compareEntities(from, to, old, entity, map, add);
  const definitions = old.features.map((feature) => featureDefinition(from, feature, (index) => index));
  const features = entity.features.map((feature) => formerFeature(to, old, entity, feature, definitions, map));
  const keepsTable = old.max === entity.max && sameLayout(old, entity, features);
  const reasonOf = (feature: FeaturePlan): string => backfillReason(from, to, old, feature, map);
  const texts = featureTexts(old, entity, features, reasonOf, add);
  const backfills = features.some((index) => index < 0);
  const reason = keepsTable
    ? 'same key, features and max'
    : `${old.max === entity.max ? 'other features' : 'another max'}: its rows move over as they are touched${backfills ? ', backfilled features with them' : ''}`;
  return {
    change: { from: old.index, keepsTable, features },
    text: { name: entity.name, fate: keepsTable ? 'kept' : 'rebuilt', reason },
    features: texts,
  };
}

function newEntity(from: Plan, entity: EntityPlan, add: AddEdit): EntityResult {
  const { name } = entity;
  const primary = from.entities.find((one) => one.primary);
  if (entity.primary && primary !== undefined)
    add(
      'refused',
      name,
      `the primary entity is ${primary.name}: the table of events is sorted by its key; keep it primary`,
    );
  const reason = 'new entity: begins empty, since rows so far have no number within it';
  add('safe', name, reason);
  return {
    change: { from: -1, keepsTable: false, features: entity.features.map(() => -1) },
    text: { name, fate: 'new', reason },
    features: entity.features.map((feature) => ({
      entity: name,
      name: feature.name,
      fate: 'new',
      reason: 'new: begins empty',
    })),
  };
}

function compareEntities(
  from: Plan,
  to: Plan,
  old: EntityPlan,
  entity: EntityPlan,
  map: ColumnMap,
  add: AddEdit,
): void {
  const { name } = entity;
  if (keyDefinition(from, old, (index) => index) !== keyDefinition(to, entity, map.oldIndex))
    add(
      'refused',
      name,
      `key changed from ${old.keyTexts.join(', ')} to ${entity.keyTexts.join(', ')}: its state would belong to other keys; give the entity another name`,
    );
  if (old.primary !== entity.primary)
    add('refused', name, 'the primary entity cannot change: the table of events is sorted by its key; keep it primary');
  if (entity.max < old.max)
    add(
      'safe',
      name,
      `max lowered from ${old.max} to ${entity.max}: WHERE MORE ARE ALIVE, those beyond are evicted, and begin anew with their next event`,
    );
  if (entity.max > old.max)
    add('safe', name, `max raised from ${old.max} to ${entity.max}: its rows move into a larger table`);
  if (entity.ttlMs !== old.ttlMs)
    add(
      'safe',
      name,
      `ttl ${durationText(old.ttlMs)} becomes ${durationText(entity.ttlMs)}, for entities already there, too`,
    );
}

/** The old feature of the same definition; of several the one of the same name, then the one at the same place. */
function formerFeature(
  to: Plan,
  old: EntityPlan,
  entity: EntityPlan,
  feature: FeaturePlan,
  definitions: readonly string[],
  map: ColumnMap,
): number {
  const definition = featureDefinition(to, feature, map.oldIndex);
  const same = old.features.flatMap((_, i) => (definitions[i] === definition ? [i] : []));
  const at = entity.features.indexOf(feature);
  return same.find((i) => old.features[i]!.name === feature.name) ?? (same.includes(at) ? at : (same[0] ?? -1));
}

/** Column numbers stand in the layout's features, but rows do not know them. */
function sameLayout(old: EntityPlan, entity: EntityPlan, features: readonly number[]): boolean {
  if (old.features.length !== features.length || features.some((index, i) => index !== i)) return false;
  return layOutRecord(old).rowBytes === layOutRecord(entity).rowBytes;
}

function featureTexts(
  old: EntityPlan,
  entity: EntityPlan,
  formers: readonly number[],
  reasonOf: (feature: FeaturePlan) => string,
  add: AddEdit,
): FeatureChange[] {
  const texts = entity.features.map((feature, i): FeatureChange => {
    const path = `${entity.name}.${feature.name}`;
    const former = old.features[formers[i]!];
    if (former === undefined) {
      const reason = reasonOf(feature);
      add('backfill', path, reason);
      return { entity: entity.name, name: feature.name, fate: 'backfilled', reason };
    }
    if (former.name === feature.name)
      return { entity: entity.name, name: feature.name, fate: 'kept', reason: 'same definition' };
    const reason = `same definition as ${former.name}: takes over its state`;
    add('safe', path, reason);
    return { entity: entity.name, name: feature.name, fate: 'kept', formerName: former.name, reason };
  });
  const used = new Set(formers);
  const dropped = old.features.filter(
    (feature, i) => !used.has(i) && !entity.features.some(({ name }) => name === feature.name),
  );
  for (const { name } of dropped)
    add(
      'safe',
      `${entity.name}.${name}`,
      'feature removed: its state ends; rows keep what was served, its column is written no more',
    );
  return [
    ...texts,
    ...dropped.map(({ name }) => ({ entity: entity.name, name, fate: 'dropped' as const, reason: 'removed' })),
  ];
}

function backfillReason(from: Plan, to: Plan, old: EntityPlan, feature: FeaturePlan, map: ColumnMap): string {
  const former = old.features.find(({ name }) => name === feature.name);
  const what =
    former === undefined
      ? 'new feature: computed from stored rows'
      : 'another definition: computed anew from stored rows; rows so far keep what was served';
  const read = [...new Set([...columnsRead(feature.of), ...columnsRead(feature.where)])];
  const added = read.filter((index) => map.oldIndex(index) < 0).map((index) => columnName(to, index));
  if (added.length > 0) return `${what}, which have none of ${added.join(', ')}`;
  const widened = read.filter((index) => kindAt(from, map.oldIndex(index)) !== kindAt(to, index));
  return former !== undefined && widened.length > 0
    ? `it reads ${widened.map((index) => columnName(to, index)).join(', ')}, of another type now: computed anew from stored rows`
    : what;
}

function columnName(plan: Plan, index: number): string {
  return columnAt(plan, index).name;
}

function kindAt(plan: Plan, index: number): string {
  return columnAt(plan, index).kind;
}

function limitChanges(from: Plan, to: Plan): LimitChange[] {
  return to.decisions.flatMap((decision, decisionIndex) =>
    decision.rules.flatMap((rule, ruleIndex) => {
      if (rule.limit === undefined) return [];
      const fromDecision = from.decisions.findIndex(({ name }) => name === decision.name);
      const fromRule = from.decisions[fromDecision]?.rules.findIndex(({ id }) => id === rule.id) ?? -1;
      const former = from.decisions[fromDecision]?.rules[fromRule]?.limit;
      const goesOn = former !== undefined && sameLimit(from, to, former, rule.limit);
      return [
        {
          decision: decisionIndex,
          rule: ruleIndex,
          fromDecision: goesOn ? fromDecision : -1,
          fromRule: goesOn ? fromRule : -1,
        },
      ];
    }),
  );
}

export function sameLimit(from: Plan, to: Plan, a: LimitPlan, b: LimitPlan): boolean {
  const sameWindow = a.count === b.count && a.perMs === b.perMs && a.hopMs === b.hopMs;
  return sameWindow && from.entities[a.entity]?.name === to.entities[b.entity]?.name;
}
