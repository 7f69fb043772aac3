/**
 * Compiles a decision into one loop over the rows of a block: ordered rules, first hit wins, else the default. Called by
 * decide/ once per worker and pipeline; the loop runs on the worker's thread and allocates nothing.
 *
 * All rules stand in one loop, row by row: the values that several rules read stay in registers, and a row is done at
 * its first hit. One loop a rule over match masks ran at 0.4 of its rate (bench/micro/policy.bench.ts).
 */

import type { Column } from '../layout/column.ts';
import { BLOCK_ROWS_MAX } from '../layout/limits.ts';
import type { DecisionPlan, Plan, RulePlan } from '../plan/plan.ts';
import type { Dictionary } from '../state/dictionary.ts';
import type { KeyList } from '../state/key-list.ts';
import { createEmitter, type ExpressionEmitter } from '../language/expression/emitter.ts';
import type { LimitCells } from './limit-layout.ts';
import { takeLimit, type LimitGate } from './limit-takes.ts';

/** Writes action and rule of the rows [0, rows); epoch and receivedAt (ms) are those of the block, for limits. */
export type DecisionLoop = (rows: number, epoch: number, receivedAt: number) => void;

/** How the limit of a rule is taken. */
export interface RuleLimit {
  readonly gate: LimitGate;
  readonly cells: LimitCells;
}

/** Code of the rule column where no rule fired; rules follow it. */
export const RULE_DEFAULT = 1;

/** `limits`: by rule, null where it has none; wanted where any has one. */
export function compileDecision(
  plan: Plan,
  decision: DecisionPlan,
  columns: readonly Column[],
  dictionary: Dictionary,
  keyLists?: readonly KeyList[],
  limits: readonly (RuleLimit | null)[] = [],
): DecisionLoop {
  if (decision.rules.some(({ limit }, i) => limit !== undefined && (limits[i] ?? null) === null))
    throw new Error(`no table for the limits of a decision: decision=${decision.name}`);
  const emitter = createEmitter(plan, columns, dictionary, keyLists);
  const body = emitDecision(decision, emitter);
  const make = new Function(
    'columns',
    'runtime',
    'limits',
    'takeLimit',
    `'use strict';\n${bindColumnArrays(body)}\n${body}`,
  ) as (
    columns: readonly Column[],
    runtime: unknown,
    limits: readonly (RuleLimit | null)[],
    take: typeof takeLimit,
  ) => DecisionLoop;
  return make(columns, emitter.runtime, limits, takeLimit);
}

/** The loop's source. */
export function emitDecision(decision: DecisionPlan, emitter: ExpressionEmitter): string {
  const limited = decision.rules.some(({ limit }) => limit !== undefined);
  const rules = decision.rules.map((rule, i) =>
    emitRule(
      emitter,
      rule,
      rule.limit === undefined ? emitHit(rule.then, ruleCode(i)) : `waiting[waits++] = r; continue;`,
    ),
  );
  const where = decision.where === null ? null : emitter.condition(decision.where);
  const skip = where === null ? '' : `${where.setup.join(' ')} if (!(${where.value})) continue;`;
  const secondPass = limited ? emitSecondPass(decision, emitter) : '';
  return `${emitter.declarations()}
${limited ? emitLimitConstants(decision) : ''}
return function decide_${decision.name}(rows, epoch, receivedAt) {
  columns[${decision.actionColumn}].touched = true;
  columns[${decision.ruleColumn}].touched = true;
  ${limited ? 'let waits = 0;' : ''}
  for (let r = 0; r < rows; r++) {
    ${skip}
    ${emitFirstHit(decision, rules)}
  }${secondPass}
};`;
}

/**
 * The one place that stores, whichever rule hits: V8 compiles a store that was never reached into one that throws the
 * compiled loop away, and some rule will hit for the first time in the busiest hour.
 */
function emitFirstHit(decision: DecisionPlan, rules: readonly string[]): string {
  return `let action = ${decision.default}, rule = ${RULE_DEFAULT};
    pick: {
      ${rules.join('\n      ')}
    }
    c${decision.actionColumn}_u16[r] = action;
    c${decision.ruleColumn}_u16[r] = rule;`;
}

function emitHit(action: number, rule: number): string {
  return `action = ${action}; rule = ${rule}; break pick;`;
}

function ruleCode(index: number): number {
  return RULE_DEFAULT + 1 + index;
}

function emitRule(emitter: ExpressionEmitter, { when }: RulePlan, hit: string): string {
  const { setup, value } = emitter.condition(when);
  return `${setup.join(' ')} if (${value}) { ${hit} }`;
}

function emitLimitConstants({ rules }: DecisionPlan): string {
  const bound = rules.flatMap(({ limit }, i) =>
    limit === undefined ? [] : [`const gate${i} = limits[${i}].gate, cells${i} = limits[${i}].cells;`],
  );
  return `const waiting = new Uint16Array(${BLOCK_ROWS_MAX});\n${bound.join('\n')}`;
}

/**
 * The rows whose first hit is a limited rule, in their order: what is used up falls to the next rule. Rules before the
 * first limited one did not fire for them.
 */
function emitSecondPass(decision: DecisionPlan, emitter: ExpressionEmitter): string {
  const first = decision.rules.findIndex(({ limit }) => limit !== undefined);
  const rules = decision.rules.slice(first).map((rule, i) => {
    const hit = emitHit(rule.then, ruleCode(first + i));
    if (rule.limit === undefined) return emitRule(emitter, rule, hit);
    const { setup, value } = emitter.condition(rule.when);
    const index = first + i;
    return `${setup.join(' ')} if ((${value}) && takeLimit(gate${index}, cells${index}, r, epoch, receivedAt)) { ${hit} }`;
  });
  return `
  for (let i = 0; i < waits; i++) {
    const r = waiting[i];
    ${emitFirstHit(decision, rules)}
  }`;
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
