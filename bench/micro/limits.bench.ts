/**
 * What a limited rule costs each row that it fires for, taken or used up, in both forms of a limit; and what an
 * experiment costs each event. Rows that fire no limited rule cost nothing: bench/micro/policy.bench.ts.
 */

import { compilePipeline } from '../../src/config/compile-pipeline.ts';
import { allocateMemory } from '../../src/memory/regions.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { openRuleLimits } from '../../native-free-core/decide/join-limits.ts';
import { compileState } from '../../native-free-core/decide/state-loops.ts';
import { createColumn } from '../../native-free-core/layout/column.ts';
import { BLOCK_ROWS_MAX } from '../../native-free-core/layout/limits.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { compileComputed } from '../../native-free-core/policy/compile-computed.ts';
import { takeLimit } from '../../native-free-core/policy/limit-takes.ts';
import type { Bench, BenchFigure } from '../bench.ts';

const ROUNDS = 50;
const KEYS = 10_000;
const START = 1_700_000_000_000;
const PROTO = `syntax = "proto3";
package t;
message Event { uint64 player = 1; int64 at = 2; }
`;

function compile(parts: string): Plan {
  const text = `format: 1
pipeline: limits
events: { proto: events.proto, message: t.Event, time: at }
entities: { player: { key: event.player, primary: true, max: 100k, ttl: 30d } }
${parts}`;
  return compilePipeline('limits.yaml', text, (path) => (path === 'events.proto' ? { path, text: PROTO } : null)).plan;
}

/** Every row fires the rule; two seconds pass from round to round. */
function limit(name: string, count: number, tiny: boolean): BenchFigure {
  const limited = `{ id: often, when: 'event.player > 0', then: yes, limit: { count: ${count}, per: 10m, entity: player } }`;
  const plan = compile(
    `decisions: { d: { actions: ['yes', 'no'], rules: [${limited.replace('yes', "'yes'")}], default: 'no' } }`,
  );
  const tables = openTables(allocateMemory(plan, 1, 1));
  const columns = plan.columns.map((column) => createColumn(column));
  const state = compileState(plan, columns, tables, 'live');
  const { gate, cells } = openRuleLimits(plan, plan.decisions[0], columns, state, tables)[0]!;
  const rows = tiny ? 256 : BLOCK_ROWS_MAX;
  const rounds = tiny ? 3 : ROUNDS;
  for (let r = 0; r < rows; r++) {
    gate.keys.set([(r * 7919) % KEYS, 0, 0, 1], 4 * r);
    gate.present[r] = 1;
    gate.entityLife.u32[2 * r] = 1;
  }
  let [bestMs, takes] = [Infinity, 0];
  for (let round = 0; round < rounds; round++) {
    for (let r = 0; r < rows; r++) gate.clocks[r] = gate.effective[r] = START + round * 2000;
    const begun = performance.now();
    for (let r = 0; r < rows; r++) takes += takeLimit(gate, cells, r, 1 + round, START) ? 1 : 0;
    bestMs = Math.min(bestMs, performance.now() - begun);
  }
  const parameters = { rows, rounds, keys: KEYS, count, hops: cells.hops, isRing: cells.isRing };
  return { name, unit: 'rows/s', value: rows / (bestMs / 1000), checksum: String(takes), parameters };
}

function experiment(name: string, arms: string, tiny: boolean): BenchFigure {
  const plan = compile(`experiments: { split: { key: event.player, arms: ${arms} } }`);
  const tables = openTables(allocateMemory(plan, 1, 1));
  const columns = plan.columns.map((column) => createColumn(column));
  const { beforeState } = compileComputed(plan, columns, tables.dictionary);
  const rows = tiny ? 256 : BLOCK_ROWS_MAX;
  const rounds = tiny ? 3 : ROUNDS;
  const player = columns[plan.columns.findIndex((column) => column.name === 'player')];
  for (let r = 0; r < rows; r++) player.u32[2 * r] = r + 1;
  let bestMs = Infinity;
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    beforeState!(0, rows);
    bestMs = Math.min(bestMs, performance.now() - begun);
  }
  const sum = columns[plan.experiments![0].column].u16.subarray(0, rows).reduce((total, arm) => total + arm, 0);
  return {
    name,
    unit: 'events/s',
    value: rows / (bestMs / 1000),
    checksum: String(sum),
    parameters: { rows, rounds, arms },
  };
}

export const bench: Bench = {
  name: 'limits',
  async run({ tiny }): Promise<BenchFigure[]> {
    return [
      limit('a limit of 1 in 10 m', 1, tiny),
      limit('a limit of 1,000 in 10 m', 1000, tiny),
      experiment('an experiment of 2 arms', '{ a: 50, b: 50 }', tiny),
      experiment('an experiment of 5 arms', '{ a: 20, b: 20, c: 20, d: 20, e: 20 }', tiny),
    ];
  },
};
