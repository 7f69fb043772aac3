/** Derived values, lists, experiments, models, decisions and rules: rows keep what they stored, so all of these are safe. */

import type { DecisionPlan, Plan, RulePlan } from '../../../native-free-core/plan/plan.ts';
import type { ColumnMap } from './column-map.ts';
import { expressionDefinition } from './definition.ts';
import type { AddEdit } from './description.ts';
import { sameLimit } from './state.ts';

/** The texts that say whether one thing of a name is what it was. */
type Definitions = ReadonlyMap<string, string>;

interface Kind {
  readonly prefix: string;
  readonly added: string;
  readonly changed: string;
  readonly removed: string;
}

const KEEP = 'rows keep what was stored';

const DERIVED: Kind = {
  prefix: '',
  added: 'derived value added: rows so far have none of it',
  changed:
    'derived value changed: from now on; rows so far keep the value of the former expression, and features that read it go by those rows',
  removed: `derived value removed: ${KEEP}`,
};
const LIST: Kind = {
  prefix: 'list.',
  added: 'list added',
  changed: 'list declared otherwise: from now on',
  removed: 'list removed',
};
const EXPERIMENT: Kind = {
  prefix: 'experiment.',
  added: 'experiment added: rows so far have no arm',
  changed: 'experiment changed: keys may come into another arm from now on; rows keep theirs',
  removed: `experiment removed: ${KEEP}`,
};
const MODEL: Kind = {
  prefix: 'model.',
  added: 'model added: rows so far have no score of it',
  changed: 'model changed: other scores from now on; rows keep theirs',
  removed: `model removed: ${KEEP}`,
};
const DECISION: Kind = {
  prefix: '',
  added: 'decision added: rows so far have none',
  changed: '',
  removed: `decision removed: ${KEEP}`,
};

export function ruleEdits(from: Plan, to: Plan, map: ColumnMap, add: AddEdit): void {
  compare(
    DERIVED,
    derivedOf(from, (index) => index),
    derivedOf(to, map.oldIndex),
    add,
  );
  compare(LIST, listsOf(from), listsOf(to), add);
  compare(
    EXPERIMENT,
    experimentsOf(from, (index) => index),
    experimentsOf(to, map.oldIndex),
    add,
  );
  compare(
    MODEL,
    modelsOf(from, (index) => index),
    modelsOf(to, map.oldIndex),
    add,
  );
  compare(DECISION, namesOf(from.decisions), namesOf(to.decisions), add);
  for (const decision of to.decisions) {
    const old = from.decisions.find(({ name }) => name === decision.name);
    if (old !== undefined) decisionEdits(from, to, old, decision, map, add);
  }
}

function compare(kind: Kind, before: Definitions, after: Definitions, add: AddEdit): void {
  for (const [name, definition] of after) {
    const old = before.get(name);
    if (old === undefined) add('safe', `${kind.prefix}${name}`, kind.added);
    else if (old !== definition) add('safe', `${kind.prefix}${name}`, kind.changed);
  }
  for (const name of before.keys()) if (!after.has(name)) add('safe', `${kind.prefix}${name}`, kind.removed);
}

function derivedOf(plan: Plan, oldIndex: (index: number) => number): Definitions {
  const named = (plan.computed ?? []).filter(({ name }) => name !== '');
  return new Map(named.map(({ name, expression }) => [name, expressionDefinition(plan, expression, oldIndex)]));
}

/** Their entries are replaced while the engine runs anyway. */
function listsOf(plan: Plan): Definitions {
  return new Map((plan.lists ?? []).map(({ name, file, type, max }) => [name, JSON.stringify([file, type, max])]));
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

function decisionEdits(
  from: Plan,
  to: Plan,
  old: DecisionPlan,
  decision: DecisionPlan,
  map: ColumnMap,
  add: AddEdit,
): void {
  const { name } = decision;
  const asked = (plan: Plan, { where }: DecisionPlan, oldIndex: (index: number) => number): string =>
    where === null ? 'every event' : expressionDefinition(plan, where, oldIndex);
  if (asked(from, old, (index) => index) !== asked(to, decision, map.oldIndex))
    add('safe', name, 'decision asked for other events from now on');
  for (const action of decision.actions) if (!old.actions.includes(action)) add('safe', name, `action ${action} added`);
  for (const action of old.actions)
    if (!decision.actions.includes(action)) add('safe', name, `action ${action} removed: ${KEEP}`);
  const [was, is] = [actionAt(old, old.default), actionAt(decision, decision.default)];
  if (was !== is) add('safe', name, `default ${was} becomes ${is}`);
  const after = new Map(decision.rules.map((rule) => [rule.id, rule]));
  const before = new Map(old.rules.map((rule) => [rule.id, rule]));
  for (const rule of decision.rules) {
    const former = before.get(rule.id);
    if (former === undefined) add('safe', `${name}.${rule.id}`, 'rule added');
    else compareRules(from, to, { old, decision, former, rule }, map, add);
  }
  for (const { id } of old.rules) if (!after.has(id)) add('safe', `${name}.${id}`, `rule removed: ${KEEP}`);
  const [kept, keptNow] = [
    old.rules.filter(({ id }) => after.has(id)),
    decision.rules.filter(({ id }) => before.has(id)),
  ];
  if (kept.some(({ id }, i) => id !== keptNow[i]!.id))
    add('safe', name, 'rules are asked in another order from now on');
}

interface RulePair {
  readonly old: DecisionPlan;
  readonly decision: DecisionPlan;
  readonly former: RulePlan;
  readonly rule: RulePlan;
}

function compareRules(
  from: Plan,
  to: Plan,
  { old, decision, former, rule }: RulePair,
  map: ColumnMap,
  add: AddEdit,
): void {
  const path = `${decision.name}.${rule.id}`;
  if (expressionDefinition(from, former.when, (i) => i) !== expressionDefinition(to, rule.when, map.oldIndex))
    add(
      'safe',
      path,
      former.whenText === rule.whenText
        ? 'what its condition reads has changed'
        : `condition ${former.whenText} becomes ${rule.whenText}`,
    );
  const [was, is] = [actionAt(old, former.then), actionAt(decision, rule.then)];
  if (was !== is) add('safe', path, `action ${was} becomes ${is}`);
  if (former.disabled !== rule.disabled)
    add('safe', path, rule.disabled === true ? 'rule switched off' : 'rule switched on again');
  if ((former.limit === undefined) !== (rule.limit === undefined))
    add('safe', path, rule.limit === undefined ? 'limit removed' : 'limit added: it begins unused');
  else if (former.limit !== undefined && rule.limit !== undefined && !sameLimit(from, to, former.limit, rule.limit))
    add('safe', path, 'limit changed: it begins unused');
}

function actionAt(decision: DecisionPlan, code: number): string {
  return decision.actions[code - 1] ?? '';
}
