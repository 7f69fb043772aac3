/**
 * Runs one of a pipeline's tests: its events one by one through the core, each expectation compared with the row of the
 * event that it names. Called by cli/test.ts.
 */

import { enter, lookup } from '../../../native-free-core/base/lookup.ts';
import { outcomeText } from '../../../native-free-core/base/outcomes.ts';
import type { Column } from '../../../native-free-core/layout/column.ts';
import type { Plan } from '../../../native-free-core/layout/plan.ts';
import type { PipelineExpectation, PipelineTest } from '../../config/tests-section.ts';
import { createHandDrivenCore } from './hand-driven-core.ts';

export type Value = number | string | boolean | null;

export interface Mismatch {
  /** `decision assistance`, `rule`, `feature player.digs_5m`. */
  readonly what: string;
  readonly expected: Value;
  readonly got: Value;
}

/** An expectation that was not met. */
export interface Failure {
  readonly at: string;
  readonly line: number;
  /** Empty where the event never came. */
  readonly mismatches: readonly Mismatch[];
  /** All features and derived values of the event's row; null where the event never came. */
  readonly features: Readonly<Record<string, Value>> | null;
  readonly reason: string;
}

export interface TestResult {
  readonly name: string;
  readonly line: number;
  readonly passed: boolean;
  readonly events: number;
  readonly expectations: number;
  readonly failures: readonly Failure[];
  /** Events that the core did not take, with the line of the events' file; no failure by itself. */
  readonly refused: readonly { readonly line: number; readonly reason: string }[];
}

const HIGH = 4294967296;
/** A value in a pipeline file is written with fewer digits than an average has. */
const TOLERANCE = 1e-9;

/** `lines`: the events, one JSON object each; an empty line is none. */
export function runTest(plan: Plan, test: PipelineTest, lines: readonly string[]): TestResult {
  const events = lines.flatMap((text, i) => (text.trim() === '' ? [] : [{ text, line: i + 1 }]));
  const core = createHandDrivenCore(plan, events.length);
  const expected = new Map<string, PipelineExpectation[]>();
  for (const expectation of test.expect) {
    expected.set(expectation.at, [...(expected.get(expectation.at) ?? []), expectation]);
  }
  const refused: { line: number; reason: string }[] = [];
  const failures: Failure[] = [];
  for (const event of events) {
    const taken = core.take(event.text);
    if (taken.outcome === 'duplicate')
      refused.push({ line: event.line, reason: 'duplicate: the event id was seen before' });
    else if (taken.outcome === 'refused')
      refused.push({ line: event.line, reason: reasonOf(taken.code, taken.reason) });
    else {
      const id = textOf(core.columns[plan.system.eventId]!, 0);
      for (const expectation of expected.get(id) ?? []) failures.push(...compare(plan, core.columns, expectation));
      expected.delete(id);
    }
  }
  for (const expectation of [...expected.values()].flat()) failures.push(neverCame(expectation));
  return {
    name: test.name,
    line: test.line,
    passed: failures.length === 0,
    events: events.length,
    expectations: test.expect.length,
    failures: failures.sort((a, b) => a.line - b.line),
    refused,
  };
}

function reasonOf(code: number, reason: string): string {
  return `${outcomeText(code).code}: ${reason}`;
}

function neverCame({ at, line }: PipelineExpectation): Failure {
  return { at, line, mismatches: [], features: null, reason: 'no event with this id was stored' };
}

function compare(plan: Plan, columns: readonly Column[], expectation: PipelineExpectation): Failure[] {
  const features = featuresOf(plan, columns);
  const decided = plan.decisions.filter(({ name }) => Object.hasOwn(expectation.decision, name));
  const mismatches = [
    ...decided.map(({ name, actionColumn }) => ({
      what: `decision ${name}`,
      expected: lookup(expectation.decision, name)!,
      got: labelOf(columns[actionColumn]!),
    })),
    ...ruleMismatch(
      expectation.rule,
      decided.map(({ ruleColumn }) => labelOf(columns[ruleColumn]!)),
    ),
    ...(plan.experiments ?? [])
      .filter(({ name }) => Object.hasOwn(expectation.experiment, name))
      .map(({ name, column }) => ({
        what: `experiment ${name}`,
        expected: lookup(expectation.experiment, name)!,
        got: labelOf(columns[column]!),
      })),
    ...Object.entries(expectation.features).map(([name, value]) => ({
      what: `feature ${name}`,
      expected: value,
      got: lookup(features, name) ?? null,
    })),
  ].filter(({ expected, got }) => !same(expected, got));
  if (mismatches.length === 0) return [];
  return [{ at: expectation.at, line: expectation.line, mismatches, features, reason: '' }];
}

/** The rule of one of the decisions that the expectation names. */
function ruleMismatch(rule: string | null, rules: readonly string[]): Mismatch[] {
  return rule === null || rules.includes(rule) ? [] : [{ what: 'rule', expected: rule, got: rules.join(', ') }];
}

function same(expected: Value, got: Value): boolean {
  const wanted = typeof expected === 'boolean' ? Number(expected) : expected;
  if (typeof wanted !== 'number' || typeof got !== 'number') return wanted === got;
  return Math.abs(wanted - got) <= TOLERANCE * Math.abs(wanted);
}

function featuresOf(plan: Plan, columns: readonly Column[]): Record<string, Value> {
  const features: Record<string, Value> = {};
  for (const entity of plan.entities) {
    for (const feature of entity.features) {
      const column = columns[feature.column]!;
      const absent = column.nulls.length !== 0 && column.nulls[0] === 1;
      features[`${entity.name}.${feature.name}`] = absent
        ? null
        : column.kind === 'u32'
          ? column.u32[0]!
          : column.f64[0]!;
    }
  }
  for (const { name, column } of plan.computed ?? [])
    if (name !== '') enter(features, name, computedValue(columns[column]!));
  for (const { name, column } of plan.models ?? []) features[`model.${name}`] = computedValue(columns[column]!);
  return features;
}

function computedValue(column: Column): Value {
  if (column.nulls[0] === 1) return null;
  return column.kind === 'u8' ? column.u8[0]! : column.f64[0]!;
}

function labelOf(column: Column): string {
  return column.plan.labels?.[column.u16[0]!] ?? '';
}

/** An id as the pipeline's tests write it. */
function textOf(column: Column, row: number): string {
  switch (column.kind) {
    case 'string':
    case 'bytes':
      return new TextDecoder().decode(
        column.heap.subarray(column.starts[row]!, column.starts[row]! + column.lengths[row]!),
      );
    case 'u64':
      return String(BigInt(column.u32[2 * row + 1]!) * BigInt(HIGH) + BigInt(column.u32[2 * row]!));
    case 'i64':
      return String(BigInt(column.i32[2 * row + 1]!) * BigInt(HIGH) + BigInt(column.u32[2 * row]!));
    case 'u32':
      return String(column.u32[row]!);
    default:
      return String(column.i32[row]!);
  }
}
