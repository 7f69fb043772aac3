/** The `tests:` of a pipeline file, checked against its decisions and features; `hunt test` runs them. */

import type { DecisionPlan } from '../../native-free-core/plan/plan.ts';
import type { Compilation } from './compilation.ts';
import { nearest } from '../../native-free-core/base/nearest.ts';
import type { Path } from './source.ts';

export interface PipelineTest {
  readonly name: string;
  /** NDJSON of events, as the pipeline file names it: relative to that file. */
  readonly events: string;
  readonly expect: readonly PipelineExpectation[];
  /** Where the test stands in the pipeline file. */
  readonly line: number;
}

export interface PipelineExpectation {
  /** Id of the event after which it holds. */
  readonly at: string;
  /** Action by decision; '' where the decision is not asked. */
  readonly decision: Readonly<Record<string, string>>;
  /** Rule that decided the decisions named here. */
  readonly rule: string | null;
  /** Arm by experiment; '' where the event has no key. */
  readonly experiment: Readonly<Record<string, string>>;
  /** Value by `<entity>.<feature>` or `derived.<name>`; null: absent. */
  readonly features: Readonly<Record<string, number | boolean | string | null>>;
  readonly line: number;
}

export function compileTests(
  c: Compilation,
  decisions: readonly DecisionPlan[],
  lineOf: (path: Path) => number,
): PipelineTest[] {
  const tests = c.declaration.tests ?? [];
  if (tests.length > 0 && c.declaration.events.id === undefined) {
    c.problems.addAtKey(['tests'], 'tests name events by id: write events.id');
  }
  const derived = c.computed.flatMap(({ name }) => (name === '' ? [] : [name]));
  // One that could not be compiled has had its complaint.
  const models = [...c.models.keys()].map((name) => `model.${name}`);
  const known = [...c.features.keys(), ...derived, ...models];
  return tests.map((test, i) => ({
    name: test.name,
    events: test.events,
    line: lineOf(['tests', i]),
    expect: test.expect.map((expectation, j) => {
      const path: Path = ['tests', i, 'expect', j];
      checkDecisions(c, decisions, expectation.decision ?? {}, expectation.rule, path);
      checkArms(c, expectation.experiment ?? {}, path);
      for (const name of Object.keys(expectation.features ?? {})) {
        if (!known.includes(name))
          c.problems.addAtKey([...path, 'features', name], `unknown feature: ${name}`, nearest(name, known));
      }
      return {
        at: String(expectation.at),
        decision: expectation.decision ?? {},
        rule: expectation.rule ?? null,
        experiment: expectation.experiment ?? {},
        features: expectation.features ?? {},
        line: lineOf(path),
      };
    }),
  }));
}

function checkArms(c: Compilation, expected: Readonly<Record<string, string>>, path: Path): void {
  for (const [name, arm] of Object.entries(expected)) {
    const at: Path = [...path, 'experiment', name];
    const experiment = c.experiments.get(name);
    if (experiment === undefined)
      c.problems.addAtKey(at, `unknown experiment: ${name}`, nearest(name, [...c.experiments.keys()]));
    else if (arm !== '' && !experiment.arms.includes(arm))
      c.problems.add(at, `unknown arm: ${arm}`, nearest(arm, experiment.arms));
  }
}

function checkDecisions(
  c: Compilation,
  decisions: readonly DecisionPlan[],
  expected: Readonly<Record<string, string>>,
  rule: string | undefined,
  path: Path,
): void {
  const named = Object.keys(expected).map((name) => decisions.find((decision) => decision.name === name));
  Object.entries(expected).forEach(([name, action], i) => {
    const at: Path = [...path, 'decision', name];
    const decision = named[i];
    if (decision === undefined)
      c.problems.addAtKey(
        at,
        `unknown decision: ${name}`,
        nearest(
          name,
          decisions.map((d) => d.name),
        ),
      );
    else if (action !== '' && !decision.actions.includes(action))
      c.problems.add(at, `unknown action: ${action}`, nearest(action, decision.actions));
  });
  if (rule === undefined) return;
  const rules = named.flatMap((decision) =>
    decision === undefined ? [] : ['default', ...decision.rules.map(({ id }) => id)],
  );
  if (!rules.includes(rule))
    c.problems.add([...path, 'rule'], `no decision expected here has the rule ${rule}`, nearest(rule, rules));
}
