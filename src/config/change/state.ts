/** Entities, features and limits: whose state goes on, whose is computed anew from stored rows, and whose ends. */

import { layOutRecord } from '../../../native-free-core/features/record-layout.ts';
import type { EntityChange, LimitChange } from '../../../native-free-core/plan/change-plan.ts';
import {
  columnAt,
  type EntityPlan,
  type FeaturePlan,
  type LimitPlan,
  type Plan,
} from '../../../native-free-core/plan/plan.ts';
import { columnsRead, featureDefinition, keyDefinition } from './definition.ts';
import type { Edit, EntityChangeText, FeatureChange } from './description.ts';
import type { Comparison } from './edits.ts';
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

/** An entity of both plans. */
interface EntityPair extends Comparison {
  readonly old: EntityPlan;
  readonly entity: EntityPlan;
}

export function stateChange(comparison: Comparison): StateChange {
  const { from, to, found } = comparison;
  const results = to.entities.map((entity) => entityChange(entity, comparison));
  const names = new Set(to.entities.map(({ name }) => name));
  const dropped = from.entities.filter(({ name }) => !names.has(name));
  for (const { name } of dropped) found('entity_removed', name);
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

function entityChange(entity: EntityPlan, comparison: Comparison): EntityResult {
  const { from } = comparison;
  const old = from.entities.find(({ name }) => name === entity.name);
  if (old === undefined) return newEntity(entity, comparison);
  const pair = { ...comparison, old, entity };
  compareEntities(pair);
  const definitions = old.features.map((feature) => featureDefinition(from, feature, (index) => index));
  const features = entity.features.map((feature) => formerFeature(pair, feature, definitions));
  const keepsTable = old.max === entity.max && sameLayout(old, entity, features);
  const texts = featureTexts(pair, features);
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

function newEntity(entity: EntityPlan, { from, found }: Comparison): EntityResult {
  const { name } = entity;
  const primary = from.entities.find((one) => one.primary);
  if (entity.primary && primary !== undefined) found('primary_added', name, { primary: primary.name });
  const { text: reason } = found('entity_added', name);
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

function compareEntities({ from, to, old, entity, map, found }: EntityPair): void {
  const { name, max } = entity;
  if (keyDefinition(from, old, (index) => index) !== keyDefinition(to, entity, map.oldIndex))
    found('entity_key_changed', name, { was: old.keyTexts.join(', '), is: entity.keyTexts.join(', ') });
  if (old.primary !== entity.primary) found('primary_changed', name);
  if (max !== old.max) found(max < old.max ? 'max_lowered' : 'max_raised', name, { was: old.max, is: max });
  if (entity.ttlMs !== old.ttlMs)
    found('ttl_changed', name, { was: durationText(old.ttlMs), is: durationText(entity.ttlMs) });
}

/** The old feature of the same definition; of several the one of the same name, then the one at the same place. */
function formerFeature(pair: EntityPair, feature: FeaturePlan, definitions: readonly string[]): number {
  const { to, old, entity, map } = pair;
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

function featureTexts(pair: EntityPair, formers: readonly number[]): FeatureChange[] {
  const { old, entity, found } = pair;
  const texts = entity.features.map((feature, i): FeatureChange => {
    const path = `${entity.name}.${feature.name}`;
    const former = old.features[formers[i]!];
    if (former === undefined) {
      const { text: reason } = backfill(pair, feature, path);
      return { entity: entity.name, name: feature.name, fate: 'backfilled', reason };
    }
    if (former.name === feature.name)
      return { entity: entity.name, name: feature.name, fate: 'kept', reason: 'same definition' };
    const { text: reason } = found('feature_renamed', path, { was: former.name });
    return { entity: entity.name, name: feature.name, fate: 'kept', formerName: former.name, reason };
  });
  const used = new Set(formers);
  const dropped = old.features.filter(
    (feature, i) => !used.has(i) && !entity.features.some(({ name }) => name === feature.name),
  );
  for (const { name } of dropped) found('feature_removed', `${entity.name}.${name}`);
  return [
    ...texts,
    ...dropped.map(({ name }) => ({ entity: entity.name, name, fate: 'dropped' as const, reason: 'removed' })),
  ];
}

function backfill(pair: EntityPair, feature: FeaturePlan, path: string): Edit {
  const { from, to, old, map, found } = pair;
  const isNew = !old.features.some(({ name }) => name === feature.name);
  const read = [...new Set([...columnsRead(feature.of), ...columnsRead(feature.where)])];
  const namesOf = (indexes: readonly number[]): string => indexes.map((index) => columnAt(to, index).name).join(', ');
  const added = namesOf(read.filter((index) => map.oldIndex(index) < 0));
  if (added !== '') return found(isNew ? 'feature_added_on_new' : 'feature_redefined_on_new', path, { columns: added });
  const retyped = namesOf(
    read.filter((index) => columnAt(from, map.oldIndex(index)).kind !== columnAt(to, index).kind),
  );
  if (!isNew && retyped !== '') return found('feature_read_retyped', path, { columns: retyped });
  return found(isNew ? 'feature_added' : 'feature_redefined', path);
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
