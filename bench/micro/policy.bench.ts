/**
 * Decisions of the example game over a block: the loop that the engine runs (all rules in one loop, row by row) beside
 * the other way (one loop a rule over a match mask, then one loop that takes the first match), in alternating rounds,
 * best of each. Rules see random features, so that branches are as hard to predict as they can be.
 */

import { loadPipeline } from '../../src/config/load-pipeline.ts';
import { defaultPipeline } from '../../src/config/default-pipeline.ts';
import { createColumn, type Column } from '../../native-free-core/layout/column.ts';
import { BLOCK_ROWS_MAX } from '../../native-free-core/layout/limits.ts';
import type { DecisionPlan, Plan } from '../../native-free-core/plan/plan.ts';
import { bindColumnArrays, compileDecision, type DecisionLoop } from '../../native-free-core/policy/decision.ts';
import { createEmitter } from '../../native-free-core/language/expression/emitter.ts';
import { createDictionary, openDictionary, type Dictionary } from '../../native-free-core/state/dictionary.ts';
import type { Bench, BenchFigure } from '../bench.ts';

const ROUNDS = 200;
const DICTIONARY_ENTRIES = 1024;

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

/** Values around the rules' limits: counts up to 50, everything else up to 10; a third of the nullable ones absent. */
function fill(columns: readonly Column[], rows: number): void {
  const next = random(7);
  for (const column of columns) {
    for (let r = 0; r < rows; r++) {
      if (column.nulls.length > 0 && next() < 0.67) column.nulls[r] = 0;
      if (column.kind === 'u32') column.u32[r] = next() * 50;
      else if (column.kind === 'f64') column.f64[r] = next() * 10;
      else if (column.kind === 'code') column.u16[r] = next() * 6;
      else if (column.kind === 'enum') column.i32[r] = next() * 3;
    }
  }
}

/** The way not taken. */
function compileMasks(
  plan: Plan,
  decision: DecisionPlan,
  columns: readonly Column[],
  dictionary: Dictionary,
): DecisionLoop {
  const emitter = createEmitter(plan, columns, dictionary);
  const conditions = [...(decision.where === null ? [] : [decision.where]), ...decision.rules.map((rule) => rule.when)];
  const loops = conditions.map((when, i) => {
    const { setup, value } = emitter.condition(when);
    return `{ const m = masks[${i}]; for (let r = 0; r < rows; r++) { ${setup.join(' ')} m[r] = ${value} ? 1 : 0; } }`;
  });
  const first = decision.where === null ? 0 : 1;
  const where = first === 0 ? '' : 'if (masks[0][r] === 0) continue;';
  const choices = decision.rules.map(
    (rule, i) => `if (masks[${first + i}][r] !== 0) { action[r] = ${rule.then}; rule[r] = ${2 + i}; continue; }`,
  );
  const body = `${emitter.declarations()}
const masks = Array.from({ length: ${conditions.length} }, () => new Uint8Array(${BLOCK_ROWS_MAX}));
const action = columns[${decision.actionColumn}].u16, rule = columns[${decision.ruleColumn}].u16;
return (rows, epoch, receivedAt) => {
  ${loops.join('\n  ')}
  for (let r = 0; r < rows; r++) { ${where} ${choices.join(' ')} action[r] = ${decision.default}; rule[r] = 1; }
};`;
  const make = new Function('columns', 'runtime', `'use strict';\n${bindColumnArrays(body)}\n${body}`) as (
    c: readonly Column[],
    r: unknown,
  ) => DecisionLoop;
  return make(columns, emitter.runtime);
}

function checksum(plan: Plan, columns: readonly Column[], rows: number): string {
  let sum = 0;
  for (const { actionColumn, ruleColumn } of plan.decisions) {
    for (let r = 0; r < rows; r++)
      sum = (Math.imul(sum, 31) + columns[actionColumn].u16[r] * 7 + columns[ruleColumn].u16[r]) >>> 0;
  }
  return sum.toString(16);
}

function run(loops: readonly DecisionLoop[], rows: number): number {
  const begin = performance.now();
  for (const loop of loops) loop(rows, 1, 0);
  return performance.now() - begin;
}

export const bench: Bench = {
  name: 'policy',
  async run({ tiny }): Promise<BenchFigure[]> {
    const plan = await loadPipeline(defaultPipeline());
    const dictionary = openDictionary(createDictionary(DICTIONARY_ENTRIES, DICTIONARY_ENTRIES * 64));
    const rows = tiny ? 256 : BLOCK_ROWS_MAX;
    const rounds = tiny ? 3 : ROUNDS;
    const ways = [
      { name: 'decisions, one loop', compile: compileDecision },
      { name: 'decisions, a mask a rule', compile: compileMasks },
    ].map(({ name, compile }) => {
      const columns = plan.columns.map((column) => createColumn(column));
      fill(columns, rows);
      const loops = plan.decisions.map((decision) => compile(plan, decision, columns, dictionary));
      return { name, columns, loops, bestMs: Infinity };
    });
    for (let round = 0; round < rounds; round++) {
      for (const way of ways) way.bestMs = Math.min(way.bestMs, run(way.loops, rows));
    }
    return ways.map(({ name, columns, bestMs }) => ({
      name,
      unit: 'events/s',
      value: rows / (bestMs / 1000),
      checksum: checksum(plan, columns, rows),
      parameters: {
        rows,
        rounds,
        decisions: plan.decisions.length,
        rules: plan.decisions.reduce((n, d) => n + d.rules.length, 0),
      },
    }));
  },
};
