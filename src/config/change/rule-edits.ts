/** Derived values, lists, experiments, models, queries, decisions and rules. */

import type { DecisionPlan, Plan, RulePlan } from '../../../native-free-core/plan/plan.ts';
import { expressionDefinition } from './definition.ts';
import type { Comparison, Found } from './edits.ts';
import { sameLimit } from './state.ts';

/** The texts that say whether one thing of a name is what it was. */
type Definitions = ReadonlyMap<string, string>;

export function ruleEdits(comparison: Comparison): void {
  const { from, to, map, found } = comparison;
  const own = (index: number): number => index;
  compare('derived', '', derivedOf(from, own), derivedOf(to, map.oldIndex), found);
  compare('list', 'list.', listsOf(from), listsOf(to), found);
  compare('experiment', 'experiment.', experimentsOf(from, own), experimentsOf(to, map.oldIndex), found);
  compare('model', 'model.', modelsOf(from, own), modelsOf(to, map.oldIndex), found);
  compare('query', 'query.', queriesOf(from), queriesOf(to), found);
  compare('decision', '', namesOf(from.decisions), namesOf(to.decisions), found);
  for (const decision of to.decisions) {
    const old = from.decisions.find(({ name }) => name === decision.name);
    if (old !== undefined) decisionEdits({ ...comparison, old, decision });
  }
}

type Named = 'derived' | 'list' | 'experiment' | 'model' | 'query' | 'decision';

function compare(kind: Named, prefix: string, before: Definitions, after: Definitions, found: Found): void {
  for (const [name, definition] of after) {
    const old = before.get(name);
    if (old !== definition) found(`${kind}_${old === undefined ? 'added' : 'changed'}`, `${prefix}${name}`);
  }
  for (const name of before.keys()) if (!after.has(name)) found(`${kind}_removed`, `${prefix}${name}`);
}

function derivedOf(plan: Plan, oldIndex: (index: number) => number): Definitions {
  const named = (plan.computed ?? []).filter(({ name }) => name !== '');
  return new Map(named.map(({ name, expression }) => [name, expressionDefinition(plan, expression, oldIndex)]));
}

/** Their entries are replaced while the engine runs anyway. */
function listsOf(plan: Plan): Definitions {
  return new Map((plan.lists ?? []).map(({ name, file, type, max }) => [name, JSON.stringify([file, type, max])]));
}

function queriesOf(plan: Plan): Definitions {
  return new Map((plan.queries ?? []).map(({ name, ...query }) => [name, JSON.stringify(query)]));
}

function experimentsOf(plan: Plan, oldIndex: (index: number) => number): Definitions {
  return new Map(
    (plan.experiments ?? []).map(({ name, key, salt, arms }) => [
      name,
      JSON.stringify([expressionDefinition(plan, key, oldIndex), salt, arms]),
    ]),
  );
}

function modelsOf(plan: Plan, oldIndex: (index: number) => number): Definitions {
  return new Map(
    (plan.models ?? []).map(({ name, inputs, format, output, content }) => {
      const read = inputs.map((input) => expressionDefinition(plan, input, oldIndex));
      return [name, JSON.stringify([format, output, read, content])];
    }),
  );
}

function namesOf(decisions: readonly DecisionPlan[]): Definitions {
  return new Map(decisions.map(({ name }) => [name, '']));
}

/** A decision of both plans. */
interface DecisionPair extends Comparison {
  readonly old: DecisionPlan;
  readonly decision: DecisionPlan;
}

function decisionEdits(pair: DecisionPair): void {
  const { from, to, map, found, old, decision } = pair;
  const { name } = decision;
  const asked = (plan: Plan, { where }: DecisionPlan, oldIndex: (index: number) => number): string =>
    where === null ? 'every event' : expressionDefinition(plan, where, oldIndex);
  if (asked(from, old, (index) => index) !== asked(to, decision, map.oldIndex)) found('decision_changed', name);
  for (const action of decision.actions) if (!old.actions.includes(action)) found('action_added', name, { action });
  for (const action of old.actions) if (!decision.actions.includes(action)) found('action_removed', name, { action });
  const [was, is] = [actionAt(old, old.default), actionAt(decision, decision.default)];
  if (was !== is) found('default_changed', name, { was, is });
  const after = new Map(decision.rules.map((rule) => [rule.id, rule]));
  const before = new Map(old.rules.map((rule) => [rule.id, rule]));
  for (const rule of decision.rules) {
    const former = before.get(rule.id);
    if (former === undefined) found('rule_added', `${name}.${rule.id}`);
    else compareRules(pair, former, rule);
  }
  for (const { id } of old.rules) if (!after.has(id)) found('rule_removed', `${name}.${id}`);
  const kept = old.rules.filter(({ id }) => after.has(id));
  const keptNow = decision.rules.filter(({ id }) => before.has(id));
  if (kept.some(({ id }, i) => id !== keptNow[i]!.id)) found('rules_reordered', name);
}

function compareRules(pair: DecisionPair, former: RulePlan, rule: RulePlan): void {
  const { from, to, map, found, old, decision } = pair;
  const path = `${decision.name}.${rule.id}`;
  if (expressionDefinition(from, former.when, (i) => i) !== expressionDefinition(to, rule.when, map.oldIndex)) {
    if (former.whenText === rule.whenText) found('condition_read_changed', path);
    else found('condition_changed', path, { was: former.whenText, is: rule.whenText });
  }
  const [was, is] = [actionAt(old, former.then), actionAt(decision, rule.then)];
  if (was !== is) found('rule_action_changed', path, { was, is });
  if (former.disabled !== rule.disabled) found(rule.disabled === true ? 'rule_disabled' : 'rule_enabled', path);
  const [limitWas, limitIs] = [former.limit, rule.limit];
  if (limitWas === undefined && limitIs !== undefined) found('limit_added', path);
  else if (limitWas !== undefined && limitIs === undefined) found('limit_removed', path);
  else if (limitWas !== undefined && limitIs !== undefined && !sameLimit(from, to, limitWas, limitIs))
    found('limit_changed', path);
}

function actionAt(decision: DecisionPlan, code: number): string {
  return decision.actions[code - 1] ?? '';
}
