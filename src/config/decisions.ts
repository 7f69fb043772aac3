/** Decisions: rules, actions, and the two columns that each decision fills. */

import type { DecisionPlan, Expression, RulePlan } from '../../native-free-core/plan/plan.ts';
import type { Compilation } from './compilation.ts';
import { conditionAt } from './expression-at.ts';
import { nearest } from '../../native-free-core/base/nearest.ts';
import type { DecisionDeclaration } from './schema.ts';
import { compileLimit, limitColumns } from './rule-limits.ts';
import type { Path } from './source.ts';

const DEFAULT_RULE = 'default';
const NEVER: Expression = { node: 'constant', type: 'bool', value: false };

export function compileDecisions(c: Compilation): DecisionPlan[] {
  return Object.entries(c.declaration.decisions ?? {}).map(([name, decision]) => compileDecision(c, name, decision));
}

function compileDecision(c: Compilation, name: string, decision: DecisionDeclaration): DecisionPlan {
  const path: Path = ['decisions', name];
  const { actions } = decision;
  reportRepeats(c, actions, (i) => [...path, 'actions', i], 'action');
  reportRepeats(
    c,
    decision.rules.map((rule) => rule.id),
    (i) => [...path, 'rules', i, 'id'],
    'rule',
  );
  const rules = decision.rules.map((rule, i): RulePlan => {
    const at = [...path, 'rules', i];
    if (rule.id === DEFAULT_RULE) c.problems.add([...at, 'id'], `a rule cannot be called ${DEFAULT_RULE}`);
    const when = conditionAt(c, rule.when, [...at, 'when'], true) ?? NEVER;
    const plain = {
      id: rule.id,
      // Checked all the same, so that switching it on again cannot fail.
      when: rule.disabled === true ? NEVER : when,
      whenText: rule.when,
      // oxlint-disable-next-line unicorn/no-thenable -- a rule's own word; rules are never awaited
      then: actionCode(c, actions, rule.then, [...at, 'then']),
      ...(rule.disabled === true ? { disabled: true } : {}),
    };
    return rule.limit === undefined ? plain : { ...plain, limit: compileLimit(c, rule.limit, [...at, 'limit']) };
  });
  const ruleLabels = ['', DEFAULT_RULE, ...rules.map((rule) => rule.id)];
  const column = (suffix: string, labels: readonly string[], comment: string): number =>
    c.columns.add({ name: `${name}${suffix}`, kind: 'code', labels, comment }, `decision ${name}`, path);
  return {
    name,
    where: conditionAt(c, decision.where, [...path, 'where'], true),
    actions,
    rules,
    default: actionCode(c, actions, decision.default, [...path, 'default']),
    actionColumn: column('', ['', ...actions], `decision ${name}; empty where it was not asked`),
    ruleColumn: column('_rule', ruleLabels, `rule that decided ${name}`),
    ...(rules.some((rule) => rule.limit !== undefined) ? limitColumns(c, name, path) : {}),
  };
}

function actionCode(c: Compilation, actions: readonly string[], action: string, path: Path): number {
  const index = actions.indexOf(action);
  if (index < 0) c.problems.add(path, `unknown action: ${action}`, nearest(action, actions));
  return 1 + index;
}

function reportRepeats(c: Compilation, names: readonly string[], pathOf: (index: number) => Path, what: string): void {
  names.forEach((name, i) => {
    if (names.indexOf(name) < i) c.problems.add(pathOf(i), `${what} ${name} is there twice`);
  });
}
