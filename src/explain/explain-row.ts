/**
 * Explains the event in row 0 of a plan's columns: fields, features as served, decisions with every rule's conditions. A dry
 * run hands in the columns that it decided on, a stored event those that it was loaded into: there is one explanation.
 */

import { enter } from '../../native-free-core/base/lookup.ts';
import type { DecisionPlan, Expression, Plan, RulePlan } from '../../native-free-core/plan/plan.ts';
import { RULE_DEFAULT } from '../../native-free-core/policy/decision.ts';
import type { KeyList } from '../../native-free-core/state/key-list.ts';
import type {
  ExplainedDecision,
  ExplainedEntity,
  ExplainedLimit,
  ExplainedModel,
  ExplainedRule,
  ExplainedValue,
  Explanation,
} from '../contract/explanation.ts';
import { labelAt, valueAt, type ExplainedRow } from './column-values.ts';
import { explainCondition } from './conditions.ts';
import { compileModelExplainer, modelSources } from './explain-models.ts';
import { compileEvaluation, type Evaluation } from './evaluation.ts';
import { expressionTexts, type ExpressionText } from './expression-text.ts';
import { namesOf, type Names } from './pipeline-names.ts';

export interface RowExplainer {
  /** The row as it is now. */
  explain(): Explanation;
}

interface Explainer {
  readonly row: ExplainedRow;
  readonly names: Names;
  readonly textOf: ExpressionText;
  readonly evaluation: Evaluation;
  readonly explainModels: () => ExplainedModel[];
}

/** `keyLists`: in the order of `Plan.lists`; without them, as the plan was compiled with. */
export function compileRowExplainer(row: ExplainedRow, keyLists?: readonly KeyList[]): RowExplainer {
  const { plan } = row;
  const names = namesOf(plan);
  const textOf = expressionTexts(plan, names);
  const evaluation = compileEvaluation(row, expressionsOf(plan), keyLists);
  const explainModels = compileModelExplainer(row, evaluation, textOf, keyLists);
  const explainer = { row, names, textOf, evaluation, explainModels };
  return {
    explain() {
      evaluation.run();
      return explainRow(explainer);
    },
  };
}

function expressionsOf(plan: Plan): Expression[] {
  const conditions = plan.decisions.flatMap(({ where, rules }) => [
    ...(where === null ? [] : [where]),
    ...rules.map(({ when }) => when),
  ]);
  return [...conditions, ...plan.entities.flatMap(({ key }) => key), ...(plan.models ?? []).flatMap(modelSources)];
}

function explainRow(explainer: Explainer): Explanation {
  const { row, names } = explainer;
  const { plan } = row;
  const { system } = plan;
  const at = (index: number): ExplainedValue => (index < 0 ? null : valueAt(row, index));
  const code = system.type < 0 ? -1 : row.columns[system.type]!.u16[0]!;
  return {
    pipeline: { name: plan.pipeline, version: plan.version, number: plan.versionNumber },
    eventId: at(system.eventId),
    type: system.type < 0 ? '' : labelAt(row, system.type),
    eventTime: at(system.eventTime),
    receivedAt: at(system.receivedAt),
    effectiveTime: at(system.effectiveTime),
    event: presentFields(names, code, at),
    entities: plan.entities.map((entity) => explainEntity(explainer, entity)),
    features: Object.fromEntries(
      plan.entities.flatMap((entity) =>
        entity.features.map((feature) => [`${entity.name}.${feature.name}`, at(feature.column)]),
      ),
    ),
    derived: (plan.computed ?? [])
      .filter(({ name }) => name !== '')
      .map(({ column, expression }) => ({
        name: names.columns.get(column)!,
        text: explainer.textOf(expression),
        value: at(column),
      })),
    experiments: Object.fromEntries((plan.experiments ?? []).map(({ name, column }) => [name, at(column)])),
    models: explainer.explainModels(),
    decisions: plan.decisions.map((decision) => explainDecision(explainer, decision)),
    overflow: at(system.overflow) === 1 || at(system.overflow) === true,
    notes: [],
  };
}

/** Of the event's own type, those that have a value. */
function presentFields(
  { fields }: Names,
  code: number,
  at: (index: number) => ExplainedValue,
): Record<string, ExplainedValue> {
  const present: Record<string, ExplainedValue> = {};
  for (const { name, column, branch } of fields) {
    if (branch >= 0 && branch !== code) continue;
    const value = at(column);
    const empty = value === null || (typeof value === 'object' && Object.keys(value).length === 0);
    if (!empty) enter(present, name, value);
  }
  return present;
}

function explainEntity(explainer: Explainer, entity: Plan['entities'][number]): ExplainedEntity {
  const { row, evaluation, textOf } = explainer;
  const key = entity.key.map((part) => ({ text: textOf(part), value: evaluation.valueOf(part) }));
  const seq = valueAt(row, entity.seqColumn);
  const took = seq !== null && seq !== 0;
  return {
    entity: entity.name,
    key: key.some(({ value }) => value === null) ? null : key,
    seq: took ? seq : null,
    life: took ? valueAt(row, entity.lifeColumn) : null,
  };
}

function explainDecision(explainer: Explainer, decision: DecisionPlan): ExplainedDecision {
  const { row, evaluation, textOf } = explainer;
  const { where } = decision;
  const code = row.columns[decision.ruleColumn]!.u16[0]!;
  const asked = row.columns[decision.actionColumn]!.u16[0]! !== 0;
  const hit = code > RULE_DEFAULT ? code - RULE_DEFAULT - 1 : decision.rules.length;
  const seq = decision.seqColumn === undefined ? 0 : valueAt(row, decision.seqColumn);
  return {
    decision: decision.name,
    ...(decision.isShadow === true ? { isShadow: true } : {}),
    asked,
    where: where === null ? null : explainCondition(where, evaluation, textOf),
    action: labelAt(row, decision.actionColumn),
    rule: labelAt(row, decision.ruleColumn),
    ...(seq === 0 || seq === null ? {} : { limitSeq: seq, limitLife: valueAt(row, decision.limitLifeColumn!) }),
    rules: decision.rules.map((rule, i) =>
      explainRule(explainer, decision, rule, asked && i <= hit, asked && i === hit),
    ),
  };
}

function explainRule(
  { row, evaluation, textOf }: Explainer,
  { actions }: DecisionPlan,
  rule: RulePlan,
  reached: boolean,
  decided: boolean,
): ExplainedRule {
  const condition = explainCondition(rule.when, evaluation, textOf);
  return {
    rule: rule.id,
    when: rule.whenText.replace(/\s+/g, ' ').trim(),
    // oxlint-disable-next-line unicorn/no-thenable -- a rule's own word; rules are never awaited
    then: actions[rule.then - 1]!,
    holds: condition.holds,
    reached,
    decided,
    ...(rule.disabled === true ? { disabled: true } : {}),
    condition,
    ...(rule.limit === undefined
      ? {}
      : { limit: explainLimit(row.plan, rule.limit, condition.holds, reached, decided) }),
  };
}

/** A rule that holds, is reached and did not decide was stopped by its limit. */
function explainLimit(
  plan: Plan,
  { count, perMs, entity }: NonNullable<RulePlan['limit']>,
  holds: boolean | null,
  reached: boolean,
  decided: boolean,
): ExplainedLimit {
  const outcome = decided ? 'taken' : reached && holds === true ? 'used_up' : 'not_asked';
  return { count, perMs, entity: plan.entities[entity]!.name, outcome };
}
