/**
 * Experiments: percentage splits by a stable hash of a key. The arm is computed before anything else, so keys, features and
 * rules may read it (`experiment.hints == 'treatment'`), and stored as the column `experiment_<name>`, '' where the key is
 * absent. It is a function of key and salt alone; the same in ClickHouse, `x >> 11` being bitShiftRight(x, 11):
 *
 *   bucket = (murmurHash3_64(toInt64((murmurHash3_64(key) >> 11) % 4503599627370496
 *                                   + (murmurHash3_64('<salt>') >> 11) % 4503599627370496)) >> 11) % 10000
 *
 * where key is toInt64(k) for integers, the text itself for strings. The first arm has the first buckets, 100 a percent.
 * Salt and key are hashed apart and then together: experiments with other salts split independently.
 */

import { hashText } from '../../native-free-core/base/murmur64.ts';
import type { ExperimentPlan, Expression } from '../../native-free-core/plan/plan.ts';
import type { Compilation } from './compilation.ts';
import { expressionAt } from './expression-at.ts';
import { call } from '../../native-free-core/language/functions/typed.ts';
import type { ExperimentDeclaration } from './schema.ts';
import type { Path } from './source.ts';

/** Hundredths of a percent. */
const BUCKETS = 10_000;
/** So that the sum of two stays below 2^53, where integers end. */
const HALF = 2 ** 52;

export function compileExperiments(c: Compilation): ExperimentPlan[] {
  return Object.entries(c.declaration.experiments ?? {}).flatMap(([name, experiment]) => {
    const plan = compileExperiment(c, name, experiment);
    if (plan === null) return [];
    c.experiments.set(name, { column: plan.column, arms: plan.arms.map((arm) => arm.name) });
    return [plan];
  });
}

function compileExperiment(c: Compilation, name: string, experiment: ExperimentDeclaration): ExperimentPlan | null {
  const path: Path = ['experiments', name];
  const arms = Object.entries(experiment.arms).map(([arm, percent]) => ({ name: arm, percent }));
  checkArms(c, arms, [...path, 'arms']);
  const key = compileKey(c, experiment.key, [...path, 'key']);
  const salt = experiment.salt ?? name;
  const column = c.columns.add(
    {
      name: `experiment_${name}`,
      kind: 'code',
      labels: ['', ...arms.map((arm) => arm.name)],
      comment: `arm of experiment ${name}, by ${experiment.key.replace(/\s+/g, ' ')} and salt ${salt}`,
    },
    `experiment ${name}`,
    path,
  );
  if (key === null) return null;
  const expression = armOf(bucketOf(key, salt), arms);
  c.computed.push({ name: '', column, expression, before: true });
  return { name, column, key, keyText: experiment.key, salt, arms };
}

function checkArms(c: Compilation, arms: ExperimentPlan['arms'], path: Path): void {
  for (const { name, percent } of arms) {
    if (!Number.isInteger(hundredths(percent)))
      c.problems.add([...path, name], 'a percentage has at most two digits behind the point');
  }
  const sum = arms.reduce((total, { percent }) => total + Math.round(hundredths(percent)), 0);
  if (sum !== BUCKETS) c.problems.addAtKey(path, `the arms are ${sum / 100} percent together; they must be 100`);
}

/** 0.29 * 100 is not 29: rounded where that is what was meant. */
function hundredths(percent: number): number {
  const exact = percent * 100;
  return Math.abs(exact - Math.round(exact)) < 1e-6 ? Math.round(exact) : exact;
}

function compileKey(c: Compilation, text: string, path: Path): Expression | null {
  const typed = expressionAt(c, text, path, false);
  if (typed === null) return null;
  const { node, type } = typed.expression;
  const refuse = (message: string): null => {
    c.problems.addInText(path, 0, message);
    return null;
  };
  if (node === 'constant') return refuse('a key must depend on the event');
  if (type === 'double') return refuse('a key cannot be a fractional number');
  if (typed.labels !== undefined || typed.list === true) return refuse('a key is a text or an integer');
  return typed.expression;
}

function bucketOf(key: Expression, salt: string): Expression {
  const bytes = new TextEncoder().encode(salt);
  const ofSalt = hashText(bytes, 0, bytes.length) % HALF;
  const ofKey = call('int', 'mod', [call('int', 'hash', [key]), constant(HALF)]);
  const together = call('int', 'hash', [call('int', 'add', [ofKey, constant(ofSalt)])]);
  return call('int', 'mod', [together, constant(BUCKETS)]);
}

/** Code of the arm whose buckets hold it: the arms from 1 on. */
function armOf(bucket: Expression, arms: ExperimentPlan['arms']): Expression {
  let end = 0;
  const ends = arms.map(({ percent }) => (end += hundredths(percent)));
  return arms
    .slice(0, -1)
    .reduceRight<Expression>(
      (otherwise, _, i) =>
        call('int', 'conditional', [call('bool', 'lt', [bucket, constant(ends[i]!)]), constant(i + 1), otherwise]),
      constant(arms.length),
    );
}

function constant(value: number): Expression {
  return { node: 'constant', type: 'int', value };
}
