/**
 * A shadow: a second version that decides beside the live one. Both become one plan: what they have in common is there once,
 * what only the shadow has stands in columns that begin with `shadow_`, and its decisions are stored, never answered. So a
 * shadow needs no second engine, its features are the very features that a deploy of it would keep, and it begins and ends
 * like any change.
 */

import { createHash } from 'node:crypto';
import {
  slotOf,
  VIEWS_FROM,
  type ColumnPlan,
  type ComputedPlan,
  type DecisionPlan,
  type EntityPlan,
  type Expression,
  type FeaturePlan,
  type ModelPlan,
  type Plan,
} from '../../native-free-core/plan/plan.ts';
import { planAfterState } from '../../native-free-core/plan/after-state.ts';
import { OperatingError } from '../errors.ts';

const PREFIX = 'shadow_';
const VERSION_DIGITS = 16;

/**
 * The live plan with the other's decisions beside its own. Throws an OperatingError where they do not read the same events.
 */
export function withShadow(live: Plan, other: Plan): Plan {
  if (live.shadow !== undefined) throw new Error('a shadow stands beside a plan without one');
  const merging = beginMerging(live, other);
  const computed = mergeComputedOfEvent(merging, live, other);
  const entities = mergeEntities(merging, live, other);
  const models = mergeAfterState(merging, live, other, computed);
  const decisions = other.decisions.map((decision) => mergeDecision(merging, decision));
  const digest = createHash('sha256').update(`${live.version}\0${other.version}`).digest();
  return {
    ...live,
    version: digest.toString('hex').slice(0, VERSION_DIGITS),
    versionNumber: digest.readUInt32BE(0),
    columns: merging.columns,
    entities,
    computed: [...(live.computed ?? []), ...computed],
    zones: merging.zones,
    ...(models.length === 0 ? {} : { models }),
    decisions: [...live.decisions, ...decisions],
    shadow: { version: other.version, source: other.source },
  };
}

interface Merging {
  readonly columns: ColumnPlan[];
  readonly zones: NonNullable<Plan['zones']>;
  /** Column of the other plan -> column of the merged one. */
  readonly column: (index: number) => number;
  readonly set: (index: number, merged: number) => void;
  /** Another column of the other plan, under a name of its own. */
  readonly add: (index: number) => number;
  readonly expression: (expression: Expression) => Expression;
}

function beginMerging(live: Plan, other: Plan): Merging {
  checkEvents(live, other);
  checkLists(live, other);
  const columns = [...live.columns];
  const mapped = new Map<number, number>();
  const own = new Set(ownColumns(other));
  other.columns.forEach(({ name }, index) => {
    const same = live.columns.findIndex((column) => column.name === name);
    if (!own.has(index) && same >= 0) mapped.set(index, same);
  });
  const column = (index: number): number => {
    if (index >= VIEWS_FROM) return index;
    const found = mapped.get(index);
    if (found === undefined) throw new Error(`a column is not merged yet: ${other.columns[index]!.name}`);
    return found;
  };
  const expression = (one: Expression): Expression => {
    if (one.node === 'column') return { ...one, column: column(one.column) };
    return one.node === 'call' ? { ...one, operands: one.operands.map(expression) } : one;
  };
  // What the live version decides does not change: its own zones come last.
  const zones = new Map([...(other.zones ?? []), ...(live.zones ?? [])].map((zone) => [zone.name, zone]));
  return {
    columns,
    zones: [...zones.values()],
    column,
    set: (index, merged) => void mapped.set(index, merged),
    add(index) {
      const plan = other.columns[index]!;
      const comment = `shadow: ${plan.comment}`;
      columns.push({ ...plan, index: columns.length, name: `${PREFIX}${plan.name}`, comment });
      mapped.set(index, columns.length - 1);
      return columns.length - 1;
    },
    expression,
  };
}

/** Columns that are the other plan's own work: whether the live plan has the same is found out by definition. */
function ownColumns(plan: Plan): number[] {
  return [
    ...plan.entities.flatMap(({ features }) => features.map(({ column }) => column)),
    ...(plan.computed ?? []).map(({ column }) => column),
    ...(plan.models ?? []).map(({ column }) => column),
    ...plan.decisions.flatMap(({ actionColumn, ruleColumn, seqColumn, limitLifeColumn }) =>
      [actionColumn, ruleColumn, seqColumn, limitLifeColumn].filter((column) => column !== undefined),
    ),
  ];
}

function mergeComputedOfEvent(m: Merging, live: Plan, other: Plan): ComputedPlan[] {
  const added: ComputedPlan[] = [];
  for (const computed of other.computed ?? []) if (computed.before) mergeComputed(m, live, other, computed, added);
  return added;
}

function mergeComputed(m: Merging, live: Plan, other: Plan, computed: ComputedPlan, added: ComputedPlan[]): void {
  const expression = m.expression(computed.expression);
  const kind = other.columns[computed.column]!.kind;
  const same = [...(live.computed ?? []), ...added].find(
    (one) =>
      one.before === computed.before &&
      m.columns[one.column]!.kind === kind &&
      isEqual(one.expression, expression) &&
      isEqual(m.columns[one.column]!.labels, other.columns[computed.column]!.labels),
  );
  if (same !== undefined) m.set(computed.column, same.column);
  else {
    const name = computed.name.replace(/^derived\./, `derived.${PREFIX}`);
    added.push({ ...computed, name, expression, column: m.add(computed.column) });
  }
}

