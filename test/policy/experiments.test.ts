/** Experiments: a million keys fall into their arms as declared, ClickHouse says the same of each, salts split anew. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BLOCK_ROWS_MAX } from '../../native-free-core/layout/limits.ts';
import { createColumn } from '../../native-free-core/layout/column.ts';
import type { ExperimentPlan, Plan } from '../../native-free-core/plan/plan.ts';
import { compileComputed } from '../../native-free-core/policy/compile-computed.ts';
import { createDictionary, openDictionary } from '../../native-free-core/state/dictionary.ts';
import { experimentSql } from '../../src/cli/check/experiment-sql.ts';
import { compilePipeline } from '../../src/config/compile-pipeline.ts';
import { openWarehouse, type TestWarehouse } from '../columns/warehouse.ts';

const KEYS = 1_000_000;
const POINTS = 0.3;
const PROTO = `syntax = "proto3";
package t;
message Event { uint64 player = 1; optional string name = 2; int64 at = 3; }
`;
const PIPELINE = `format: 1
pipeline: experiments
events: { proto: events.proto, message: t.Event, time: at }
entities:
  player: { key: event.player, primary: true, max: 1000, ttl: 1h }
experiments:
  hints: { key: event.player, salt: '2024-11', arms: { control: 50, treatment: 50 } }
  again: { key: event.player, salt: '2024-12', arms: { control: 50, treatment: 50 } }
  many: { key: event.player, arms: { a: 10, b: 0.5, c: 29.99, d: 0, e: 59.51 } }
  names: { key: event.name, salt: "it's", arms: { small: 1, rest: 99 } }
decisions:
  assistance:
    actions: [hint, continue]
    rules: [{ id: treated, when: "experiment.hints == 'treatment'", then: hint }]
    default: continue
`;
const plan: Plan = compilePipeline('experiments.yaml', PIPELINE, (path) =>
  path === 'events.proto' ? { path, text: PROTO } : null,
).plan;

/** Arm codes of the keys 1, 2, …, as the core computes them; the names are 'player-1', 'player-2', … */
function armsInCore({ column }: ExperimentPlan, keys: number): Uint16Array {
  const columns = plan.columns.map((one) => createColumn(one));
  const { beforeState } = compileComputed(plan, columns, openDictionary(createDictionary(64, 4096)));
  const [player, name] = ['player', 'name'].map((of) => columns[plan.columns.findIndex((one) => one.name === of)]!);
  const arms = new Uint16Array(keys);
  const encoder = new TextEncoder();
  for (let first = 0; first < keys; first += BLOCK_ROWS_MAX) {
    const rows = Math.min(BLOCK_ROWS_MAX, keys - first);
    let at = 0;
    for (let r = 0; r < rows; r++) {
      player!.u32[2 * r] = first + r + 1;
      const bytes = encoder.encode(`player-${first + r + 1}`);
      name!.heap.set(bytes, at);
      name!.starts[r] = at;
      name!.lengths[r] = bytes.length;
      name!.nulls[r] = 0;
      at += bytes.length;
    }
    beforeState!(0, rows);
    arms.set(columns[column]!.u16.subarray(0, rows), first);
  }
  return arms;
}

/** As src/config/experiments.ts documents it. */
function armSql({ keyText, salt, arms }: ExperimentPlan): string {
  const key = keyText === 'event.player' ? 'toInt64(number + 1)' : "concat('player-', toString(number + 1))";
  const half = (hash: string): string => `bitShiftRight(murmurHash3_64(${hash}), 11) % 4503599627370496`;
  const bucket = `bitShiftRight(murmurHash3_64(toInt64(${half(key)} + ${half(`'${salt.replace(/'/g, "\\'")}'`)})), 11) % 10000`;
  let end = 0;
  const ends = arms.map(({ percent }) => (end += Math.round(percent * 100)));
  return `multiIf(${ends.map((one, i) => `${bucket} < ${one}, ${i + 1}`).join(', ')}, 0)`;
}

let warehouse: TestWarehouse;
beforeAll(() => void (warehouse = openWarehouse()));
afterAll(() => warehouse.close());

describe.each(plan.experiments!)('$name', (experiment) => {
  test('the arms have the shares that were declared, and ClickHouse says the same of every key', () => {
    const arms = armsInCore(experiment, KEYS);
    experiment.arms.forEach(({ percent }, i) => {
      const share = (arms.reduce((count, arm) => count + (arm === i + 1 ? 1 : 0), 0) / KEYS) * 100;
      expect(Math.abs(share - percent)).toBeLessThan(POINTS);
      if (percent === 0) expect(share).toBe(0);
    });
    const [row] = warehouse.rows<{ arms: string }>(
      `SELECT arrayStringConcat(groupArray(toString(${armSql(experiment)}))) AS arms FROM (SELECT number FROM numbers(${KEYS}) ORDER BY number) SETTINGS max_threads = 1`,
    );
    expect(row!.arms === arms.join('')).toBe(true);
  });
});

test('what hunt check prints of an experiment is a question that ClickHouse answers with the same arms', () => {
  const keys = 2000;
  warehouse.run('CREATE TABLE events (player UInt64, name Nullable(String)) ENGINE = Memory');
  // In one block: rows of several come in any order.
  warehouse.run(
    `INSERT INTO events SELECT if(number = ${keys}, 1, number + 1), if(number = ${keys}, NULL, concat('player-', toString(number + 1))) FROM numbers(${keys} + 1)`,
  );
  for (const experiment of plan.experiments!) {
    const rows = warehouse.rows<Record<string, string>>(experimentSql(plan, experiment));
    const arms = [...armsInCore(experiment, keys)].map((arm) => experiment.arms[arm - 1]!.name);
    arms.push(experiment.name === 'names' ? '' : arms[0]!);
    expect(rows.map((row) => Object.values(row)[0])).toEqual(arms);
  }
});

test('another salt splits anew: half of each arm changes sides', () => {
  const [hints, again] = plan.experiments!;
  const [first, second] = [armsInCore(hints!, 100_000), armsInCore(again!, 100_000)];
  const both = first.reduce((count, arm, i) => count + (arm === 2 && second[i] === 2 ? 1 : 0), 0);
  expect(Math.abs(both / 100_000 - 0.25)).toBeLessThan(0.01);
});

test('without a key an event is in no arm', () => {
  const columns = plan.columns.map((one) => createColumn(one));
  compileComputed(plan, columns, openDictionary(createDictionary(64, 4096))).beforeState!(0, 1);
  expect(columns[plan.experiments![3]!.column]!.u16[0]).toBe(0);
});
