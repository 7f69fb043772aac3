/**
 * Compiles a decision into one loop over the rows of a block: ordered rules, first hit wins, else the default. Called by
 * decide/ once per worker and pipeline; the loop runs on the worker's thread and allocates nothing.
 *
 * All rules stand in one loop, row by row: the values that several rules read stay in registers, and a row is done at
 * its first hit. One loop a rule over match masks ran at 0.4 of its rate (bench/micro/policy.bench.ts).
 */

import type { Column } from '../layout/column.ts';
import type { DecisionPlan, Plan, RulePlan } from '../layout/plan.ts';
import type { Dictionary } from '../state/dictionary.ts';
import type { KeyList } from '../state/key-list.ts';
import { createEmitter, type ExpressionEmitter } from './expression/emitter.ts';

/** Writes action and rule of the rows [0, rows). */
export type DecisionLoop = (rows: number) => void;

/** Code of the rule column where no rule fired; rules follow it. */
export const RULE_DEFAULT = 1;

export function compileDecision(
  plan: Plan,
  decision: DecisionPlan,
  columns: readonly Column[],
  dictionary: Dictionary,
  keyLists?: readonly KeyList[],
): DecisionLoop {
  const emitter = createEmitter(plan, columns, dictionary, keyLists);
  const body = emitDecision(decision, emitter);
  const make = new Function('columns', 'runtime', `'use strict';\n${bindColumnArrays(body)}\n${body}`) as (
    columns: readonly Column[],
    runtime: unknown,
  ) => DecisionLoop;
  return make(columns, emitter.runtime);
}

/** The loop's source. */
export function emitDecision(decision: DecisionPlan, emitter: ExpressionEmitter): string {
  const store: Store = (action, rule) =>
    `c${decision.actionColumn}_u16[r] = ${action}; c${decision.ruleColumn}_u16[r] = ${rule};`;
  const rules = decision.rules.map((rule, i) => emitRule(emitter, rule, RULE_DEFAULT + 1 + i, store));
  const where = decision.where === null ? null : emitter.condition(decision.where);
  const skip = where === null ? '' : `${where.setup.join(' ')} if (!(${where.value})) continue;`;
  return `${emitter.declarations()}
return function decide_${decision.name}(rows) {
  columns[${decision.actionColumn}].touched = true;
  columns[${decision.ruleColumn}].touched = true;
  for (let r = 0; r < rows; r++) {
    ${skip}
    ${rules.join('\n    ')}
    ${store(decision.default, RULE_DEFAULT)}
  }
};`;
}

type Store = (action: number, rule: number) => string;

function emitRule(emitter: ExpressionEmitter, { when, then }: RulePlan, code: number, store: Store): string {
  const { setup, value } = emitter.condition(when);
  return `${setup.join(' ')} if (${value}) { ${store(then, code)} continue; }`;
}

/** The column arrays that a piece of code names, as constants of its closure. */
export function bindColumnArrays(code: string): string {
  const names = new Set<string>();
  for (const [name] of code.matchAll(/\bc\d+_[a-zA-Z0-9]+\b/g)) names.add(name);
  return [...names]
    .sort()
    .map((name) => `const ${name} = columns[${name.slice(1).replace('_', '].')};`)
    .join('\n');
}
