/**
 * Runs one of a pipeline's tests: its events one by one through the core, each expectation compared with the row of the
 * event that it names. Called by cli/test.ts.
 */

import { enter, lookup } from '../../../native-free-core/base/lookup.ts';
import { outcomeText } from '../../../native-free-core/base/outcomes.ts';
import { keyMapping } from '../../../native-free-core/mapping/key-mapping.ts';
import type { ImportMap } from '../../../native-free-core/plan/import-map.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import type { PipelineExpectation, PipelineTest } from '../../config/tests-section.ts';
import { labelAt, valueAt, type ExplainedRow } from '../../explain/column-values.ts';
import type { ExplainedValue } from '../../contract/explanation.ts';
import { createHandDrivenCore } from './hand-driven-core.ts';

export type Value = number | string | boolean | null;

export interface Mismatch {
  /** `decision assistance`, `rule`, `feature player.digs_5m`. */
  readonly what: string;
  readonly expected: Value;
  readonly got: ExplainedValue;
}

/** An expectation that was not met. */
export interface Failure {
  readonly at: string;
  readonly line: number;
  /** Empty where the event never came. */
  readonly mismatches: readonly Mismatch[];
  /** All features and derived values of the event's row; null where the event never came. */
  readonly features: Readonly<Record<string, ExplainedValue>> | null;
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
  /** Keys of events that nobody knows, with the line; no failure by itself. */
  readonly unknown: readonly { readonly line: number; readonly reason: string }[];
}

/** A value in a pipeline file is written with fewer digits than an average has. */
const TOLERANCE = 1e-9;

/** The pipeline of a test. */
export interface TestedPipeline {
  readonly plan: Plan;
  readonly importMap: ImportMap;
}

/** `lines`: the events, one JSON object each, with the keys that `hunt send` takes; an empty line is none. */
export function runTest({ plan, importMap }: TestedPipeline, test: PipelineTest, lines: readonly string[]): TestResult {
  const toEvent = keyMapping(plan, importMap);
  const events = lines.flatMap((text, i) => (text.trim() === '' ? [] : [{ text, line: i + 1 }]));
  const core = createHandDrivenCore(plan, events.length);
  const expected = new Map<string, PipelineExpectation[]>();
  for (const expectation of test.expect) {
    expected.set(expectation.at, [...(expected.get(expectation.at) ?? []), expectation]);
  }
  const refused: { line: number; reason: string }[] = [];
  const unknown: { line: number; reason: string }[] = [];
  const failures: Failure[] = [];
  for (const event of events) {
    const taken = core.take(toEvent?.(event.text) ?? event.text);
    for (const reason of core.unknown) unknown.push({ line: event.line, reason });
    if (taken.outcome === 'duplicate')
      refused.push({ line: event.line, reason: 'duplicate: the event id was seen before' });
    else if (taken.outcome === 'refused')
      refused.push({ line: event.line, reason: reasonOf(taken.code, taken.reason) });
    else {
      const value = valueAt(core.row, plan.system.eventId);
      const id = typeof value === 'number' ? String(value) : value;
      if (typeof id !== 'string') continue;
      for (const expectation of expected.get(id) ?? []) failures.push(...compare(core.row, expectation));
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
    unknown,
  };
}

function reasonOf(code: number, reason: string): string {
  return `${outcomeText(code).code}: ${reason}`;
}

function neverCame({ at, line }: PipelineExpectation): Failure {
  return { at, line, mismatches: [], features: null, reason: 'no event with this id was stored' };
}

function compare(row: ExplainedRow, expectation: PipelineExpectation): Failure[] {
  const { plan } = row;
  const features = featuresOf(row);
  const decided = plan.decisions.filter(({ name }) => Object.hasOwn(expectation.decision, name));
  const mismatches = [
    ...decided.map(({ name, actionColumn }) => ({
      what: `decision ${name}`,
      expected: lookup(expectation.decision, name)!,
      got: labelAt(row, actionColumn),
    })),
    ...ruleMismatch(
      expectation.rule,
      decided.map(({ ruleColumn }) => labelAt(row, ruleColumn)),
    ),
    ...(plan.experiments ?? [])
      .filter(({ name }) => Object.hasOwn(expectation.experiment, name))
      .map(({ name, column }) => ({
        what: `experiment ${name}`,
        expected: lookup(expectation.experiment, name)!,
        got: labelAt(row, column),
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

function same(expected: Value, got: ExplainedValue): boolean {
  const [wanted, came] = [expected, got].map((value) => (typeof value === 'boolean' ? Number(value) : value));
  if (typeof wanted !== 'number' || typeof came !== 'number') return wanted === came;
  return Math.abs(wanted - came) <= TOLERANCE * Math.abs(wanted);
}

function featuresOf(row: ExplainedRow): Record<string, ExplainedValue> {
  const { entities, computed = [], models = [] } = row.plan;
  const named = [
    ...entities.flatMap(({ name, features }) =>
      features.map((feature) => ({ name: `${name}.${feature.name}`, column: feature.column })),
    ),
    ...computed.filter(({ name }) => name !== ''),
    ...models.map(({ name, column }) => ({ name: `model.${name}`, column })),
  ];
  const features: Record<string, ExplainedValue> = {};
  for (const { name, column } of named) enter(features, name, valueAt(row, column));
  return features;
}