/** Derived values and models read each other: the other plan's own order is what merges each behind what it reads. */
function mergeAfterState(m: Merging, live: Plan, other: Plan, computed: ComputedPlan[]): ModelPlan[] {
  const models = [...(live.models ?? [])];
  for (const step of planAfterState(other)) {
    for (const one of step.computed) mergeComputed(m, live, other, one, computed);
    if (step.model !== null) mergeModel(m, step.model, models);
  }
  return models;
}

/** The same content on the same inputs is the same score, whatever it is called. */
function mergeModel(m: Merging, model: ModelPlan, models: ModelPlan[]): void {
  const inputs = model.inputs.map(m.expression);
  const { format, output, content } = model;
  const same = models.find(
    (one) => isEqual([one.format, one.output, one.inputs], [format, output, inputs]) && isEqual(one.content, content),
  );
  if (same !== undefined) m.set(model.column, same.column);
  else models.push({ ...model, name: `${PREFIX}${model.name}`, inputs, column: m.add(model.column) });
}

function mergeEntities(m: Merging, live: Plan, other: Plan): EntityPlan[] {
  const entities = live.entities.map((entity) => ({ ...entity, features: [...entity.features] }));
  for (const entity of other.entities) {
    const same = entities.find(({ name }) => name === entity.name);
    if (same === undefined || !isEqual(same.key, entity.key.map(m.expression))) {
      const what = same === undefined ? 'is not there' : 'has another key';
      throw refused(`entity ${entity.name} ${what} in the live version; deploy the entity first`);
    }
    for (const feature of entity.features) {
      const merged = mergeFeature(m, feature);
      const found = same.features.find((one) => isEqual(definitionOf(one), definitionOf(merged)));
      if (found !== undefined) m.set(feature.column, found.column);
      else same.features.push({ ...merged, name: `${PREFIX}${feature.name}`, column: m.add(feature.column) });
    }
  }
  return entities;
}

/** As the merged plan has it, but for its own column. */
function mergeFeature(m: Merging, feature: FeaturePlan): FeaturePlan {
  return {
    ...feature,
    of: feature.of === null ? null : m.expression(feature.of),
    where: feature.where === null ? null : m.expression(feature.where),
    ...(feature.dayColumn === undefined ? {} : { dayColumn: m.column(feature.dayColumn) }),
  };
}

function definitionOf(feature: FeaturePlan): object {
  return { ...feature, name: '', column: -1 };
}

function mergeDecision(m: Merging, decision: DecisionPlan): DecisionPlan {
  const { where, rules, actionColumn, ruleColumn, seqColumn, limitLifeColumn } = decision;
  return {
    ...decision,
    name: `${PREFIX}${decision.name}`,
    isShadow: true,
    where: where === null ? null : m.expression(where),
    // oxlint-disable-next-line unicorn/no-thenable -- a rule's own word; rules are never awaited
    rules: rules.map((rule) => ({ ...rule, when: m.expression(rule.when) })),
    actionColumn: m.add(actionColumn),
    ruleColumn: m.add(ruleColumn),
    ...(seqColumn === undefined ? {} : { seqColumn: m.add(seqColumn) }),
    ...(limitLifeColumn === undefined ? {} : { limitLifeColumn: m.add(limitLifeColumn) }),
  };
}

/** The same events, decoded into the same columns. */
function checkEvents(live: Plan, other: Plan): void {
  const own = new Set(ownColumns(other));
  const fields = other.columns.filter((_, index) => !own.has(index) && !isEntityColumn(other, index));
  for (const field of fields) {
    const same = live.columns.find(({ name }) => name === field.name);
    if (
      same !== undefined &&
      same.kind === field.kind &&
      same.shape === field.shape &&
      same.nullable === field.nullable
    )
      continue;
    throw refused(`the field ${field.name} is not the same in the live version; deploy the change of the events first`);
  }
  if (!isEqual(viewsOf(live), viewsOf(other))) throw refused('the events are not the same; deploy their change first');
}

function isEntityColumn(plan: Plan, index: number): boolean {
  return plan.entities.some(({ seqColumn, lifeColumn }) => seqColumn === index || lifeColumn === index);
}

function viewsOf(plan: Plan): unknown {
  return (plan.views ?? []).map(({ name, index }) => [name, plan.columns[slotOf(plan, index)]!.name]);
}

function checkLists(live: Plan, other: Plan): void {
  for (const { name, type } of other.lists ?? []) {
    const same = (live.lists ?? []).some((list) => list.name === name && list.type === type);
    if (!same) throw refused(`the list ${name} is not there in the live version; deploy the list first`);
  }
}

function refused(why: string): OperatingError {
  return new OperatingError('shadow_refused', `the version cannot decide as a shadow: ${why}`);
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
