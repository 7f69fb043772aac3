/**
 * Derived values: named expressions that rules, features, models and each other may read. Numbers and conditions become
 * computed columns, so that what was served is what is stored. Constants, names, texts and whole 64-bit fields do not:
 * there the name stands for its expression, which loses nothing.
 */

import { isWide } from '../../native-free-core/language/kinds/index.ts';
import { lookup } from '../../native-free-core/base/lookup.ts';
import type { Compilation } from './compilation.ts';
import { expressionAt } from './expression-at.ts';
import { addComputed } from './computed.ts';
import { isSyntaxProblem, parseExpression, namePathsOf } from './expression/cel-syntax.ts';
import type { Typed } from '../../native-free-core/language/functions/typed.ts';
import type { DerivedName } from './expression/names-in-scope.ts';

/** What a derived value or a model reads, by its text alone. Both are named in full: `derived.speed`, `model.cheat`. */
interface Reading {
  readonly others: readonly string[];
  readonly features: boolean;
}

interface Visit {
  readonly c: Compilation;
  readonly readings: ReadonlyMap<string, Reading>;
  readonly visited: Set<string>;
  /** What reads state, each behind what it reads. */
  readonly waiting: string[];
}

/**
 * Compiles what reads the event only, before keys and features, which may read it; returns the rest in the order of its
 * turns.
 */
export function compileDerivedOfEvent(c: Compilation): string[] {
  const v: Visit = { c, readings: readingsOf(c), visited: new Set(), waiting: [] };
  for (const name of v.readings.keys()) visit(v, name, []);
  return v.waiting;
}

/** Compiles what reads features and scores, once features are known; `compileModel` does it for a model's name. */
export function compileDerivedOfState(
  c: Compilation,
  waiting: readonly string[],
  compileModel: (name: string) => void,
): void {
  for (const full of waiting) {
    const name = full.slice(full.indexOf('.') + 1);
    if (isModel(full)) compileModel(name);
    else c.derived.set(name, compileDerived(c, name, true));
  }
}

function isModel(full: string): boolean {
  return full.startsWith('model.');
}

function readingsOf(c: Compilation): Map<string, Reading> {
  const { derived = {}, models = {} } = c.declaration;
  return new Map([
    ...Object.entries(derived).map(([name, text]): [string, Reading] => [`derived.${name}`, readingOf(c, [text])]),
    ...Object.entries(models).map(([name, { inputs }]): [string, Reading] => [`model.${name}`, readingOf(c, inputs)]),
  ]);
}

function readingOf(c: Compilation, texts: readonly string[]): Reading {
  const paths = texts.flatMap((text) => {
    const tree = parseExpression(text);
    return isSyntaxProblem(tree) ? [] : namePathsOf(tree);
  });
  const known = { derived: c.declaration.derived ?? {}, model: c.declaration.models ?? {} };
  const others = paths.flatMap(([prefix, name]) =>
    (prefix === 'derived' || prefix === 'model') && name !== undefined && Object.hasOwn(known[prefix], name)
      ? [`${prefix}.${name}`]
      : [],
  );
  return {
    others: [...new Set(others)],
    features: paths.some(([prefix]) => Object.hasOwn(c.declaration.entities, prefix!)),
  };
}

/** Depth first, so that what a value reads is there before it. `trail`: the values on the way that led here. */
function visit(v: Visit, full: string, trail: readonly string[]): void {
  const { c, visited } = v;
  if (visited.has(full)) return;
  const name = full.slice(full.indexOf('.') + 1);
  if (trail.includes(full)) {
    reportCircle(c, [...trail.slice(trail.indexOf(full)), full]);
    visited.add(full);
    if (!isModel(full)) c.derived.set(name, { typed: null, readsFeatures: false });
    return;
  }
  const reading = v.readings.get(full)!;
  for (const other of reading.others) visit(v, other, [...trail, full]);
  if (visited.has(full)) return;
  visited.add(full);
  const readsState = isModel(full) || reading.features || reading.others.some((other) => readsFeatures(c, other));
  if (readsState) v.waiting.push(full);
  if (!isModel(full))
    c.derived.set(name, readsState ? { typed: null, readsFeatures: true } : compileDerived(c, name, false));
}

function readsFeatures(c: Compilation, full: string): boolean {
  return isModel(full) || c.derived.get(full.slice(full.indexOf('.') + 1))!.readsFeatures;
}

function reportCircle(c: Compilation, circle: readonly string[]): void {
  const full = circle.at(-1)!;
  const what = circle.some(isModel) ? 'derived values and models' : 'derived values';
  c.problems.add(
    [isModel(full) ? 'models' : 'derived', full.slice(full.indexOf('.') + 1)],
    `${what} read each other in a circle: ${circle.join(' -> ')}`,
  );
}

function compileDerived(c: Compilation, name: string, readsFeatures: boolean): DerivedName {
  const path = ['derived', name];
  const text = lookup(c.declaration.derived, name)!;
  const typed = expressionAt(c, text, path, true);
  if (typed === null || !isStored(c, typed)) return { typed, readsFeatures };
  const { expression } = typed;
  const request = {
    name: `derived_${name}`,
    plainName: `derived.${name}`,
    expression,
    before: !readsFeatures,
    comment: text.replace(/\s+/g, ' '),
  };
  const column = addComputed(c, request, path);
  return { typed: { expression: { node: 'column', type: expression.type, column } }, readsFeatures };
}

function isStored(c: Compilation, { expression, labels, dictionary }: Typed): boolean {
  if (labels !== undefined || dictionary === true || expression.node === 'constant') return false;
  if (expression.type === 'string' || expression.type === 'bytes') return false;
  return expression.node === 'call' || !isWide(c.columns.at(expression.column).kind);
}
